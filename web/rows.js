/**
 * Justified rows: pictures side by side at one height, each row exactly as wide as the page.
 *
 * Rows are kept as plain numbers, and a picture's spot is worked out when it is shown: so a hundred thousand pictures are
 * laid out in a few milliseconds.
 *
 * @typedef {{left: number, top: number, width: number, height: number}} Spot
 *
 * @typedef {object} Measure all in px
 * @property {number} width of a full row
 * @property {number} gap between pictures
 * @property {number} least lowest row
 * @property {number} target row height that is aimed at
 * @property {number} most highest row
 * @property {number} below room under each row, for a line of text
 */

const NARROWEST = 0.6;
const WIDEST = 2.4;

/** Rows one below the other; `froms`, `tops` and `heights` have one number for each. */
export class Rows {
  /** @type {number[]} the first picture of each row */
  froms = [];
  /** @type {number[]} */
  tops = [];
  /** @type {number[]} */
  heights = [];
  /** The first picture of a last row that more pictures would change, or the number of pictures. */
  lastRowAt = 0;

  /** @param {number[]} shapes width over height of each picture @param {Measure} measure */
  constructor(shapes, measure) {
    this.shapes = shapes;
    this.measure = measure;
    if (measure.width > 0) this.#lay();
  }

  /** Of the first `count` rows, without the gap below them. */
  heightOf(count = this.froms.length) {
    if (count === 0) return 0;
    return this.tops[count - 1] + this.heights[count - 1] + this.measure.below;
  }

  /** The row that is at a height, the nearest where there is none. @param {number} y px */
  rowAt(y) {
    return lastNotAbove(this.tops, y);
  }

  /** The row that a picture is in. @param {number} at */
  rowOf(at) {
    return lastNotAbove(this.froms, at);
  }

  /** The picture behind the last of a row. @param {number} row */
  endOf(row) {
    return this.froms[row + 1] ?? this.shapes.length;
  }

  /** The pictures of a row, from left to right. @param {number} row @returns {Spot[]} */
  spotsOf(row) {
    const { gap, width, most, target } = this.measure;
    const [from, to, top, height] = [this.froms[row], this.endOf(row), this.tops[row], this.heights[row]];
    const full = this.#fullHeight(from, to);
    const isFull = full <= most;
    const spots = [];
    let edge = 0;
    for (let at = from; at < to; at += 1) {
      const left = Math.round(edge);
      edge += shapeOf(this.shapes[at]) * (isFull ? full : target);
      const right = isFull && at === to - 1 ? width : Math.round(edge);
      spots.push({ left, top, width: right - left, height });
      edge += gap;
    }
    return spots;
  }

  #lay() {
    const { width, gap, target, below } = this.measure;
    const count = this.shapes.length;
    this.lastRowAt = count;
    let top = 0;
    for (let from = 0; from < count; ) {
      let sum = shapeOf(this.shapes[from]);
      let to = from + 1;
      let height = width / sum;
      let before = height;
      while (to < count && height > target) {
        sum += shapeOf(this.shapes[to]);
        to += 1;
        before = height;
        height = (width - gap * (to - from - 1)) / sum;
      }
      // One picture fewer is only better where the row stays full: a hole at its end is worse than a low row.
      if (to - from > 1 && before <= this.measure.most && distance(before, this.measure) < distance(height, this.measure)) {
        to -= 1;
        height = before;
      }
      if (to === count && height > target) this.lastRowAt = from;
      const shown = Math.round(height <= this.measure.most ? height : target);
      this.froms.push(from);
      this.tops.push(top);
      this.heights.push(shown);
      top += shown + below + gap;
      from = to;
    }
  }

  /** @param {number} from @param {number} to */
  #fullHeight(from, to) {
    let sum = 0;
    for (let at = from; at < to; at += 1) sum += shapeOf(this.shapes[at]);
    return (this.measure.width - this.measure.gap * (to - from - 1)) / sum;
  }
}

/** @param {number} shape */
const shapeOf = (shape) => Math.min(WIDEST, Math.max(NARROWEST, shape));

/** @param {number} height @param {Measure} measure */
function distance(height, { least, target, most }) {
  return Math.abs(Math.log(height / target)) + (height < least || height > most ? 10 : 0);
}

/** @param {number[]} sorted @param {number} value @returns {number} 0 where all are above */
function lastNotAbove(sorted, value) {
  let [low, high] = [0, sorted.length - 1];
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if (sorted[middle] <= value) low = middle;
    else high = middle - 1;
  }
  return low;
}
