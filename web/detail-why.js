/** Why a label: what was measured, in words, and over the picture where the network saw what speaks for it. */

import { whatSpeaksForIt } from "./api.js";
import { say } from "./language.js";
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
    <section class="why" aria-label=${say("why.name")}>
      <${OnDemand}
        name=${say("why.name")}
        meanwhile=${say("looks.meanwhile")}
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
  const isSure = label === evidence.label;
  return html`
    <p class="why-words" data-testid="why-words">
      ${evidence.words ? `${evidence.words.charAt(0).toUpperCase()}${evidence.words.slice(1)}.` : say("why.nothing")}
    </p>
    <p class="note">
      ${say(isSure ? "why.note" : "why.unsure", {
        label: labelName(evidence.label),
        percent: percent(labels[0].confidence),
        model: `${model.name} ${model.version}`,
      })}
    </p>
  `;
}
