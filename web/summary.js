/** One quiet line above the gallery: how many pictures these are, and how many still wait for a description. */

import { html, useWatched } from "./view.js";
import { counted, labelName, plainNumber } from "./words.js";

/** @param {{library: import("./types.js").Library}} props */
export function Summary({ library }) {
  const { pictures, counts } = library;
  useWatched(pictures, counts);
  const pending = pictures.pending.length;
  const parts = [whatIsShown(pictures, counts)];
  if (pending > 0) parts.push(`${plainNumber(pending)} still being described`);
  return html`<p class="summary" role="status" data-testid="summary">
    ${parts.filter(Boolean).join(" · ") || "\u00a0"}
  </p>`;
}

/**
 * @param {import("./pictures.js").Pictures} pictures
 * @param {import("./label-counts.js").LabelCounts} counts
 */
function whatIsShown({ items, hasMore, loading, view }, counts) {
  if (loading) return "";
  const labelled = view.label ? ` labelled ${labelName(view.label)}` : "";
  if (view.q) {
    const found = hasMore ? `More than ${counted(items.length, "picture")}` : counted(items.length, "picture");
    return `${found}${labelled} with “${view.q}”`;
  }
  if (!hasMore) return `${counted(items.length, "picture")}${labelled}`;
  return counts.known ? `${counted(view.label ? counts.of(view.label) : counts.total, "picture")}${labelled}` : "";
}
