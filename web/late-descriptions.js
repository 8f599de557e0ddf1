/** Pictures that were shown before they were described: whether they have been meanwhile. */

import { getPicture, listPending } from "./api.js";
import { keepAsking } from "./keep-asking.js";

const WAITS = { firstMs: 5_000, longestMs: 60_000 };
const MOST_FETCHED_AT_ONCE = 10;

/**
 * Ask again and again.
 *
 * @param {import("./pictures.js").Pictures} pictures
 * @returns {() => void} stops it
 */
export const awaitDescriptions = (pictures) => keepAsking(() => askForPending(pictures), WAITS);

/** @param {import("./pictures.js").Pictures} pictures */
async function askForPending(pictures) {
  try {
    const still = new Set((await listPending()).items.map((picture) => picture.id));
    const ready = pictures.pending.filter((picture) => !still.has(picture.id)).slice(0, MOST_FETCHED_AT_ONCE);
    for (const picture of await Promise.all(ready.map(({ id }) => getPicture(id)))) pictures.put(picture);
  } catch {
    // Nothing that was there is lost; the next turn asks again.
  }
}
