/**
 * Deleting, with a moment to change one's mind.
 *
 * The API cannot bring a picture back, so the page waits before it asks for the deletion.
 *
 * @typedef {import("./types.js").Picture} Picture
 */

import { deletePicture } from "./api.js";
import { Watched } from "./view.js";

const CHANGE_OF_MIND_MS = 7000;

export class Deletions extends Watched {
  /** @type {Picture | null} gone from sight, not yet deleted */
  waiting = null;
  /** @type {string} */
  failure = "";
  #at = -1;
  #timer = 0;

  /** @param {Omit<import("./types.js").Library, "deletions">} library */
  constructor({ pictures, counts, uploads }) {
    super();
    this.pictures = pictures;
    this.counts = counts;
    this.uploads = uploads;
    addEventListener("pagehide", () => this.finish());
  }

  /** @param {Picture} picture */
  start(picture) {
    this.finish();
    this.failure = "";
    this.waiting = picture;
    this.#at = this.pictures.takeOut(picture.id);
    this.uploads.forget(picture.id);
    this.counts.shift(picture.label.value, -1);
    this.#timer = window.setTimeout(() => this.finish(), CHANGE_OF_MIND_MS);
    this.changed();
  }

  undo() {
    clearTimeout(this.#timer);
    if (this.waiting) this.#bringBack(this.waiting);
    this.waiting = null;
    this.changed();
  }

  async finish() {
    clearTimeout(this.#timer);
    const picture = this.waiting;
    if (!picture) return;
    this.waiting = null;
    this.changed();
    try {
      await deletePicture(picture.id);
    } catch (error) {
      this.#bringBack(picture);
      this.failure = `The picture could not be deleted. ${/** @type {Error} */ (error).message}`;
      this.changed();
    }
    this.counts.recount();
  }

  /** @param {Picture} picture */
  #bringBack(picture) {
    this.pictures.insert(picture, Math.max(0, this.#at));
    this.counts.shift(picture.label.value, 1);
  }
}
