/** Sending many files in one request, which can be broken off. */

import { getBatch, sendBatchUrl } from "./api-batches.js";
import { Problem, problemFrom, unreachable } from "./ask.js";

const LOOK_MS = 1000;
const MOST_LOOKS = 10;

/** The visitor broke it off; nothing went wrong. */
export class BrokenOff extends Error {}

/**
 * @param {string} id of the batch
 * @param {File[]} files
 * @param {(sent: number) => void} onProgress told which part of the bytes has left, 0 to 1
 * @returns {{answer: Promise<import("./types.js").Batch>, breakOff: () => void}} the answer may be a Problem or BrokenOff
 */
export function sendBatch(id, files, onProgress) {
  const request = new XMLHttpRequest(); // fetch cannot tell how much has been sent
  const form = new FormData();
  for (const file of files) form.append("files", file, file.name);
  /** @type {Promise<import("./types.js").Batch>} */
  const answer = new Promise((resolve, reject) => {
    request.upload.onprogress = (event) => onProgress(event.lengthComputable ? event.loaded / event.total : 0);
    request.onerror = () => reject(unreachable());
    request.onabort = () => reject(new BrokenOff());
    request.onload = () => {
      const { status, responseText } = request;
      if (status === 202) resolve(JSON.parse(responseText));
      else reject(problemFrom(status, responseText, request.getResponseHeader("Retry-After")));
    };
    request.open("POST", sendBatchUrl(id));
    request.send(form);
  });
  return { answer, breakOff: () => request.abort() };
}

/**
 * What the server says of a batch once it has seen that it was broken off; null where nothing of it has arrived.
 *
 * @param {string} id
 */
export async function settled(id) {
  for (let looks = 0; ; looks += 1) {
    try {
      const batch = await getBatch(id);
      if (batch.state !== "receiving" || looks > MOST_LOOKS) return batch;
    } catch (error) {
      if (error instanceof Problem && error.status === 404) return null;
      throw error;
    }
    await new Promise((wake) => setTimeout(wake, LOOK_MS));
  }
}

/** @param {{name: string, type: string}} file */
export function isZip({ name, type }) {
  return /\.zip$/i.test(name) || type === "application/zip" || type === "application/x-zip-compressed";
}

/** `crypto.randomUUID` is only there over HTTPS and on this machine. */
export function newId() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6] & 0x0f) | 0x40;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  const hex = [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}
