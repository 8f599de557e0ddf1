/**
 * Justified rows: pictures side by side at one height, each row exactly as wide as the page.
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

/**
 * Give each picture its spot.
 *
 * @param {{width: number, height: number}[]} pictures
 * @param {Measure} measure
 * @returns {{spots: Spot[], height: number, lastRowAt: number}} `lastRowAt` is the first picture of a last row that
 *   more pictures would change, or the number of pictures
 */
export function layRows(pictures, measure) {
  const { width, gap, target, below } = measure;
  const shapes = pictures.map((picture) => Math.min(WIDEST, Math.max(NARROWEST, picture.width / picture.height)));
  const heightOf = (/** @type {number} */ from, /** @type {number} */ to) => {
    const shape = shapes.slice(from, to).reduce((sum, one) => sum + one, 0);
    return (width - gap * (to - from - 1)) / shape;
  };
  /** @type {Spot[]} */
  const spots = [];
  let top = 0;
  let from = 0;
  let lastRowAt = shapes.length;

  while (from < shapes.length) {
    let to = from + 1;
    while (to < shapes.length && heightOf(from, to) > target) to += 1;
    if (to - from > 1 && distance(heightOf(from, to - 1), measure) < distance(heightOf(from, to), measure)) to -= 1;

    const full = heightOf(from, to);
    const isFull = full <= measure.most;
    if (to === shapes.length && full > target) lastRowAt = from;
    const height = Math.round(isFull ? full : target);
    let edge = 0;
    for (const [at, shape] of shapes.slice(from, to).entries()) {
      const left = Math.round(edge);
      edge += shape * (isFull ? full : target);
      const isLast = isFull && from + at === to - 1;
      spots.push({ left, top, width: (isLast ? width : Math.round(edge)) - left, height });
      edge += gap;
    }
    top += height + below + gap;
    from = to;
  }
  return { spots, height: Math.max(0, top - gap), lastRowAt };
}

/** @param {number} height @param {Measure} measure */
function distance(height, { least, target, most }) {
  return Math.abs(Math.log(height / target)) + (height < least || height > most ? 10 : 0);
}
