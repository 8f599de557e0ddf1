/**
 * All pictures of a view in their order, in stretches of a hundred: of each stretch either the pictures themselves or only
 * their shapes, so that a hundred thousand have their places and few are kept.
 *
 * @typedef {import("./types.js").Picture} Picture
 *
 * @typedef {object} Stretch
 * @property {string | null} cursor asks for its pictures
 * @property {number} start how many pictures are before it
 * @property {number[]} shapes width over height of each
 * @property {Picture[] | null} pictures null while they are not known
 */

/** As many stretches keep their pictures; the first one always does, for new ones come there. */
const MOST_KEPT = 40;

export class Stretches {
  /** @type {Stretch[]} */
  all = [];
  count = 0;
  /** @type {Stretch[]} those with pictures, the one that was looked at last at the end */
  #kept = [];

  /** @returns {Picture[]} those that are known */
  get known() {
    return this.all.flatMap(({ pictures }) => pictures ?? []);
  }

  /** The shapes of all. */
  get shapes() {
    return this.all.flatMap(({ shapes }) => shapes);
  }

  /** @param {string | null} cursor @param {number[]} shapes */
  append(cursor, shapes) {
    const stretch = { cursor, start: this.count, shapes, pictures: null };
    this.all.push(stretch);
    this.count += shapes.length;
    return stretch;
  }

  /** Keep what is newly known; whoever has not been looked at for long is forgotten. @param {Stretch} stretch @param {Picture[]} pictures */
  fill(stretch, pictures) {
    stretch.pictures = pictures;
    stretch.shapes = pictures.map(shapeOf);
    this.#number();
    this.touch(stretch);
    for (const old of this.#kept.splice(0, this.#kept.length - MOST_KEPT)) {
      if (old === this.all[0]) this.#kept.unshift(old);
      else old.pictures = null;
    }
  }

  /** A stretch is being looked at. @param {Stretch} stretch */
  touch(stretch) {
    if (stretch.pictures) this.#kept = [...this.#kept.filter((each) => each !== stretch), stretch];
  }

  /** @param {number} at @returns {Picture | undefined} */
  at(at) {
    const stretch = this.of(at);
    return stretch?.pictures?.[at - stretch.start];
  }

  /** The stretch that a picture is in. @param {number} at @returns {Stretch | undefined} */
  of(at) {
    if (at < 0 || at >= this.count) return undefined;
    let [low, high] = [0, this.all.length - 1];
    while (low < high) {
      const middle = Math.ceil((low + high) / 2);
      if (this.all[middle].start <= at) low = middle;
      else high = middle - 1;
    }
    return this.all[low];
  }

  /** Those of some pictures. @param {number} from @param {number} to behind the last */
  between(from, to) {
    return this.all.filter(({ start, shapes }) => start < to && start + shapes.length > from);
  }

  /** @param {string} id @returns {number} -1 where it is not known */
  indexOf(id) {
    for (const { start, pictures } of this.all) {
      const at = pictures?.findIndex((picture) => picture.id === id) ?? -1;
      if (at >= 0) return start + at;
    }
    return -1;
  }

  /** @param {Picture} picture @returns {boolean} whether it is one of them */
  replace(picture) {
    const at = this.indexOf(picture.id);
    const stretch = this.of(at);
    if (!stretch?.pictures) return false;
    stretch.pictures = stretch.pictures.with(at - stretch.start, picture);
    return true;
  }

  /** @param {Picture[]} pictures @param {number} at */
  insert(pictures, at) {
    const stretch = this.of(Math.min(at, this.count - 1)) ?? this.append(null, []);
    const where = Math.min(at - stretch.start, stretch.shapes.length);
    stretch.pictures ??= stretch.shapes.length === 0 ? [] : null;
    stretch.pictures = stretch.pictures?.toSpliced(where, 0, ...pictures) ?? null;
    stretch.shapes = stretch.shapes.toSpliced(where, 0, ...pictures.map(shapeOf));
    this.#number();
    this.touch(stretch);
  }

  /** @param {number} at */
  remove(at) {
    const stretch = this.of(at);
    if (!stretch) return;
    stretch.pictures = stretch.pictures?.toSpliced(at - stretch.start, 1) ?? null;
    stretch.shapes = stretch.shapes.toSpliced(at - stretch.start, 1);
    this.#number();
  }

  #number() {
    this.count = 0;
    for (const stretch of this.all) {
      stretch.start = this.count;
      this.count += stretch.shapes.length;
    }
  }
}

/** @param {Picture} picture */
const shapeOf = ({ width, height }) => width / height;
