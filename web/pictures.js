/**
 * The pictures that are shown, in their order, and what is known of each.
 *
 * Uploads, corrections and late descriptions all arrive here, so that gallery and detail never disagree.
 *
 * @typedef {import("./types.js").Picture} Picture
 * @typedef {import("./types.js").View} View
 */

import { getPicture, listPending, listPictures } from "./api.js";
import { Watched } from "./view.js";

const MOST_FETCHED_AT_ONCE = 10;
const STILL_AT_THE_TOP_PX = 60;

export class Pictures extends Watched {
  /** @type {Picture[]} */
  items = [];
  /** @type {Picture[]} new ones, held back while someone looks further down */
  newcomers = [];
  /** Whether `items` are not yet those of the view that was asked for. */
  loading = true;
  /** @type {Error | null} why the last attempt to load failed */
  problem = null;
  /** @type {View} */
  view = { q: "", label: "" };
  /** @type {string | null} */
  #cursor = null;
  #request = new AbortController();
  #loadingMore = false;
  /** @type {Map<string, Picture>} opened by their address, but not in `items` */
  #strays = new Map();
  /** @type {Set<string>} about to be deleted */
  #hidden = new Set();

  get hasMore() {
    return this.#cursor !== null;
  }

  get pending() {
    return [...this.newcomers, ...this.items, ...this.#strays.values()].filter(
      (picture) => picture.status === "pending",
    );
  }

  /** @param {string} id */
  find(id) {
    const hasId = (/** @type {Picture} */ picture) => picture.id === id;
    return this.items.find(hasId) ?? this.newcomers.find(hasId) ?? this.#strays.get(id);
  }

  /** Whether a picture is about to be deleted. @param {string} id */
  isHidden(id) {
    return this.#hidden.has(id);
  }

  /** @param {View} view */
  async show(view) {
    this.#request.abort();
    this.#request = new AbortController();
    this.#loadingMore = false;
    this.view = view;
    this.newcomers = [];
    this.loading = true;
    this.changed();
    await this.#load(null, []);
  }

  async showMore() {
    if (this.#loadingMore || this.loading || !this.hasMore) return;
    this.#loadingMore = true;
    await this.#load(this.#cursor, this.items);
    this.#loadingMore = false;
  }

  /** Try what failed again. */
  async retry() {
    if (this.loading) await this.#load(null, []);
    else await this.showMore();
  }

  /** Make sure that a picture is known, also one that is not in view. @param {string} id */
  async open(id) {
    if (this.find(id)) return;
    this.#strays.set(id, await getPicture(id));
    this.changed();
  }

  /** Take over what is newly known of a picture. @param {Picture} picture */
  put(picture) {
    const update = (/** @type {Picture} */ item) => (item.id === picture.id ? picture : item);
    this.items = this.items.map(update);
    this.newcomers = this.newcomers.map(update);
    if (this.#strays.has(picture.id)) this.#strays.set(picture.id, picture);
    this.changed();
  }

  /** Take in a new picture, where it belongs to the view. @param {Picture} picture */
  add(picture) {
    const { q, label } = this.view;
    const fits = !q && (!label || label === picture.label.value);
    if (this.find(picture.id)) this.put(picture);
    else if (fits && !this.loading) this.newcomers = [picture, ...this.newcomers];
    this.changed();
  }

  /** Show the new pictures, first of all. */
  showNewcomers() {
    if (this.newcomers.length === 0) return;
    this.items = [...this.newcomers, ...this.items];
    this.newcomers = [];
    this.changed();
  }

  /** @param {Picture} picture @param {number} at */
  insert(picture, at) {
    this.#hidden.delete(picture.id);
    this.items = this.items.toSpliced(at, 0, picture);
    this.changed();
  }

  /** @param {string} id @returns {number} where it stood, -1 where it was not shown */
  takeOut(id) {
    const at = this.items.findIndex((item) => item.id === id);
    this.#hidden.add(id);
    this.#strays.delete(id);
    this.items = this.items.filter((item) => item.id !== id);
    this.newcomers = this.newcomers.filter((item) => item.id !== id);
    this.changed();
    return at;
  }

  /** Ask whether pending pictures have been described meanwhile. */
  async askForPending() {
    try {
      const still = new Set((await listPending()).items.map((picture) => picture.id));
      const ready = this.pending.filter((picture) => !still.has(picture.id)).slice(0, MOST_FETCHED_AT_ONCE);
      for (const picture of await Promise.all(ready.map(({ id }) => getPicture(id)))) this.put(picture);
    } catch {
      // Nothing that was there is lost; the next turn asks again.
    }
  }

  /**
   * Take in what has been added elsewhere.
   *
   * @param {{isWhole: boolean}} how whether so much may have come that only showing the view anew has all of it; who looks
   *   further down is not moved
   */
  async lookForNew({ isWhole }) {
    if (this.loading || this.view.q) return;
    const { view } = this;
    if (isWhole && scrollY < STILL_AT_THE_TOP_PX && this.#strays.size === 0) return this.#load(null, []);
    try {
      const page = await listPictures(view, null, this.#request.signal);
      if (view === this.view) page.items.toReversed().forEach((picture) => this.#hidden.has(picture.id) || this.add(picture));
    } catch {
      // Nothing that was there is lost; the next news of the batch asks again.
    }
  }

  /** @param {string | null} cursor @param {Picture[]} before */
  async #load(cursor, before) {
    const { signal } = this.#request;
    try {
      let page = await listPictures(this.view, cursor, signal);
      // A search may end a page before it has found anything, and go on behind it.
      while (page.items.length === 0 && page.next_cursor && !signal.aborted) {
        page = await listPictures(this.view, page.next_cursor, signal);
      }
      if (signal.aborted) return;
      const known = new Set([...before, ...this.newcomers].map((picture) => picture.id));
      const fresh = page.items.filter(({ id }) => !known.has(id) && !this.#hidden.has(id));
      this.items = [...before, ...fresh];
      this.#cursor = page.next_cursor;
      this.loading = false;
      this.problem = null;
    } catch (error) {
      if (signal.aborted) return;
      this.problem = /** @type {Error} */ (error);
    }
    this.changed();
  }
}
