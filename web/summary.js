/** One quiet line above the gallery: how many pictures these are, how many still wait, and the way to have them all. */

import { exportUrl } from "./api.js";
import { Icon } from "./icons.js";
import { html, useWatched } from "./view.js";
import { counted, labelName, plainNumber } from "./words.js";

/** @param {{library: import("./types.js").Library}} props */
export function Summary({ library }) {
  const { pictures, counts } = library;
  useWatched(pictures, counts);
  const pending = pictures.pending.length;
  const parts = [whatIsShown(pictures, counts)];
  if (pending > 0) parts.push(`${plainNumber(pending)} still being described`);
  const isAny = !pictures.loading && pictures.items.length + pictures.newcomers.length > 0;
  return html`<div class="summary">
    <p role="status" data-testid="summary">${parts.filter(Boolean).join(" · ") || "\u00a0"}</p>
    <span class="ways">
      <a class="download" href="status" data-testid="status-link">Status</a>
      ${isAny && html`<${Download} view=${pictures.view} />`}
    </span>
  </div>`;
}

/** @param {{view: import("./types.js").View}} props */
function Download({ view }) {
  const these = view.q || view.label ? "these pictures" : "all pictures";
  return html`<a
    class="download"
    href=${exportUrl(view)}
    download
    title=${`Download ${these} with their captions, as a ZIP`}
    aria-label=${`Download ${these} as a ZIP`}
    data-testid="download"
  >
    <${Icon} name="download" />Download
  </a>`;
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
