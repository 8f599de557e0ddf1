/** Narrowing and ordering: days, how sure the model was, and what comes first. All of it stands in the address. */

import { go } from "./address.js";
import { say } from "./language.js";
import { html } from "./view.js";
import { FILTERS, SURENESS } from "./views.js";

const NONE = { from: "", to: "", sure: "", sort: "" };

/** @param {import("./types.js").View} view */
export const howManyFilters = (view) => FILTERS.filter((name) => view[name]).length;

/** @param {{place: import("./types.js").Place}} props */
export function Filters({ place }) {
  const set = (/** @type {keyof typeof NONE} */ name) => (/** @type {Event} */ event) => {
    const { value } = /** @type {HTMLInputElement | HTMLSelectElement} */ (event.target);
    if (value !== place[name]) go({ [name]: value });
  };
  const sorts = place.q ? ["", "newest", "uncertain"] : ["", "uncertain"];
  return html`
    <form class="filters" aria-label=${say("filter.name")} data-testid="filters" onSubmit=${(/** @type {Event} */ event) => event.preventDefault()}>
      <label>
        <span>${say("filter.from")}</span>
        <input type="date" name="from" min="1970-01-01" max=${place.to || "2999-12-31"} value=${place.from} onChange=${set("from")} />
      </label>
      <label>
        <span>${say("filter.to")}</span>
        <input type="date" name="to" min=${place.from || "1970-01-01"} max="2999-12-30" value=${place.to} onChange=${set("to")} />
      </label>
      <label>
        <span>${say("filter.sure")}</span>
        <select name="sure" onChange=${set("sure")}>
          ${["", ...Object.keys(SURENESS)].map(
            (value) => html`<option value=${value} selected=${value === place.sure}>${surenessName(value)}</option>`,
          )}
        </select>
      </label>
      <label>
        <span>${say("filter.sort")}</span>
        <select name="sort" onChange=${set("sort")}>
          ${sorts.map(
            (value) => html`<option value=${value} selected=${value === place.sort}>${sortName(value, place.q)}</option>`,
          )}
        </select>
      </label>
      ${
        howManyFilters(place) > 0 &&
        html`<button class="button bare" type="button" data-testid="filters-clear" onClick=${() => go(NONE)}>
          ${say("filter.clear")}
        </button>`
      }
    </form>
  `;
}

/** @param {string} value */
function surenessName(value) {
  const { least, most } = SURENESS[value] ?? {};
  if (least) return say("filter.atLeast", { percent: least * 100 });
  return most ? say("filter.atMost", { percent: most * 100 }) : say("filter.any");
}

/** @param {string} value @param {string} q */
function sortName(value, q) {
  if (value === "uncertain") return say("filter.uncertain");
  return say(q && !value ? "filter.relevance" : "filter.newest");
}
