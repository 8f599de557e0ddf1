/**
 * The pictures that the model was not sure of, one after the other, and what a person says of them.
 *
 * A decision is sent when the next one is made, or when the room is left: until then Backspace takes it back whole.
 *
 * @typedef {import("./types.js").Picture} Picture
 */

import { correctPicture, listToReview } from "./api.js";
import { say } from "./language.js";
import { Watched } from "./view.js";

const LOAD_MORE_BEFORE_END = 10;

export class Review extends Watched {
  /** @type {Picture[]} in the order in which they are asked about */
  items = [];
  at = 0;
  /** @type {"loading" | "ready" | "failed"} */
  state = "loading";
  problem = "";
  /** @type {Map<string, string>} what was said of each, by id */
  said = new Map();
  /** @type {string | null} */
  #cursor = null;
  #isLoadingMore = false;
  /** @type {Picture | null} the one whose decision waits */
  #waiting = null;

  /** @param {(picture: Picture) => void} onSaved told each picture as the server has it after a correction */
  constructor(onSaved) {
    super();
    this.onSaved = onSaved;
  }

  get picture() {
    return this.items[this.at];
  }

  get hasMore() {
    return this.#cursor !== null;
  }

  async load() {
    this.state = "loading";
    this.changed();
    try {
      await this.#more();
      this.state = "ready";
    } catch (error) {
      this.problem = /** @type {Error} */ (error).message;
      this.state = "failed";
    }
    this.changed();
  }

  /** Say what the picture is, and go on to the next. @param {string} label */
  decide(label) {
    const { picture } = this;
    if (!picture) return;
    this.problem = "";
    void this.send();
    this.said.set(picture.id, label);
    this.#waiting = picture;
    this.#goTo(this.at + 1);
  }

  skip() {
    if (this.picture) this.#goTo(this.at + 1);
  }

  /** Return to the picture before; a decision of it that waits is taken back, one that was sent can be made anew. */
  back() {
    if (this.at === 0) return;
    const before = this.items[this.at - 1];
    if (this.#waiting?.id === before.id) {
      this.#waiting = null;
      this.said.delete(before.id);
    }
    this.#goTo(this.at - 1);
  }

  /** Send the decision that waits, also when the page is being left. */
  async send() {
    const picture = this.#waiting;
    if (!picture) return;
    this.#waiting = null;
    const label = /** @type {string} */ (this.said.get(picture.id));
    try {
      this.onSaved(await correctPicture(picture.id, { label }));
    } catch (error) {
      this.said.delete(picture.id);
      this.problem = `${say("review.notSaved", { file: picture.filename })} ${/** @type {Error} */ (error).message}`;
      this.#goTo(this.items.findIndex(({ id }) => id === picture.id));
    }
  }

  /** @param {number} at */
  #goTo(at) {
    this.at = at;
    this.changed();
    if (at >= this.items.length - LOAD_MORE_BEFORE_END && this.hasMore && !this.#isLoadingMore) {
      this.#more().then(
        () => this.changed(),
        () => {}, // the next step asks again
      );
    }
  }

  async #more() {
    this.#isLoadingMore = true;
    try {
      const page = await listToReview(this.#cursor);
      const known = new Set(this.items.map(({ id }) => id));
      this.items = [...this.items, ...page.items.filter(({ id }) => !known.has(id))];
      this.#cursor = page.next_cursor;
    } finally {
      this.#isLoadingMore = false;
    }
  }
}
