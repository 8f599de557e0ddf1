/** Each service with its state, its version, and the model that it serves with what was measured of it. */

import { say } from "./language.js";
import { html } from "./view.js";
import { measure as written } from "./words.js";

const WORK = /** @type {const} */ ({
  gateway: "service.gateway",
  caption: "service.caption",
  classify: "service.classify",
  storage: "service.storage",
});
/** What is shown of a model, in this order; the API tells more. */
const MEASURES = /** @type {const} */ ([
  ["cider", "CIDEr"],
  ["bleu_4", "BLEU-4"],
  ["macro_f1", "macro-F1"],
  ["accuracy", "accuracy"],
]);

/** @param {{services: import("./types.js").ServiceStatus[]}} props */
export function Services({ services }) {
  return html`<ul class="services">
    ${services.map((service) => html`<${Service} key=${service.name} service=${service} />`)}
  </ul>`;
}

/** @param {{service: import("./types.js").ServiceStatus}} props */
function Service({ service: { name, is_ready, version, models } }) {
  const work = WORK[/** @type {keyof typeof WORK} */ (name)];
  return html`
    <li data-testid="service" data-service=${name} data-ready=${is_ready ? "true" : "false"}>
      <span class="lamp ${is_ready ? "on" : ""}" aria-hidden="true"></span>
      <span class="service-name">${name} <span class="note">${work && say(work)}</span></span>
      <span class="service-state">${stateOf(name, is_ready)}${version && html` <span class="note">${version}</span>`}</span>
      ${models.map((model) => html`<${Model} key=${model.name} model=${model} />`)}
    </li>
  `;
}

/** @param {string} name @param {boolean} isReady */
function stateOf(name, isReady) {
  if (isReady) return say("service.ready");
  return say(name === "gateway" ? "service.waits" : "service.notReady");
}

/** @param {{model: import("./types.js").ServedModel}} props */
function Model({ model: { name, version, measured } }) {
  const told = MEASURES.filter(([measure]) => measure in measured);
  return html`<p class="model note" data-testid="model">
    ${name} ${version}${told.map(([measure, title]) => ` · ${title} ${written(measured[measure])}`).join("")}
  </p>`;
}
