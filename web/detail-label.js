/** The label, how sure the model was of every one, and the correction: click another, or write a new one. */

import { useCorrection } from "./correction.js";
import { DetailWhy } from "./detail-why.js";
import { hueOf } from "./label-hue.js";
import { LabelName } from "./labels.js";
import { html, useState } from "./view.js";
import { labelName, percent, speaker } from "./words.js";

const LABEL = /^[a-z0-9_]{1,64}$/;

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
    <section class="said" aria-label="Label">
      <p class="current-label">
        <${LabelName} label=${label.value} testid="detail-label" />
        ${label.confidence !== null && html`<span class="number">${percent(label.confidence)}</span>`}
      </p>
      <p class="note" data-testid="detail-label-source">${whoSaidIt(picture)}</p>
      ${labels.length > 0 && html`<${DetailWhy} picture=${picture} onLook=${onLook} />`}
      ${failure && html`<p class="trouble" role="alert">The label was not saved. ${failure}</p>`}
      ${
        labels.length > 0 &&
        html`<ul class="bars" aria-label="Labels to choose from">
          ${labels.map(
            (one) =>
              html`<${Bar} key=${one.value} one=${one} isCurrent=${one.value === label.value} onChoose=${choose} />`,
          )}
        </ul>`
      }
      <${OtherLabel} known=${counts.items.map((item) => item.label)} onChoose=${choose} />
    </section>
  `;
}

/** @param {import("./types.js").Picture} picture */
function whoSaidIt({ label, status }) {
  if (label.source === "person") return "said by you";
  if (status === "pending") return "will be sorted later";
  if (label.value !== "unclassified") return `said by ${speaker(label)}`;
  return `${speaker(label)} was not sure enough; choose one`;
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
        title=${isCurrent ? undefined : `Label it ${labelName(one.value)}`}
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

/** @param {{known: string[], onChoose: (label: string) => void}} props */
function OtherLabel({ known, onChoose }) {
  const [typed, setTyped] = useState("");
  const [complaint, setComplaint] = useState("");

  const onSubmit = (/** @type {Event} */ event) => {
    event.preventDefault();
    const label = typed
      .trim()
      .toLowerCase()
      .replace(/[\s-]+/g, "_");
    if (!label) return;
    if (!LABEL.test(label)) {
      setComplaint("A label has only letters a to z, digits and spaces, 64 at most.");
      return;
    }
    setTyped("");
    onChoose(label);
  };
  const onInput = (/** @type {Event} */ event) => {
    setTyped(/** @type {HTMLInputElement} */ (event.target).value);
    setComplaint("");
  };
  return html`
    <form class="other-label" onSubmit=${onSubmit}>
      <input
        type="text"
        list="known-labels"
        aria-label="Another label"
        placeholder="Another label"
        autocomplete="off"
        autocapitalize="none"
        maxlength="64"
        data-testid="other-label"
        aria-invalid=${complaint ? "true" : undefined}
        value=${typed}
        onInput=${onInput}
      />
      <datalist id="known-labels">${known.map((label) => html`<option value=${label}></option>`)}</datalist>
      <button class="button" type="submit" disabled=${!typed.trim()}>Use it</button>
      ${complaint && html`<p class="trouble" role="alert">${complaint}</p>`}
    </form>
  `;
}
