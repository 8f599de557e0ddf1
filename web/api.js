/**
 * The gateway's addresses for pictures; those for batches, keys and its state stand in `api-*.js`, and no others.
 *
 * @typedef {import("./types.js").Picture} Picture
 */

import { API, ask } from "./ask.js";
import { searchOf, sortOf } from "./views.js";

const PAGE_SIZE = 60;
const LARGEST_PAGE = 200;
/** As many pictures come together where somebody looks. */
export const STRETCH = 100;

export const UPLOAD_URL = `${API}images`;

/** @param {string} id */
export const previewUrl = (id) => `${API}images/${encodeURIComponent(id)}/preview`;

/** @param {string} id */
export const contentUrl = (id) => `${API}images/${encodeURIComponent(id)}/content`;

/**
 * @param {import("./types.js").View} view
 * @param {string | null} cursor
 * @param {AbortSignal} signal
 * @param {number} [limit]
 * @returns {Promise<import("./types.js").PicturePage>}
 */
export const listPictures = (view, cursor, signal, limit = PAGE_SIZE) =>
  ask(`images?${inOrder(view, cursor, { limit })}`, { signal });

/**
 * The first of a view; a search may end a page before it has found anything, and go on behind it.
 *
 * @param {import("./types.js").View} view
 * @param {AbortSignal} signal
 */
export async function firstPage(view, signal) {
  let page = await listPictures(view, null, signal);
  while (page.items.length === 0 && page.next_cursor) page = await listPictures(view, page.next_cursor, signal);
  return page;
}

/**
 * The pictures behind a cursor, as many as an outline has told.
 *
 * @param {import("./types.js").View} view
 * @param {string | null} cursor
 * @param {number} count
 * @param {AbortSignal} signal
 * @returns {Promise<Picture[]>}
 */
export async function listStretch(view, cursor, count, signal) {
  /** @type {Picture[]} */
  const items = [];
  for (;;) {
    const page = await listPictures(view, cursor, signal, Math.min(count - items.length, LARGEST_PAGE));
    items.push(...page.items);
    cursor = page.next_cursor;
    if (items.length >= count || cursor === null) return items; // a page may be short, and yet have a next one
  }
}

/**
 * The shapes of all pictures behind a cursor, thousands at a time.
 *
 * @param {import("./types.js").View} view
 * @param {string} cursor
 * @param {AbortSignal} signal
 * @returns {Promise<{shapes: number[], cursors: (string | null)[], next_cursor: string | null}>}
 */
export const outlinePictures = (view, cursor, signal) =>
  ask(`images/outline?${inOrder(view, cursor, { step: STRETCH })}`, { signal });

/** @param {import("./types.js").View} view @param {string | null} cursor @param {Record<string, number>} more */
function inOrder(view, cursor, more) {
  const query = searchOf(view);
  query.set("sort", sortOf(view));
  if (cursor) query.set("cursor", cursor);
  for (const [name, value] of Object.entries(more)) query.set(name, String(value));
  return query;
}

/**
 * Where the pictures of a view can be had as one ZIP.
 *
 * @param {import("./types.js").View} view
 */
export function exportUrl(view) {
  const query = searchOf(view);
  return query.size ? `${API}export?${query}` : `${API}export`;
}

/** Where chosen pictures can be had as one ZIP. @param {string[]} ids */
export const exportChosenUrl = (ids) => `${API}export?${new URLSearchParams(ids.map((id) => ["id", id]))}`;

/**
 * Have the present models look at pictures again.
 *
 * @param {string[]} ids
 * @returns {Promise<{images: number}>}
 */
export const describeAgain = (ids) =>
  ask("reruns", {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ ids }),
  });

/**
 * Everything ever said of a picture, the newest first.
 *
 * @param {string} id
 * @returns {Promise<{items: import("./types.js").HistoryEntry[]}>}
 */
export const tellHistory = (id) => ask(`images/${encodeURIComponent(id)}/history`);

/** @returns {Promise<import("./types.js").PicturePage>} */
export const listPending = () => ask("images?status=pending&limit=200");

/**
 * What the model was not sure of, the least sure first.
 *
 * @param {string | null} cursor
 * @returns {Promise<import("./types.js").PicturePage>}
 */
export function listToReview(cursor) {
  const query = new URLSearchParams({ label: "unclassified", status: "complete", sort: "uncertain", limit: "60" });
  if (cursor) query.set("cursor", cursor);
  return ask(`images?${query}`);
}

/** @param {string} id @returns {Promise<Picture>} */
export const getPicture = (id) => ask(`images/${encodeURIComponent(id)}`);

/**
 * Where the present model looks, word by word; it is computed when it is asked for.
 *
 * @param {string} id
 * @returns {Promise<import("./types.js").ImageAttention>}
 */
export const whereItLooks = (id) => ask(`images/${encodeURIComponent(id)}/attention`);

/**
 * What speaks for the label that the present model gives; it is computed when it is asked for.
 *
 * @param {string} id
 * @returns {Promise<import("./types.js").ImageExplanation>}
 */
export const whatSpeaksForIt = (id) => ask(`images/${encodeURIComponent(id)}/explanation`);

/**
 * Pictures that look like one, nearest first.
 *
 * @param {string} id
 * @param {number} limit
 * @param {AbortSignal} signal
 * @returns {Promise<import("./types.js").SimilarPictures>}
 */
export const listSimilar = (id, limit, signal) =>
  ask(`images/${encodeURIComponent(id)}/similar?limit=${limit}`, { signal });

/** @returns {Promise<import("./types.js").LabelCount[]>} */
export const countLabels = () => ask("labels");

/**
 * @param {string} id
 * @param {import("./types.js").Correction} correction
 * @returns {Promise<Picture>}
 */
export function correctPicture(id, correction) {
  const headers = { "Content-Type": "application/json" };
  // keepalive: what was said must arrive even when the tab is being closed.
  const init = { method: "PATCH", headers, body: JSON.stringify(correction), keepalive: true };
  return ask(`images/${encodeURIComponent(id)}`, init);
}

/** @param {string} id @returns {Promise<void>} */
export function deletePicture(id) {
  // keepalive: the wish must arrive even when the tab is being closed.
  return ask(`images/${encodeURIComponent(id)}`, { method: "DELETE", keepalive: true });
}

