/**
 * The pictures that are chosen to do something with all of them at once.
 *
 * @typedef {import("./types.js").Picture} Picture
 */

import { correctPicture } from "./api.js";
import { Watched } from "./view.js";

/** As many as the API exports by their ids. */
export const MOST_CHOSEN = 500;
const MOST_AT_ONCE = 4;

export class Selection extends Watched {
  /** What goes on, or went wrong, in words. */
  word = "";
  isTroubled = false;
  /** @type {Map<string, Picture>} in the order in which they were chosen */
  #chosen = new Map();
  /** id of the picture from which on Shift chooses */
  #anchor = "";

  /** @param {import("./pictures.js").Pictures} pictures */
  constructor(pictures) {
    super();
    this.pictures = pictures;
  }

  get size() {
    return this.#chosen.size;
  }

  get ids() {
    return [...this.#chosen.keys()];
  }

  /** As they are known now. */
  get items() {
    return [...this.#chosen.values()].map((picture) => this.pictures.find(picture.id) ?? picture);
  }

  /** @param {string} id */
  has(id) {
    return this.#chosen.has(id);
  }

  /** @param {Picture} picture */
  toggle(picture) {
    this.#anchor = picture.id;
    this.#say("");
    if (!this.#chosen.delete(picture.id) && this.size < MOST_CHOSEN) this.#chosen.set(picture.id, picture);
    this.changed();
  }

  /**
   * Choose all from the last one that was chosen up to another; those that are not known yet are loaded first.
   *
   * @param {number} at
   * @param {string} tooMany what is said when they are more than can be chosen
   */
  async extendTo(at, tooMany) {
    const anchor = this.pictures.indexOf(this.#anchor);
    const from = anchor < 0 ? at : Math.min(anchor, at);
    const to = (anchor < 0 ? at : Math.max(anchor, at)) + 1;
    if (to - from > MOST_CHOSEN) return this.#say(tooMany, true);
    try {
      await this.pictures.load(from, to);
    } catch (error) {
      return this.#say(/** @type {Error} */ (error).message, true);
    }
    for (let each = from; each < to && this.size < MOST_CHOSEN; each += 1) {
      const picture = this.pictures.at(each);
      if (picture) this.#chosen.set(picture.id, picture);
    }
    this.#anchor ||= this.pictures.at(at)?.id ?? "";
    return this.#say("");
  }

  clear() {
    this.#chosen.clear();
    this.#anchor = "";
    this.#say("");
  }

  /**
   * Give all of them a label; those that were refused stay chosen.
   *
   * @param {string} label
   * @param {(done: number) => string} progress
   * @param {(failed: number, why: string) => string} trouble
   */
  async relabel(label, progress, trouble) {
    const waiting = this.items;
    let [done, failed, why] = [0, 0, ""];
    const work = async () => {
      for (let picture = waiting.shift(); picture; picture = waiting.shift()) {
        try {
          this.pictures.put(await correctPicture(picture.id, { label }));
          this.#chosen.delete(picture.id);
          done += 1;
        } catch (error) {
          failed += 1;
          why = /** @type {Error} */ (error).message;
        }
        this.#say(progress(done));
      }
    };
    await Promise.all(Array.from({ length: MOST_AT_ONCE }, work));
    this.#say(failed ? trouble(failed, why) : "", failed > 0);
  }

  /** @param {string} word @param {boolean} [isTroubled] */
  tell(word, isTroubled = false) {
    this.#say(word, isTroubled);
  }

  /** @param {string} word @param {boolean} [isTroubled] */
  #say(word, isTroubled = false) {
    this.word = word;
    this.isTroubled = isTroubled;
    this.changed();
  }
}
