/** How the page says numbers, sizes, times and names: short and plain. */

const number = new Intl.NumberFormat("en");
const date = new Intl.DateTimeFormat("en-GB", { dateStyle: "long", timeStyle: "short" });

/** @param {number} count @param {string} one @param {string} [many] */
export function counted(count, one, many = `${one}s`) {
  return `${number.format(count)} ${count === 1 ? one : many}`;
}

/** @param {number} confidence 0 to 1 */
export function percent(confidence) {
  if (confidence > 0 && confidence < 0.005) return "<1\u00a0%";
  if (confidence < 1 && confidence >= 0.995) return ">99\u00a0%";
  return `${Math.round(confidence * 100)}\u00a0%`;
}

/** @param {number} bytes */
export function fileSize(bytes) {
  if (bytes < 1000) return counted(bytes, "byte");
  if (bytes < 999_500) return `${Math.round(bytes / 1000)}\u00a0kB`;
  if (bytes < 999_500_000) return `${(bytes / 1e6).toFixed(1)}\u00a0MB`;
  return `${(bytes / 1e9).toFixed(1)}\u00a0GB`;
}

/** How long ago, roughly. @param {number} seconds */
export function span(seconds) {
  if (seconds < 90) return counted(Math.round(seconds), "second");
  if (seconds < 5400) return counted(Math.round(seconds / 60), "minute");
  if (seconds < 129_600) return counted(Math.round(seconds / 3600), "hour");
  return counted(Math.round(seconds / 86_400), "day");
}

/** @param {number} seconds */
export function duration(seconds) {
  if (seconds < 90) return counted(Math.max(Math.round(seconds), 1), "second");
  if (seconds < 90 * 60) return counted(Math.round(seconds / 60), "minute");
  return counted(Math.round(seconds / 3600), "hour");
}

/** @param {string} mediaType */
export const formatName = (mediaType) => mediaType.replace(/^image\/(x-)?/, "").toUpperCase();

/** @param {string} instant RFC 3339 */
export const moment = (instant) => date.format(new Date(instant));

/** @param {number} value */
export const plainNumber = (value) => number.format(value);

/** A label as people read it: `question_paper` is "question paper". @param {string} label */
export const labelName = (label) => label.replaceAll("_", " ");

/** Who said it. @param {import("./types.js").Word} word */
export function speaker(word) {
  return word.source === "person" ? "you" : (word.model ?? "the model").replace("@", " ");
}

/** @param {import("./types.js").Picture} picture */
export function captionOf(picture) {
  if (picture.caption) return picture.caption.value;
  return picture.status === "failed" ? "Could not be described" : "Not described yet";
}

/** What stands in for the picture where it cannot be seen. @param {import("./types.js").Picture} picture */
export function altOf(picture) {
  return picture.caption ? picture.caption.value : `${captionOf(picture)}: ${picture.filename}`;
}
