/** Which of the ten hues a label has: always the same one, also for a label that was made up today. */

const HUES = 10;
const SEED = 9910; // found by trying: with it, the ten labels that come with Legenda share no hue

/**
 * @param {string} label
 * @returns {number | undefined} 0 to 9; none for what has no label
 */
export function hueOf(label) {
  if (!label || label === "unclassified") return undefined;
  let hash = SEED;
  for (const letter of label) hash = (Math.imul(hash, 31) + letter.charCodeAt(0)) >>> 0;
  return (hash >>> 8) % HUES;
}
