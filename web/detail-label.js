/** The label, how sure the model was of every one, and the correction: click another, or write a new one. */

import { useCorrection } from "./correction.js";
import { DetailWhy } from "./detail-why.js";
import { hueOf } from "./label-hue.js";
import { LabelField } from "./label-field.js";
import { LabelName } from "./labels.js";
import { say } from "./language.js";
import { html } from "./view.js";
import { labelName, percent, speaker } from "./words.js";

/**
 * @typedef {object} LabelProps
 * @property {import("./types.js").Picture} picture
 * @property {import("./types.js").Library} library
 * @property {(weights: number[][] | null) => void} onLook
 * @param {LabelProps} props
 */
export function DetailLabel({ picture, library, onLook }) {
  const { pictures, counts } = library;
  const { failure, correct } = useCorrection(picture, pictures);
  const { label, labels } = picture;

  const choose = async (/** @type {string} */ value) => {
    if (value === label.value && label.source === "person") return;
    if (await correct({ label: value })) counts.recount();
  };
  return html`
    <section class="said" aria-label=${say("label.name")}>
      <p class="current-label">
        <${LabelName} label=${label.value} testid="detail-label" />
        ${label.confidence !== null && html`<span class="number">${percent(label.confidence)}</span>`}
      </p>
      <p class="note" data-testid="detail-label-source">${whoSaidIt(picture)}</p>
      ${labels.length > 0 && html`<${DetailWhy} picture=${picture} onLook=${onLook} />`}
      ${failure && html`<p class="trouble" role="alert">${say("label.notSaved")} ${failure}</p>`}
      ${
        labels.length > 0 &&
        html`<ul class="bars" aria-label=${say("label.choices")}>
          ${labels.map(
            (one) =>
              html`<${Bar} key=${one.value} one=${one} isCurrent=${one.value === label.value} onChoose=${choose} />`,
          )}
        </ul>`
      }
      <${LabelField} id="known-labels" known=${counts.items.map((item) => item.label)} onChoose=${choose} />
    </section>
  `;
}

/** @param {import("./types.js").Picture} picture */
function whoSaidIt({ label, status }) {
  if (label.source === "person") return say("saidBy", { who: say("speaker.you") });
  if (status === "pending") return say("label.later");
  if (label.value !== "unclassified") return say("saidBy", { who: speaker(label) });
  return say("label.unsure", { who: speaker(label) });
}

/**
 * @typedef {object} BarProps
 * @property {import("./types.js").Alternative} one
 * @property {boolean} isCurrent
 * @property {(label: string) => void} onChoose
 * @param {BarProps} props
 */
function Bar({ one, isCurrent, onChoose }) {
  return html`
    <li>
      <button
        type="button"
        aria-pressed=${isCurrent ? "true" : "false"}
        title=${isCurrent ? undefined : say("label.give", { label: labelName(one.value) })}
        data-testid="label-choice"
        data-label=${one.value}
        data-hue=${hueOf(one.value)}
        style=${{ "--part": one.confidence }}
        onClick=${() => onChoose(one.value)}
      >
        <span class="bar-name">${labelName(one.value)}</span>
        <span class="bar-line"></span>
        <span class="number">${percent(one.confidence)}</span>
      </button>
    </li>
  `;
}
