/** Loads the stretches that somebody looks at, not those that were only scrolled past. */

import { listStretch } from "./api.js";
import { ALL } from "./views.js";

const SETTLE_MS = 60;
const MOST_AT_ONCE = 2;
const AGAIN_MS = 3000;

/** @typedef {import("./stretches.js").Stretch} Stretch */

export class Loading {
  /** @type {Stretch[]} */
  #wanted = [];
  /** @type {Map<Stretch, AbortController>} */
  #running = new Map();
  #timer = 0;

  /** @param {(stretch: Stretch, items: import("./types.js").Picture[]) => void} onLoaded */
  constructor(onLoaded) {
    this.onLoaded = onLoaded;
  }

  /** Load these, once the scrolling has settled, and nothing else any more. @param {Stretch[]} stretches @param {import("./types.js").View} view */
  want(stretches, view) {
    this.#wanted = stretches;
    for (const [stretch, request] of this.#running) if (!stretches.includes(stretch)) request.abort();
    clearTimeout(this.#timer);
    if (stretches.length > 0) this.#timer = window.setTimeout(() => this.#next(view), SETTLE_MS);
  }

  stop() {
    this.want([], ALL);
  }

  /**
   * Load one, whoever looks.
   *
   * @param {Stretch} stretch
   * @param {import("./types.js").View} view
   * @param {AbortSignal} [signal]
   */
  async load(stretch, view, signal = new AbortController().signal) {
    const items = await listStretch(view, stretch.cursor, stretch.shapes.length, signal);
    if (!signal.aborted && !stretch.pictures) this.onLoaded(stretch, items);
  }

  /** @param {import("./types.js").View} view */
  #next(view) {
    for (const stretch of this.#wanted) {
      if (this.#running.size >= MOST_AT_ONCE) return;
      if (stretch.pictures || this.#running.has(stretch)) continue;
      const request = new AbortController();
      this.#running.set(stretch, request);
      this.load(stretch, view, request.signal)
        .then(() => true, () => false)
        .then((isLoaded) => {
          this.#running.delete(stretch);
          if (isLoaded) this.#next(view);
          else if (!request.signal.aborted) this.#timer = window.setTimeout(() => this.#next(view), AGAIN_MS);
        });
    }
  }
}
