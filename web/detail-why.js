/** Why a label: what was measured, in words, and over the picture where the network saw what speaks for it. */

import { whatSpeaksForIt } from "./api.js";
import { OnDemand } from "./on-demand.js";
import { html, useEffect } from "./view.js";
import { labelName, percent } from "./words.js";

/**
 * @typedef {object} WhyProps
 * @property {import("./types.js").Picture} picture
 * @property {(weights: number[][] | null) => void} onLook
 * @param {WhyProps} props
 */
export function DetailWhy({ picture, onLook }) {
  useEffect(() => () => onLook(null), []);
  const ask = async () => {
    const explanation = await whatSpeaksForIt(picture.id);
    onLook(explanation.evidence.map);
    return explanation;
  };
  return html`
    <section class="why" aria-label="Why this label">
      <${OnDemand}
        name="Why this label"
        meanwhile="Looking again …"
        testid="why-this-label"
        ask=${ask}
        draw=${(/** @type {import("./types.js").ImageExplanation} */ answer) =>
          html`<${Evidence} explanation=${answer} />`}
        onClose=${() => onLook(null)}
      />
    </section>
  `;
}

/** @param {{explanation: import("./types.js").ImageExplanation}} props */
function Evidence({ explanation: { label, labels, evidence, model } }) {
  const sure = label === evidence.label ? "" : ", which is not sure enough to be given";
  return html`
    <p class="why-words" data-testid="why-words">
      ${evidence.words ? `${evidence.words.charAt(0).toUpperCase()}${evidence.words.slice(1)}.` : "Nothing measured stands out; it is what the network saw."}
    </p>
    <p class="note">
      This speaks for ${labelName(evidence.label)} (${percent(labels[0].confidence)}${sure}), as ${model.name}
      ${model.version} sees it now. The picture is bright where the network saw most of it.
    </p>
  `;
}
