/**
 * The only place that knows the gateway's addresses.
 *
 * Every failure becomes a `Problem` whose message can be shown as it is.
 *
 * @typedef {import("./types.js").Picture} Picture
 */

const API = new URL("api/v1/", document.baseURI).href;
const PAGE_SIZE = 60;

/** The event by which the page learns that it needs a key, or another one. */
export const LOCKED = "legenda-locked";

export const UPLOAD_URL = `${API}images`;

/** A request that failed, in words for people. */
export class Problem extends Error {
  /**
   * @param {number} status HTTP status, 0 when nothing answered
   * @param {string} detail
   * @param {number} [retryAfterS] when the server asks to come back
   */
  constructor(status, detail, retryAfterS) {
    super(sentence(detail));
    this.status = status;
    this.retryAfterS = retryAfterS;
  }
}

/** @param {string} id */
export const previewUrl = (id) => `${API}images/${encodeURIComponent(id)}/preview`;

/** @param {string} id */
export const contentUrl = (id) => `${API}images/${encodeURIComponent(id)}/content`;

/**
 * @param {import("./types.js").View} view
 * @param {string | null} cursor
 * @param {AbortSignal} signal
 * @returns {Promise<import("./types.js").PicturePage>}
 */
export function listPictures(view, cursor, signal) {
  const query = new URLSearchParams({ limit: String(PAGE_SIZE) });
  if (view.q) query.set("q", view.q);
  if (view.q) query.set("sort", "relevance");
  if (view.label) query.set("label", view.label);
  if (cursor) query.set("cursor", cursor);
  return ask(`images?${query}`, { signal });
}

/**
 * Where the pictures of a view can be had as one ZIP.
 *
 * @param {import("./types.js").View} view
 */
export function exportUrl({ q, label }) {
  const query = new URLSearchParams();
  if (label) query.set("label", label);
  if (q) query.set("q", q);
  return query.size ? `${API}export?${query}` : `${API}export`;
}

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

/** Where a batch is sent to; its id is chosen here, so that it can be watched meanwhile. @param {string} id */
export const sendBatchUrl = (id) => `${API}batches?id=${id}`;

/** @param {string} id */
export const batchEventsUrl = (id) => `${API}batches/${id}/events`;

/** @returns {Promise<{items: import("./types.js").Batch[]}>} the newest first */
export const listBatches = () => ask("batches");

/** @param {string} id @returns {Promise<import("./types.js").Batch>} */
export const getBatch = (id) => ask(`batches/${id}`);

/** @param {string} id @returns {Promise<import("./types.js").Batch>} */
export const cancelBatch = (id) => ask(`batches/${id}`, { method: "DELETE" });

/** @returns {Promise<import("./types.js").PlatformStatus>} */
export const tellStatus = () => ask("status");

/** @returns {Promise<import("./types.js").SessionAnswer>} */
export const whoIsThere = () => ask("session");

/**
 * Have the browser keep a key, in a cookie.
 *
 * @param {string} key
 * @returns {Promise<import("./types.js").SessionAnswer>}
 */
export const logIn = (key) =>
  ask("session", {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ key }),
  });

/** @returns {Promise<void>} */
export const logOut = () => ask("session", { method: "DELETE" });

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

/**
 * Read a failed answer.
 *
 * @param {number} status
 * @param {string} body
 * @param {string | null} retryAfter the header
 */
export function problemFrom(status, body, retryAfter) {
  let detail = `The server answered ${status}; try again in a moment`;
  try {
    detail = JSON.parse(body).detail || detail;
  } catch {
    // Not problem+json: something between us and the gateway answered.
  }
  if (status === 401) dispatchEvent(new Event(LOCKED));
  return new Problem(status, detail, Number(retryAfter) || undefined);
}

export const unreachable = () => new Problem(0, "Legenda does not answer; is it still running?");

/**
 * @param {string} path
 * @param {RequestInit} [init]
 * @returns {Promise<any>}
 */
async function ask(path, init) {
  let response;
  try {
    response = await fetch(API + path, init);
  } catch (error) {
    if (init?.signal?.aborted) throw error;
    throw unreachable();
  }
  if (!response.ok) throw problemFrom(response.status, await response.text(), response.headers.get("Retry-After"));
  return response.status === 204 ? undefined : response.json();
}

/** @param {string} detail */
function sentence(detail) {
  const text = detail.charAt(0).toUpperCase() + detail.slice(1);
  return /[.!?]$/.test(text) ? text : `${text}.`;
}
