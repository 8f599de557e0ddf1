/** What became of all files of a batch, those included that were sent before a pause. */

const NONE = { received: 0, known: 0, pending: 0, complete: 0, failed: 0, deleted: 0, refused: 0 };

/** @param {import("./batches.js").BatchShown} shown @returns {typeof NONE} */
export function countsOf({ batch, earlier }) {
  const sum = { ...NONE };
  for (const { counts } of [...earlier.values(), ...(batch ? [batch] : [])]) {
    for (const name of /** @type {(keyof typeof NONE)[]} */ (Object.keys(NONE))) sum[name] += counts[name];
  }
  return sum;
}
