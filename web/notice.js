/** A short word at the foot of the page after a deletion, with the way back. */

import { say } from "./language.js";
import { html, useWatched } from "./view.js";

/** @param {{deletions: import("./deletions.js").Deletions}} props */
export function Notice({ deletions }) {
  useWatched(deletions);
  const { waiting, failure } = deletions;
  const count = waiting.length;
  return html`
    <div class="notice-place" role="status">
      ${
        count > 0 &&
        html`<p class="notice" data-testid="notice">
          ${say("delete.done", { count })}
          <button class="button bare" type="button" onClick=${() => deletions.undo()}>${say("delete.undo")}</button>
        </p>`
      }
      ${count === 0 && failure && html`<p class="notice trouble">${failure}</p>`}
    </div>
  `;
}
