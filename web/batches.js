/**
 * Batches: many files sent in one request, described while nobody need look on.
 *
 * The server knows all about a batch but how much of it has been sent, so closing the tab loses nothing that has arrived,
 * and whoever opens the page sees the batches that are under way.
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
 */

import { Problem, batchEventsUrl, cancelBatch, getBatch, listBatches, problemFrom, sendBatchUrl, unreachable } from "./api.js";
import { Watched } from "./view.js";

export const MOST_SINGLE = 20;
const MOST_IN_A_BATCH = 10_000;
const MOST_WATCHED = 3; // a browser has few connections to one server
const LOOK_MS = 1000;
const NEWS_MS = 2000;

/** Whether files are better sent together. @param {File[]} files */
export const isForBatch = (files) => files.length > MOST_SINGLE || files.some(isZip);

export class Batches extends Watched {
  /** @type {BatchShown[]} the newest first */
  items = [];
  #lastNews = 0;

  /** @param {(isDone: boolean) => Promise<void>} onNews pictures have come or been described */
  constructor(onNews) {
    super();
    this.onNews = onNews;
    addEventListener("beforeunload", (event) => {
      if (this.items.some(isBeingSent)) event.preventDefault(); // what has not left yet would not arrive
    });
  }

  /** Show what is under way on the server. */
  async load() {
    try {
      const running = (await listBatches()).items.filter(({ is_done }) => !is_done).slice(0, MOST_WATCHED);
      for (const batch of running.filter(({ id }) => !this.items.some((shown) => shown.id === id))) {
        const shown = { id: batch.id, files: [], sent: 1, trouble: "", batch, refused: [] };
        this.items = [...this.items, shown];
        this.#watch(shown);
      }
      this.changed();
    } catch {
      // The gallery says that nothing answers.
    }
  }

  /** @param {File[]} files */
  async send(files) {
    for (let first = 0; first < files.length; first += MOST_IN_A_BATCH) {
      await this.#sendOne(files.slice(first, first + MOST_IN_A_BATCH));
    }
  }

  /** Send everything of a batch again; what has arrived is passed over. @param {BatchShown} shown */
  sendAgain(shown) {
    this.close(shown);
    void this.send(shown.files);
  }

  /** @param {BatchShown} shown */
  async cancel(shown) {
    try {
      this.#take(shown, await cancelBatch(shown.id));
    } catch (error) {
      this.#fail(shown, error);
    }
  }

  /** @param {BatchShown} shown */
  close(shown) {
    this.items = this.items.filter(({ id }) => id !== shown.id);
    this.changed();
  }

  /** @param {File[]} files */
  async #sendOne(files) {
    /** @type {BatchShown} */
    const shown = { id: newId(), files, sent: 0, trouble: "", batch: null, refused: [] };
    this.items = [shown, ...this.items];
    this.changed();
    void this.#watchOnceThere(shown);
    try {
      this.#take(shown, await this.#post(shown));
    } catch (error) {
      this.#fail(shown, error);
    }
    shown.sent = 1;
    this.changed();
  }

  /** @param {BatchShown} shown @returns {Promise<Batch>} */
  #post(shown) {
    const request = new XMLHttpRequest(); // fetch cannot tell how much has been sent
    const form = new FormData();
    for (const file of shown.files) form.append("files", file, file.name);
    return new Promise((resolve, reject) => {
      request.upload.onprogress = (event) => {
        shown.sent = event.lengthComputable ? event.loaded / event.total : 0;
        this.changed();
      };
      request.onerror = () => reject(unreachable());
      request.onload = () => {
        const { status, responseText } = request;
        if (status === 202) resolve(JSON.parse(responseText));
        else reject(problemFrom(status, responseText, request.getResponseHeader("Retry-After")));
      };
      request.open("POST", sendBatchUrl(shown.id));
      request.send(form);
    });
  }

  /** The server knows a batch when its first file has arrived. @param {BatchShown} shown */
  async #watchOnceThere(shown) {
    while (!shown.batch && !shown.trouble) {
      await new Promise((wake) => setTimeout(wake, LOOK_MS));
      try {
        shown.batch ??= await getBatch(shown.id);
      } catch (error) {
        if (!(error instanceof Problem)) throw error;
      }
    }
    if (shown.batch) this.#watch(shown);
  }

  /** @param {BatchShown} shown */
  #watch(shown) {
    const events = new EventSource(batchEventsUrl(shown.id)); // it comes back by itself, and goes on where it was
    events.addEventListener("progress", ({ data }) => {
      this.#take(shown, JSON.parse(data));
      if (shown.batch?.is_done) events.close();
    });
    events.addEventListener("refused", ({ data }) => {
      /** @type {BatchFile} */
      const file = JSON.parse(data);
      if (file.position > (shown.refused.at(-1)?.position ?? 0)) shown.refused.push(file);
      this.changed();
    });
  }

  /** @param {BatchShown} shown @param {Batch} batch */
  #take(shown, batch) {
    const wasDone = Boolean(shown.batch?.is_done);
    shown.batch = batch;
    this.changed();
    if (wasDone || (!batch.is_done && Date.now() - this.#lastNews < NEWS_MS)) return;
    this.#lastNews = Date.now();
    void this.onNews(batch.is_done);
  }

  /** @param {BatchShown} shown @param {unknown} error */
  #fail(shown, error) {
    if (!(error instanceof Problem)) throw error;
    if (shown.batch?.state !== "cancelled") shown.trouble = error.message;
    this.changed();
  }
}

/** @param {BatchShown} shown */
export const isBeingSent = ({ sent, trouble }) => sent < 1 && !trouble;

/** @param {File} file */
function isZip({ name, type }) {
  return /\.zip$/i.test(name) || type === "application/zip" || type === "application/x-zip-compressed";
}

/** `crypto.randomUUID` is only there over HTTPS and on this machine. */
function newId() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6] & 0x0f) | 0x40;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  const hex = [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}
