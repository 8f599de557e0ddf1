/** How the page says numbers, sizes, times and names: short and plain, in its language. */

import { isKey, say, speech } from "./language.js";

/** Formats are dear to make, and few. @type {Map<string, Intl.NumberFormat>} */
const made = new Map();

/** @param {number} value @param {Intl.NumberFormatOptions} [options] */
function number(value, options = {}) {
  const key = speech.locale + JSON.stringify(options);
  let format = made.get(key);
  if (!format) made.set(key, (format = new Intl.NumberFormat(speech.locale, options)));
  return format.format(value);
}

/** @param {number} confidence 0 to 1 */
export function percent(confidence) {
  if (confidence > 0 && confidence < 0.005) return "<1\u00a0%";
  if (confidence < 1 && confidence >= 0.995) return ">99\u00a0%";
  return `${Math.round(confidence * 100)}\u00a0%`;
}

/** @param {number} bytes */
export function fileSize(bytes) {
  if (bytes < 1000) return say("unit.bytes", { count: bytes });
  if (bytes < 999_500) return `${Math.round(bytes / 1000)}\u00a0kB`;
  const one = { minimumFractionDigits: 1, maximumFractionDigits: 1 };
  if (bytes < 999_500_000) return `${number(bytes / 1e6, one)}\u00a0MB`;
  return `${number(bytes / 1e9, one)}\u00a0GB`;
}

/** How long, roughly. @param {number} seconds */
export function span(seconds) {
  if (seconds < 90) return say("unit.seconds", { count: Math.round(seconds) });
  if (seconds < 5400) return say("unit.minutes", { count: Math.round(seconds / 60) });
  if (seconds < 129_600) return say("unit.hours", { count: Math.round(seconds / 3600) });
  return say("unit.days", { count: Math.round(seconds / 86_400) });
}

/** How long still, roughly, at least a second. @param {number} seconds */
export const duration = (seconds) => span(Math.max(seconds, 1));

/** @param {string} mediaType */
export const formatName = (mediaType) => mediaType.replace(/^image\/(x-)?/, "").toUpperCase();

/** @param {string} instant RFC 3339 */
export const moment = (instant) =>
  new Intl.DateTimeFormat(speech.locale, { dateStyle: "long", timeStyle: "short" }).format(new Date(instant));

/** @param {string} instant RFC 3339 */
export const clock = (instant) =>
  new Intl.DateTimeFormat(speech.locale, { timeStyle: "medium" }).format(new Date(instant));

/** @param {number} value */
export const plainNumber = (value) => number(value);

/** As models are measured: .687. @param {number} value */
export const measure = (value) =>
  number(value, { minimumFractionDigits: 3, maximumFractionDigits: 3 }).replace(/^0/, "");

/** Several names as one says them. @param {string[]} names */
export const listed = (names) => new Intl.ListFormat(speech.locale).format(names);

/** A label as people read it: `question_paper` is "question paper". @param {string} label */
export function labelName(label) {
  const key = `label.${label}`;
  return isKey(key) ? say(key) : label.replaceAll("_", " ");
}

/** Who said it. @param {{source: "model" | "person", model: string | null}} word */
export function speaker(word) {
  return word.source === "person" ? say("speaker.you") : (word.model ?? say("speaker.model")).replace("@", " ");
}

/** @param {import("./types.js").Picture} picture */
export function captionOf(picture) {
  if (picture.caption) return picture.caption.value;
  return say(picture.status === "failed" ? "caption.failed" : "caption.pending");
}

/** What stands in for the picture where it cannot be seen. @param {import("./types.js").Picture} picture */
export function altOf(picture) {
  return picture.caption ? picture.caption.value : `${captionOf(picture)}: ${picture.filename}`;
}
