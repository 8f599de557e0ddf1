/** How many pictures carry each label. */

import { countLabels } from "./api.js";
import { Watched } from "./view.js";

const SETTLE_MS = 250;

export class LabelCounts extends Watched {
  /** @type {import("./types.js").LabelCount[]} most first */
  items = [];
  known = false;
  #timer = 0;

  get total() {
    return this.items.reduce((sum, { count }) => sum + count, 0);
  }

  /** @param {string} label */
  of(label) {
    return this.items.find((item) => item.label === label)?.count ?? 0;
  }

  /** Count again soon; many changes at once are counted once. */
  recount() {
    clearTimeout(this.#timer);
    this.#timer = window.setTimeout(() => this.load(), SETTLE_MS);
  }

  async load() {
    try {
      this.items = await countLabels();
      this.known = true;
      this.changed();
    } catch {
      // The gallery shows the same failure, and the old counts are better than none.
    }
  }

  /** Show one picture fewer or more at once, before the server says so. @param {string} label @param {1 | -1} step */
  shift(label, step) {
    this.items = this.items.map((item) => (item.label === label ? { ...item, count: item.count + step } : item));
    this.changed();
  }
}
