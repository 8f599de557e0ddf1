/**
 * Batches: many files sent in one request, described while nobody need look on.
 *
 * The server knows all about a batch but how much of it has been sent, so closing the tab loses nothing that has arrived,
 * and whoever opens the page sees the batches that are under way.
 *
 * @typedef {import("./types.js").Batch} Batch
 * @typedef {import("./types.js").BatchFile} BatchFile
 * @typedef {import("./batch-shown.js").BatchShown} BatchShown
 */

import { batchEventsUrl, cancelBatch, getBatch, listBatches } from "./api-batches.js";
import { Problem } from "./ask.js";
import { BrokenOff, isZip, newId, sendBatch, settled } from "./batch-sending.js";
import { NEW, haveAllArrived, isBeingSent } from "./batch-shown.js";
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

  /**
   * @param {(isDone: boolean) => Promise<void>} onNews pictures have come or been described
   * @param {import("./unsent-files.js").UnsentFiles} unsent
   */
  constructor(onNews, unsent) {
    super();
    this.onNews = onNews;
    this.unsent = unsent;
    addEventListener("beforeunload", (event) => {
      const isLost = this.items.some((shown) => isBeingSent(shown) && !unsent.has(shown.files));
      if (isLost) event.preventDefault(); // what has not left yet would not arrive
    });
  }

  /** Show what is under way on the server. */
  async load() {
    try {
      const running = (await listBatches()).items.filter(({ is_done }) => !is_done).slice(0, MOST_WATCHED);
      for (const batch of running.filter(({ id }) => !this.items.some((shown) => shown.id === id))) {
        const shown = { ...NEW, id: batch.id, sent: 1, batch, refused: [], earlier: new Map() };
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
    void this.unsent.keep(files);
    for (let first = 0; first < files.length; first += MOST_IN_A_BATCH) {
      await this.#sendOne(files.slice(first, first + MOST_IN_A_BATCH));
    }
  }

  /** Send everything of a batch again; what has arrived is passed over. @param {BatchShown} shown */
  sendAgain(shown) {
    this.close(shown);
    void this.send(shown.files);
  }

  /** Stop sending; what has arrived is kept and described. @param {BatchShown} shown */
  pause(shown) {
    shown.isPaused = true;
    shown.breakOff();
    this.changed();
  }

  /** Send what had not arrived before the pause, if anything, as a batch of its own. @param {BatchShown} shown */
  async resume(shown) {
    shown.isPaused = false;
    this.changed();
    try {
      const before = await settled(shown.id);
      if (shown.isPaused) return; // again
      if (haveAllArrived(shown.files, before)) {
        Object.assign(shown, { batch: before, sent: 1 });
        void this.unsent.forget(shown.files);
        this.changed();
        return;
      }
      if (before) shown.earlier.set(shown.id, before);
      const arrived = shown.files.some(isZip) ? 0 : (before?.counts.received ?? 0); // they arrive in their order
      void this.unsent.forget(shown.files.slice(0, arrived));
      Object.assign(shown, { id: newId(), files: shown.files.slice(arrived), batch: null });
      await this.#post(shown);
    } catch (error) {
      this.#fail(shown, error);
    }
  }

  /** @param {BatchShown} shown */
  async #post(shown) {
    const { answer, breakOff } = sendBatch(shown.id, shown.files, (sent) => {
      shown.sent = sent;
      this.changed();
    });
    Object.assign(shown, { breakOff, sent: 0 });
    this.changed();
    void this.#watchOnceThere(shown);
    try {
      this.#take(shown, await answer);
      shown.sent = 1;
      void this.unsent.forget(shown.files);
    } catch (error) {
      if (error instanceof BrokenOff) return;
      this.#fail(shown, error);
      shown.sent = 1;
    }
    this.changed();
  }

  /** @param {BatchShown} shown */
  async cancel(shown) {
    try {
      this.#take(shown, await cancelBatch(shown.id));
      void this.unsent.forget(shown.files);
    } catch (error) {
      this.#fail(shown, error);
    }
  }

  /** @param {BatchShown} shown */
  close(shown) {
    void this.unsent.forget(shown.files);
    this.items = this.items.filter(({ id }) => id !== shown.id);
    this.changed();
  }

  /** @param {File[]} files */
  async #sendOne(files) {
    /** @type {BatchShown} */
    const shown = { ...NEW, id: newId(), files, total: files.length, refused: [], earlier: new Map() };
    this.items = [shown, ...this.items];
    await this.#post(shown);
  }

  /** The server knows a batch when its first file has arrived. @param {BatchShown} shown */
  async #watchOnceThere(shown) {
    const { id } = shown;
    while (!shown.batch && !shown.trouble && shown.id === id) {
      await new Promise((wake) => setTimeout(wake, LOOK_MS));
      try {
        const batch = await getBatch(id);
        if (shown.id === id) shown.batch ??= batch;
      } catch (error) {
        if (!(error instanceof Problem)) throw error;
        if (shown.isPaused) return; // nothing of it has arrived
      }
    }
    if (shown.batch?.id === id) this.#watch(shown);
  }

  /** @param {BatchShown} shown */
  #watch(shown) {
    const { id } = shown;
    const events = new EventSource(batchEventsUrl(id)); // it comes back by itself, and goes on where it was
    let told = 0; // positions of refused files that were told already
    events.addEventListener("progress", ({ data }) => {
      /** @type {Batch} */
      const batch = JSON.parse(data);
      if (id === shown.id) this.#take(shown, batch);
      else shown.earlier.set(id, batch); // it was paused, and goes on as another batch
      this.changed();
      if (batch.is_done) events.close();
    });
    events.addEventListener("refused", ({ data }) => {
      /** @type {BatchFile} */
      const file = JSON.parse(data);
      if (file.position > told) shown.refused.push(file);
      told = Math.max(told, file.position);
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
