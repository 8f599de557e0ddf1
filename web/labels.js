/** The line of labels with their counts; one of them can be chosen. */

import { followLink, go, hrefOf } from "./address.js";
import { hueOf } from "./label-hue.js";
import { say } from "./language.js";
import { html, useEffect, useRef, useWatched } from "./view.js";
import { ALL } from "./views.js";
import { labelName, plainNumber } from "./words.js";

const UNCLASSIFIED = "unclassified"; // not a label like the others, so it comes last

/** @param {{counts: import("./label-counts.js").LabelCounts, place: import("./types.js").Place}} props */
export function Labels({ counts, place }) {
  const chosen = place.label;
  useWatched(counts);
  const line = useRef(/** @type {HTMLElement | null} */ (null));
  useEffect(() => {
    line.current?.querySelector("[aria-current]")?.scrollIntoView({ block: "nearest", inline: "nearest" });
  }, [chosen]);

  const isShown = counts.known || chosen;
  const shown = counts.items.filter(({ label, count }) => count > 0 || label === chosen);
  shown.sort((one, other) => Number(one.label === UNCLASSIFIED) - Number(other.label === UNCLASSIFIED));
  if (chosen && !shown.some(({ label }) => label === chosen)) shown.push({ label: chosen, count: 0 });
  return html`
    <nav class="labels" aria-label=${say("labels.name")} ref=${line}>
      <ul>
        ${isShown && html`<${Chip} label="" count=${counts.total} chosen=${chosen === ""} place=${place} />`}
        ${shown.map(
          ({ label, count }) =>
            html`<${Chip} key=${label} label=${label} count=${count} chosen=${chosen === label} place=${place} />`,
        )}
        ${counts.of(UNCLASSIFIED) > 0 && html`<${ReviewChip} />`}
      </ul>
    </nav>
  `;
}

/** @param {{label: string, count: number, chosen: boolean, place: import("./types.js").Place}} props */
function Chip({ label, count, chosen, place }) {
  const choose = (/** @type {MouseEvent} */ event) =>
    followLink(event, () => {
      if (!chosen) go({ label });
      scrollTo(0, 0);
    });
  return html`
    <li>
      <a
        class="chip"
        href=${hrefOf({ ...place, label, picture: "", room: "" })}
        aria-current=${chosen ? "true" : undefined}
        data-testid="label-chip"
        data-label=${label}
        data-hue=${hueOf(label)}
        onClick=${choose}
      >
        ${label && html`<span class="dot"></span>`}${label ? labelName(label) : say("labels.all")}
        <span class="count">${plainNumber(count)}</span>
      </a>
    </li>
  `;
}

function ReviewChip() {
  const open = (/** @type {MouseEvent} */ event) => followLink(event, () => go({ room: "review" }));
  const href = hrefOf({ ...ALL, picture: "", room: "review" });
  return html`<li><a class="chip" href=${href} data-testid="review-chip" onClick=${open}>${say("review.chip")}</a></li>`;
}

/**
 * A label's name with its dot of colour.
 *
 * @param {{label: string, testid?: string}} props
 */
export function LabelName({ label, testid }) {
  return html`
    <span class="label-name" data-hue=${hueOf(label)} data-label=${label}>
      <span class="dot"></span><span data-testid=${testid}>${labelName(label)}</span>
    </span>
  `;
}
