/** One picture on the wall; its caption shows when it is pointed at, or stands below it on a phone. */

import { followLink, go, hrefOf } from "./address.js";
import { previewUrl } from "./api.js";
import { LabelName } from "./labels.js";
import { html, useState } from "./view.js";
import { altOf, captionOf } from "./words.js";

/**
 * @typedef {object} TileProps
 * @property {import("./types.js").Picture} picture
 * @property {import("./rows.js").Spot} spot
 * @property {import("./types.js").Place} place
 * @param {TileProps} props
 */
export function PictureTile({ picture, spot, place }) {
  const [isThere, setIsThere] = useState(false);
  const open = (/** @type {MouseEvent} */ event) => followLink(event, () => go({ picture: picture.id }));
  const { left, top, width, height } = spot;
  return html`
    <li class="tile" style=${{ left: `${left}px`, top: `${top}px`, width: `${width}px` }}>
      <a
        href=${hrefOf({ ...place, picture: picture.id })}
        data-testid="picture"
        data-picture=${picture.id}
        data-status=${picture.status}
        onClick=${open}
      >
        <img
          class=${isThere ? "there" : ""}
          src=${previewUrl(picture.id)}
          alt=${altOf(picture)}
          width=${width}
          height=${height}
          loading="lazy"
          decoding="async"
          onLoad=${() => setIsThere(true)}
          style=${{ height: `${height}px` }}
        />
        <span class="line" aria-hidden="true">
          <span class="line-caption ${picture.caption ? "" : "missing"}">${captionOf(picture)}</span>
          <${LabelName} label=${picture.label.value} />
        </span>
      </a>
    </li>
  `;
}
