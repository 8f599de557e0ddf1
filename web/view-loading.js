/**
 * Loading a view: the first page at once, then the outline with the shapes of all others, thousands at a time.
 *
 * @typedef {import("./types.js").View} View
 */

import { STRETCH, firstPage, outlinePictures } from "./api.js";
import { Stretches } from "./stretches.js";
import { ALL } from "./views.js";

/** More would be higher than a page may be; whoever has more searches, or chooses a label or days. */
const MOST_SHOWN = 150_000;

export class ViewLoading {
  /** @type {View} */
  view = ALL;
  stretches = new Stretches();
  /** Whether the stretches are not yet those of the view. */
  isLoading = true;
  isOutlined = false;
  /** @type {Error | null} why the last attempt failed */
  problem = null;
  /** @type {string | null} where the outline goes on */
  #cursor = null;
  #request = new AbortController();

  /** @param {{isHidden: (id: string) => boolean, onFirst: () => void, onChange: () => void}} told */
  constructor({ isHidden, onFirst, onChange }) {
    this.isHidden = isHidden;
    this.onFirst = onFirst;
    this.onChange = onChange;
  }

  /** Aborted as soon as another view is asked for. */
  get signal() {
    return this.#request.signal;
  }

  /** What is there stays until the first page has come. @param {View} view */
  async show(view) {
    this.#request.abort();
    this.#request = new AbortController();
    this.view = view;
    this.isLoading = true;
    this.onChange();
    await this.loadFirst();
  }

  async retry() {
    if (this.isLoading) await this.loadFirst();
    else if (!this.isOutlined) await this.#outline();
  }

  async loadFirst() {
    const { signal } = this;
    try {
      const page = await firstPage(this.view, signal);
      if (signal.aborted) return;
      this.stretches = new Stretches();
      this.stretches.fill(this.stretches.append(null, []), page.items.filter(({ id }) => !this.isHidden(id)));
      this.#cursor = page.next_cursor;
      this.isOutlined = page.next_cursor === null;
      this.isLoading = false;
      this.problem = null;
      this.onFirst();
    } catch (error) {
      if (signal.aborted) return;
      this.problem = /** @type {Error} */ (error);
    }
    this.onChange();
    if (!this.isLoading && !this.isOutlined) await this.#outline();
  }

  async #outline() {
    const { signal, stretches } = this;
    try {
      while (this.#cursor !== null && stretches.count < MOST_SHOWN) {
        const outline = await outlinePictures(this.view, this.#cursor, signal);
        if (signal.aborted || stretches !== this.stretches) return; // shown anew meanwhile
        outline.cursors.forEach((cursor, at) => {
          stretches.append(cursor, outline.shapes.slice(at * STRETCH, (at + 1) * STRETCH));
        });
        this.#cursor = outline.next_cursor;
        this.onChange();
      }
      this.isOutlined = true;
      this.problem = null;
    } catch (error) {
      if (signal.aborted) return;
      this.problem = /** @type {Error} */ (error);
    }
    this.onChange();
  }
}
