/** One picture on the wall; its caption shows when it is pointed at, or stands below it on a phone. */

import { followLink, go, hrefOf } from "./address.js";
import { previewUrl } from "./api.js";
import { LabelName } from "./labels.js";
import { say } from "./language.js";
import { Marked } from "./marked-words.js";
import { html } from "./view.js";
import { altOf, captionOf } from "./words.js";

/**
 * @typedef {object} TileProps
 * @property {import("./types.js").Picture} picture
 * @property {number} at its place among all
 * @property {number} of how many there are
 * @property {import("./rows.js").Spot} spot
 * @property {import("./types.js").Place} place
 * @property {import("./selection.js").Selection} selection
 * @property {boolean} isChosen
 * @property {boolean} isStop whether Tab stops here
 * @param {TileProps} props
 */
export function PictureTile({ picture, at, of, spot, place, selection, isChosen, isStop }) {
  const choose = (/** @type {MouseEvent} */ event) => {
    event.preventDefault();
    if (event.shiftKey) void selection.extendTo(at, say("selection.tooMany"));
    else selection.toggle(picture);
  };
  const open = (/** @type {MouseEvent} */ event) => {
    if (event.shiftKey || event.ctrlKey || event.metaKey || selection.size > 0) choose(event);
    else followLink(event, () => go({ picture: picture.id }));
  };
  const { left, top, width, height } = spot;
  return html`
    <li
      class="tile ${isChosen ? "chosen" : ""}"
      style=${{ left: `${left}px`, top: `${top}px`, width: `${width}px` }}
      data-at=${at}
      aria-posinset=${at + 1}
      aria-setsize=${of}
    >
      <a
        href=${hrefOf({ ...place, picture: picture.id })}
        tabindex=${isStop ? 0 : -1}
        aria-keyshortcuts="Space"
        data-testid="picture"
        data-picture=${picture.id}
        data-status=${picture.status}
        onClick=${open}
      >
        <img
          src=${previewUrl(picture.id)}
          alt=${altOf(picture)}
          width=${width}
          height=${height}
          decoding="async"
          draggable="false"
          style=${{ height: `${height}px` }}
        />
        <span class="line" aria-hidden="true">
          <span class="line-caption ${picture.caption ? "" : "missing"}">
            <${Marked} text=${captionOf(picture)} q=${picture.caption ? place.q : ""} />
          </span>
          <${LabelName} label=${picture.label.value} />
        </span>
      </a>
      <button
        class="pick"
        type="button"
        tabindex="-1"
        aria-label=${say("selection.choose", { what: altOf(picture) })}
        aria-pressed=${isChosen ? "true" : "false"}
        data-testid="pick"
        onClick=${choose}
      ></button>
    </li>
  `;
}
