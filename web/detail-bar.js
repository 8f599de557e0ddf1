/** The line above an open picture: where it stands among the others, the ways left and right, to the original, and out. */

import { adjust, leavePicture } from "./address.js";
import { contentUrl } from "./api.js";
import { Icon } from "./icons.js";
import { say } from "./language.js";
import { html } from "./view.js";

/**
 * @typedef {object} BarProps
 * @property {string} place
 * @property {string | undefined} before
 * @property {string | undefined} after
 * @property {import("./types.js").Picture | undefined} picture
 * @property {() => void} onDelete
 * @param {BarProps} props
 */
export function DetailBar({ place, before, after, picture, onDelete }) {
  return html`
    <div class="detail-bar">
      <${Step} to=${before} name=${say("detail.previous")} icon="left" />
      <span class="place" data-testid="detail-place">${place}</span>
      <${Step} to=${after} name=${say("detail.next")} icon="right" />
      <span class="apart"></span>
      ${
        picture &&
        html`<a
            class="button bare"
            href=${contentUrl(picture.id)}
            target="_blank"
            rel="noopener"
            data-testid="original"
          >
            <${Icon} name="out" /><span class="button-word">${say("detail.original")}</span>
          </a>
          <button class="button bare" type="button" data-testid="delete" onClick=${onDelete}>
            <${Icon} name="bin" /><span class="button-word">${say("delete")}</span>
          </button>`
      }
      <button
        class="button bare square"
        type="button"
        aria-label=${say("close")}
        title=${say("closeEsc")}
        data-testid="detail-close"
        onClick=${leavePicture}
      >
        <${Icon} name="close" />
      </button>
    </div>
  `;
}

/** @param {{to: string | undefined, name: string, icon: "left" | "right"}} props */
function Step({ to, name, icon }) {
  // aria-disabled keeps the focus on the button at the end of the row.
  return html`
    <button
      class="button bare square"
      type="button"
      aria-label=${name}
      title=${name}
      aria-disabled=${to ? "false" : "true"}
      onClick=${() => to && adjust({ picture: to })}
    >
      <${Icon} name=${icon} />
    </button>
  `;
}
