/**
 * Which pictures are looked at, and in which order: what the address says, what the API is asked, and what is left out of both.
 *
 * @typedef {import("./types.js").View} View
 */

/** @type {View} every picture, the newest first */
export const ALL = { q: "", label: "", from: "", to: "", sure: "", sort: "" };

export const FILTERS = /** @type {const} */ (["from", "to", "sure", "sort"]);

/** How sure the model was of the label, in percent: at least, at most. @type {Record<string, {least?: number, most?: number}>} */
export const SURENESS = {
  "90-100": { least: 0.9 },
  "70-100": { least: 0.7 },
  "0-70": { most: 0.7 },
  "0-50": { most: 0.5 },
};

/** @param {View} place @returns {View} */
export const viewOf = ({ q, label, from, to, sure, sort }) => ({ q, label, from, to, sure, sort });

/** Whether these are the newest first, of a label or of all: then a new picture belongs at the top. @param {View} view */
export const isPlain = ({ q, from, to, sure, sort }) => !(q || from || to || sure || sort);

/** Whether anything but the order is narrowed. @param {View} view */
export const isNarrowed = ({ q, label, from, to, sure }) => Boolean(q || label || from || to || sure);

/**
 * What finds these pictures, as parameters of the API.
 *
 * @param {View} view
 */
export function searchOf({ q, label, from, to, sure }) {
  const query = new URLSearchParams();
  if (q) query.set("q", q);
  if (label) query.set("label", label);
  if (from) setDay(query, "created_after", from, 0);
  if (to) setDay(query, "created_before", to, 1);
  const { least, most } = SURENESS[sure] ?? {};
  if (least !== undefined) query.set("min_confidence", String(least));
  if (most !== undefined) query.set("max_confidence", String(most));
  return query;
}

/** In which order the API is asked for them. @param {View} view */
export const sortOf = ({ q, sort }) => (sort === "uncertain" ? "uncertain" : q && sort !== "newest" ? "relevance" : "newest");

/**
 * The midnight, here, at which a day begins.
 *
 * @param {URLSearchParams} query
 * @param {string} name
 * @param {string} day `2026-11-26`; anything else is passed over
 * @param {number} later days
 */
function setDay(query, name, day, later) {
  const [, year, month, date] = (/^(\d{4})-(\d\d)-(\d\d)$/.exec(day) ?? []).map(Number);
  const midnight = new Date(year, month - 1, date + later);
  if (midnight.getFullYear() >= 1970) query.set(name, midnight.toISOString()); // NaN is not
}
