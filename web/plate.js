/** The open picture itself: the small preview at once, the original over it as soon as it is there. */

import { contentUrl, previewUrl } from "./api.js";
import { Glow } from "./glow.js";
import { html, useRef, useState } from "./view.js";
import { altOf } from "./words.js";

/** What every browser shows; anything else stays with its preview. */
const SHOWN_BY_BROWSERS = new Set(["image/jpeg", "image/png", "image/webp", "image/gif", "image/bmp"]);
const LARGEST_SHOWN_BYTES = 30_000_000;

const SWIPE_PX = 60;

/**
 * @typedef {object} PlateProps
 * @property {import("./types.js").Picture} picture
 * @property {number[][] | null} look where the model looked, while that is asked for
 * @property {(way: 1 | -1) => void} onStep
 * @param {PlateProps} props
 */
export function Plate({ picture, look, onStep }) {
  const [original, setOriginal] = useState("coming");
  const canShow = SHOWN_BY_BROWSERS.has(picture.media_type) && picture.size_bytes <= LARGEST_SHOWN_BYTES;
  return html`
    <div class="stage" ...${useSwipe(onStep)}>
      <div class="plate-frame" style=${{ "--wide": picture.width, "--high": picture.height }}>
        <img src=${previewUrl(picture.id)} alt=${altOf(picture)} width=${picture.width} height=${picture.height} />
        ${
          canShow &&
          original !== "unreadable" &&
          html`<img
            class="original ${original}"
            src=${contentUrl(picture.id)}
            alt=""
            onLoad=${() => setOriginal("there")}
            onError=${() => setOriginal("unreadable")}
          />`
        }
        ${look && html`<${Glow} weights=${look} />`}
      </div>
    </div>
  `;
}

/**
 * A thumb that wipes to the left asks for the next picture.
 *
 * @param {(way: 1 | -1) => void} onStep
 */
function useSwipe(onStep) {
  const start = useRef(/** @type {Touch | null} */ (null));
  return {
    onTouchStart: (/** @type {TouchEvent} */ event) => {
      start.current = event.touches.length === 1 ? event.touches[0] : null;
    },
    onTouchEnd: (/** @type {TouchEvent} */ event) => {
      if (!start.current) return;
      const across = event.changedTouches[0].clientX - start.current.clientX;
      const down = event.changedTouches[0].clientY - start.current.clientY;
      if (Math.abs(across) > SWIPE_PX && Math.abs(across) > 2 * Math.abs(down)) onStep(across < 0 ? 1 : -1);
    },
  };
}
