/** The words of a caption that were searched for, marked. */

import { html } from "./view.js";

/**
 * @param {{text: string, q: string}} props `q` as it was typed: its last word may be the beginning of one, unless in quotes
 */
export function Marked({ text, q }) {
  if (!q) return text;
  return piecesOf(text, q).map(({ piece, isMarked }) => (isMarked ? html`<mark>${piece}</mark>` : piece));
}

/**
 * Cut a text where its marks begin and end.
 *
 * @param {string} text
 * @param {string} q
 * @returns {{piece: string, isMarked: boolean}[]}
 */
export function piecesOf(text, q) {
  const asked = wordsOf(q);
  const beginning = /["”»]\s*$/.test(q) ? undefined : asked.at(-1);
  const whole = new Set(asked);
  /** @type {{piece: string, isMarked: boolean}[]} */
  const pieces = [];
  for (const piece of text.split(/([\p{L}\p{N}]+)/u)) {
    const word = plain(piece);
    const isMarked = whole.has(word) || Boolean(beginning && word.startsWith(beginning));
    const last = pieces.at(-1);
    if (last && last.isMarked === isMarked) last.piece += piece;
    else if (piece) pieces.push({ piece, isMarked });
  }
  return pieces;
}

/** @param {string} text */
const wordsOf = (text) => (text.match(/[\p{L}\p{N}]+/gu) ?? []).map(plain);

/** Without capitals and accents, as the search compares them. @param {string} word */
const plain = (word) => word.normalize("NFKD").toLowerCase().replace(/\p{Mn}/gu, "");
