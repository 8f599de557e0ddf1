/** A short word at the foot of the page after a deletion, with the way back. */

import { html, useWatched } from "./view.js";

/** @param {{deletions: import("./deletions.js").Deletions}} props */
export function Notice({ deletions }) {
  useWatched(deletions);
  const { waiting, failure } = deletions;
  return html`
    <div class="notice-place" role="status">
      ${
        waiting &&
        html`<p class="notice" data-testid="notice">
          Picture deleted.
          <button class="button bare" type="button" onClick=${() => deletions.undo()}>Undo</button>
        </p>`
      }
      ${!waiting && failure && html`<p class="notice trouble">${failure}</p>`}
    </div>
  `;
}
