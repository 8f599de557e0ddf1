/** Who said what of a picture, and when: every caption and label that a model or a person ever gave it. */

import { tellHistory } from "./api.js";
import { settled } from "./correction.js";
import { say } from "./language.js";
import { OnDemand } from "./on-demand.js";
import { html } from "./view.js";
import { labelName, moment, percent, speaker } from "./words.js";

/** @typedef {import("./types.js").HistoryEntry} HistoryEntry */

/** @param {{picture: import("./types.js").Picture}} props */
export function DetailHistory({ picture }) {
  return html`
    <section class="history" aria-label=${say("history.name")}>
      <${OnDemand}
        name=${say("history.name")}
        meanwhile=${say("history.meanwhile")}
        testid="history"
        ask=${() => settled(picture.id).then(() => tellHistory(picture.id))}
        draw=${(/** @type {{items: HistoryEntry[]}} */ { items }) =>
          html`<ol class="history-entries" data-testid="history-entries">
            ${items.map((entry, at) => html`<${Entry} key=${at} entry=${entry} />`)}
          </ol>`}
        onClose=${() => {}}
      />
    </section>
  `;
}

/** @param {{entry: HistoryEntry}} props */
function Entry({ entry }) {
  const { kind, value, confidence, created_at, is_current } = entry;
  const said = kind === "label" ? labelName(value) : value;
  const sure = confidence === null ? "" : ` · ${percent(confidence)}`;
  return html`
    <li class=${is_current ? "current" : ""} data-kind=${kind} data-current=${is_current ? "true" : "false"}>
      <span class=${kind === "caption" ? "caption" : ""}>${said}</span>
      <span class="note">
        ${say(kind === "label" ? "history.label" : "history.caption", { who: speaker(entry) })}${sure} ·${" "}
        <time datetime=${created_at}>${moment(created_at)}</time>${is_current && ` · ${say("history.current")}`}
      </span>
    </li>
  `;
}
