/** A veil over the open picture, thin where the model looked. */

import { html, useLayoutEffect, useRef } from "./view.js";

const THICKEST = 0.75;

/** @param {{weights: number[][]}} props each cell's share of the attention, in rows from top to bottom */
export function Glow({ weights }) {
  const canvas = useRef(/** @type {HTMLCanvasElement | null} */ (null));
  useLayoutEffect(() => {
    const context = canvas.current?.getContext("2d");
    if (!context) return;
    const veil = context.createImageData(weights[0].length, weights.length);
    const shares = weights.flat();
    const least = Math.min(...shares);
    const range = Math.max(...shares) - least || 1;
    shares.forEach((share, at) => {
      veil.data[4 * at + 3] = 255 * THICKEST * (1 - (share - least) / range);
    });
    context.putImageData(veil, 0, 0);
  }, [weights]);
  return html`<canvas
    class="glow"
    ref=${canvas}
    width=${weights[0].length}
    height=${weights.length}
    aria-hidden="true"
    data-testid="glow"
  ></canvas>`;
}
