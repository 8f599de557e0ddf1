/**
 * Files on their way to the gateway: at most three at once, the rest wait their turn.
 *
 * @typedef {import("./types.js").Picture} Picture
 *
 * @typedef {object} Upload
 * @property {number} key
 * @property {File} file
 * @property {string} thumbnail address of the file's own picture, empty where there is none
 * @property {"waiting" | "sending" | "describing" | "done" | "refused"} state
 * @property {number} sent part of the bytes that has arrived, 0 to 1
 * @property {boolean} known the same bytes were here before
 * @property {Picture | null} picture
 * @property {string} refusal why it was refused, in words
 * @property {boolean} worthTrying whether the same file may pass later
 * @property {number} tries
 */

import { UPLOAD_URL } from "./api.js";
import { Problem, problemFrom, unreachable } from "./ask.js";
import { Watched } from "./view.js";

const MOST_AT_ONCE = 3;
const MOST_TRIES = 4;
const BUSY = new Set([429, 503]);

export class UploadQueue extends Watched {
  /** @type {Upload[]} in the order in which they came */
  items = [];
  #nextKey = 1;

  /**
   * @param {(picture: Picture, known: boolean) => void} onStored
   * @param {import("./unsent-files.js").UnsentFiles} unsent
   */
  constructor(onStored, unsent) {
    super();
    this.onStored = onStored;
    this.unsent = unsent;
    addEventListener("beforeunload", (event) => {
      const waiting = this.items.filter(({ state }) => state === "waiting" || state === "sending");
      if (!unsent.has(waiting.map(({ file }) => file))) event.preventDefault(); // they would not arrive
    });
  }

  get unfinished() {
    return this.items.filter(({ state }) => state !== "done" && state !== "refused").length;
  }

  /** @param {Iterable<File>} files */
  add(files) {
    if ([...files].length === 0) return;
    void this.unsent.keep([...files]);
    if (this.unfinished === 0) this.clear();
    for (const file of files) {
      const thumbnail = file.type.startsWith("image/") ? URL.createObjectURL(file) : "";
      const fresh = { sent: 0, known: false, picture: null, refusal: "", worthTrying: false, tries: 0 };
      this.items = [...this.items, { key: this.#nextKey++, file, thumbnail, state: "waiting", ...fresh }];
    }
    this.#startNext();
  }

  /** @param {Upload} upload */
  tryAgain(upload) {
    Object.assign(upload, { state: "waiting", sent: 0, refusal: "", tries: 0 });
    this.#startNext();
  }

  /** Take the finished ones off the list. */
  clear() {
    for (const upload of this.items) if (upload.state === "refused") forgetThumbnail(upload);
    this.items = this.items.filter(({ state }) => state !== "done" && state !== "refused");
    this.changed();
  }

  /** A picture has been deleted. @param {string} id */
  forget(id) {
    this.items = this.items.filter(({ picture }) => picture?.id !== id);
    this.changed();
  }

  /** More is known of a picture now. @param {Picture} picture */
  put(picture) {
    const upload = this.items.find((item) => item.picture?.id === picture.id);
    if (!upload || upload.picture === picture) return;
    upload.picture = picture;
    this.changed();
  }

  #startNext() {
    let running = this.items.filter(({ state }) => state === "sending" || state === "describing").length;
    for (const upload of this.items) {
      if (running >= MOST_AT_ONCE) break;
      if (upload.state !== "waiting" || upload.tries > 0) continue;
      running += 1;
      this.#run(upload);
    }
    this.changed();
  }

  /** @param {Upload} upload */
  async #run(upload) {
    upload.state = "sending";
    upload.tries += 1;
    try {
      const { picture, known } = await this.#send(upload);
      Object.assign(upload, { state: "done", picture, known });
      void this.unsent.forget([upload.file]);
      forgetThumbnail(upload);
      this.onStored(picture, known);
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      if (BUSY.has(error.status) && upload.tries < MOST_TRIES) {
        upload.state = "waiting";
        this.changed();
        window.setTimeout(() => this.#run(upload), 1000 * (error.retryAfterS ?? 2) * upload.tries);
        return;
      }
      const worthTrying = error.status === 0 || error.status >= 500 || BUSY.has(error.status);
      Object.assign(upload, { state: "refused", refusal: error.message, worthTrying });
      if (!worthTrying) void this.unsent.forget([upload.file]);
    }
    this.#startNext();
  }

  /**
   * @param {Upload} upload
   * @returns {Promise<{picture: Picture, known: boolean}>}
   */
  #send(upload) {
    // XMLHttpRequest, because fetch cannot tell how much has been sent.
    const request = new XMLHttpRequest();
    const form = new FormData();
    form.append("file", upload.file, upload.file.name);
    return new Promise((resolve, reject) => {
      request.upload.onprogress = (event) => {
        upload.sent = event.lengthComputable ? event.loaded / event.total : 0;
        this.changed();
      };
      request.upload.onload = () => {
        Object.assign(upload, { state: "describing", sent: 1 });
        this.changed();
      };
      request.onerror = () => reject(unreachable());
      request.onload = () => {
        const { status, responseText } = request;
        if (status === 200 || status === 201) {
          resolve({ picture: JSON.parse(responseText), known: status === 200 });
        } else {
          reject(problemFrom(status, responseText, request.getResponseHeader("Retry-After")));
        }
      };
      request.open("POST", UPLOAD_URL);
      request.send(form);
    });
  }
}

/** @param {Upload} upload */
function forgetThumbnail(upload) {
  if (upload.thumbnail) URL.revokeObjectURL(upload.thumbnail);
  upload.thumbnail = "";
}
