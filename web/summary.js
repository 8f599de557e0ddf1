/** One quiet line above the gallery: how many pictures these are, how many still wait, and the ways to narrow and have them. */

import { exportUrl } from "./api.js";
import { Filters, howManyFilters } from "./filters.js";
import { Icon } from "./icons.js";
import { say } from "./language.js";
import { html, useState, useWatched } from "./view.js";
import { isNarrowed, isPlain } from "./views.js";
import { labelName } from "./words.js";

/** @param {{library: import("./types.js").Library, place: import("./types.js").Place}} props */
export function Summary({ library, place }) {
  const { pictures, counts } = library;
  useWatched(pictures, counts);
  const filters = howManyFilters(place);
  const [isOpen, setIsOpen] = useState(filters > 0);
  const pending = pictures.pending.length;
  const parts = [whatIsShown(pictures, counts)];
  if (pending > 0) parts.push(say("summary.pending", { count: pending }));
  const isAny = !pictures.loading && pictures.count + pictures.newcomers.length > 0;
  return html`<div class="summary">
      <p role="status" data-testid="summary">${parts.filter(Boolean).join(" · ") || "\u00a0"}</p>
      <span class="ways">
        <button
          class="download"
          type="button"
          aria-expanded=${isOpen ? "true" : "false"}
          data-testid="filter-toggle"
          onClick=${() => setIsOpen(!isOpen)}
        >
          <${Icon} name="filter" />${filters ? say("filter.some", { count: filters }) : say("filter.name")}
        </button>
        <a class="download" href="status" data-testid="status-link">${say("status.name")}</a>
        ${isAny && html`<${Download} view=${pictures.view} />`}
      </span>
    </div>
    ${isOpen && html`<${Filters} place=${place} />`}`;
}

/** @param {{view: import("./types.js").View}} props */
function Download({ view }) {
  const what = say(isNarrowed(view) ? "download.these" : "download.all");
  return html`<a class="download" href=${exportUrl(view)} download title=${what} aria-label=${what} data-testid="download">
    <${Icon} name="download" /><span class="way-word">${say("download")}</span>
  </a>`;
}

/**
 * @param {import("./pictures.js").Pictures} pictures
 * @param {import("./label-counts.js").LabelCounts} counts
 */
function whatIsShown({ count: laid, isOutlined, loading, view }, counts) {
  if (loading) return "";
  const { q, label } = view;
  const counted = isPlain(view) && counts.known ? (label ? counts.of(label) : counts.total) : undefined;
  const count = isOutlined ? laid : counted;
  if (count === undefined) return say("summary.moreThan", { count: laid });
  const name = labelName(label);
  if (label && q) return say("summary.labelledFound", { count, label: name, q });
  if (label) return say("summary.labelled", { count, label: name });
  return q ? say("summary.found", { count, q }) : say("pictures", { count });
}
