/**
 * What is shown of a batch, and what became of all its files, those included that were sent before a pause.
 *
 * @typedef {import("./types.js").Batch} Batch
 * @typedef {import("./types.js").BatchFile} BatchFile
 *
 * @typedef {object} BatchShown
 * @property {string} id
 * @property {File[]} files empty where it was sent from elsewhere
 * @property {number} sent part of the bytes that has left, 0 to 1; 1 where it was sent from elsewhere
 * @property {string} trouble why the sending ended, in words
 * @property {Batch | null} batch what the server says; null before its first file has arrived
 * @property {BatchFile[]} refused
 * @property {number} total how many files somebody gave
 * @property {boolean} isPaused
 * @property {Map<string, Batch>} earlier what was sent before a pause, each a batch of its own on the server
 * @property {() => void} breakOff ends the sending
 */

import { isZip } from "./batch-sending.js";

const NONE = { received: 0, known: 0, pending: 0, complete: 0, failed: 0, deleted: 0, refused: 0 };

/** @param {BatchShown} shown @returns {typeof NONE} */
export function countsOf({ batch, earlier }) {
  const sum = { ...NONE };
  for (const { counts } of [...earlier.values(), ...(batch ? [batch] : [])]) {
    for (const name of /** @type {(keyof typeof NONE)[]} */ (Object.keys(NONE))) sum[name] += counts[name];
  }
  return sum;
}

/** @param {BatchShown} shown */
export const isBeingSent = ({ sent, trouble }) => sent < 1 && !trouble;

/**
 * How far the server is with it. One that was broken off when all of it had come lacks nothing, which only this page knows.
 *
 * @param {BatchShown} shown @returns {Batch["state"] | undefined} undefined before its first file has arrived
 */
export function stateOf({ batch, files }) {
  if (batch?.state !== "interrupted" || !haveAllArrived(files, batch)) return batch?.state;
  return batch.is_done ? "complete" : "working";
}

/** Whether files were all sent; nobody knows of ZIPs. @param {File[]} files @param {Batch | null} batch what they became */
export const haveAllArrived = (files, batch) =>
  files.length > 0 && !files.some(isZip) && (batch?.counts.received ?? 0) >= files.length;

/** One of which nothing is known yet. */
export const NEW = {
  files: /** @type {File[]} */ ([]),
  sent: 0,
  trouble: "",
  batch: /** @type {Batch | null} */ (null),
  total: 0,
  isPaused: false,
  breakOff: () => {},
};
