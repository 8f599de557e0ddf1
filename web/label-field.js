/** A field for any label, also a new one, written as people write it. */

import { say } from "./language.js";
import { html, useLayoutEffect, useRef, useState } from "./view.js";
import { labelName } from "./words.js";

const LABEL = /^[a-z0-9_]{1,64}$/;

/**
 * @typedef {object} LabelFieldProps
 * @property {string} id of the list of known labels, one for each field
 * @property {string[]} known
 * @property {(label: string) => void} onChoose
 * @property {boolean} [isFocused] whether it takes the focus when it comes
 * @param {LabelFieldProps} props
 */
export function LabelField({ id, known, onChoose, isFocused = false }) {
  const [typed, setTyped] = useState("");
  const [complaint, setComplaint] = useState("");
  const field = useRef(/** @type {HTMLInputElement | null} */ (null));
  useLayoutEffect(() => {
    if (isFocused) field.current?.focus();
  }, []);

  const onSubmit = (/** @type {Event} */ event) => {
    event.preventDefault();
    const label = labelFrom(typed, known);
    if (!label) return;
    if (!LABEL.test(label)) {
      setComplaint(say("label.refused"));
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
        list=${id}
        ref=${field}
        aria-label=${say("label.other")}
        placeholder=${say("label.other")}
        autocomplete="off"
        autocapitalize="none"
        maxlength="64"
        data-testid="other-label"
        aria-invalid=${complaint ? "true" : undefined}
        value=${typed}
        onInput=${onInput}
      />
      <datalist id=${id}>${known.map((label) => html`<option value=${labelName(label)}></option>`)}</datalist>
      <button class="button" type="submit" disabled=${!typed.trim()}>${say("label.use")}</button>
      ${complaint && html`<p class="trouble" role="alert">${complaint}</p>`}
    </form>
  `;
}

/**
 * The label that is meant: a known one by its name in the page's language, else what was typed.
 *
 * @param {string} typed
 * @param {string[]} known
 */
function labelFrom(typed, known) {
  const wanted = typed.trim().toLowerCase();
  const meant = known.find((label) => labelName(label).toLowerCase() === wanted);
  return meant ?? wanted.replace(/[\s-]+/g, "_");
}
