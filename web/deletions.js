/**
 * Deleting, with a moment to change one's mind.
 *
 * The API cannot bring a picture back, so the page waits before it asks for the deletion.
 *
 * @typedef {import("./types.js").Picture} Picture
 */

import { deletePicture } from "./api.js";
import { say } from "./language.js";
import { Watched } from "./view.js";

const CHANGE_OF_MIND_MS = 7000;
const MOST_AT_ONCE = 4;

export class Deletions extends Watched {
  /** @type {{picture: Picture, at: number}[]} gone from sight, not yet deleted, in the order in which they went */
  waiting = [];
  /** @type {string} */
  failure = "";
  #timer = 0;

  /** @param {Pick<import("./types.js").Library, "pictures" | "counts" | "uploads">} library */
  constructor({ pictures, counts, uploads }) {
    super();
    this.pictures = pictures;
    this.counts = counts;
    this.uploads = uploads;
    addEventListener("pagehide", () => this.finish({ isLeaving: true }));
  }

  /** @param {Picture[]} pictures */
  start(pictures) {
    void this.finish();
    this.failure = "";
    this.waiting = pictures.map((picture) => {
      this.uploads.forget(picture.id);
      this.counts.shift(picture.label.value, -1);
      return { picture, at: this.pictures.takeOut(picture.id) };
    });
    this.#timer = window.setTimeout(() => this.finish(), CHANGE_OF_MIND_MS);
    this.changed();
  }

  undo() {
    clearTimeout(this.#timer);
    this.#bringBack(this.waiting);
    this.waiting = [];
    this.changed();
  }

  /** @param {{isLeaving?: boolean}} [how] whoever leaves cannot wait for one after the other */
  async finish({ isLeaving = false } = {}) {
    clearTimeout(this.#timer);
    const left = [...this.waiting];
    if (left.length === 0) return;
    this.waiting = [];
    this.changed();
    /** @type {typeof left} */
    const refused = [];
    let why = "";
    const work = async () => {
      for (let one = left.shift(); one; one = left.shift()) {
        try {
          await deletePicture(one.picture.id);
        } catch (error) {
          refused.push(one);
          why = /** @type {Error} */ (error).message;
        }
      }
    };
    await Promise.all(Array.from({ length: isLeaving ? left.length : MOST_AT_ONCE }, work));
    if (refused.length > 0) {
      this.#bringBack(refused);
      this.failure = `${say("delete.failed", { count: refused.length })} ${why}`;
      this.changed();
    }
    this.counts.recount();
  }

  /** The last one first: so each comes back to where it stood. @param {{picture: Picture, at: number}[]} gone */
  #bringBack(gone) {
    for (const { picture, at } of gone.toReversed()) {
      this.pictures.insert(picture, Math.max(0, at));
      this.counts.shift(picture.label.value, 1);
    }
  }
}
