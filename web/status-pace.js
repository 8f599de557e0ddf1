/** How many pictures were described in each minute of the last hour, as bars. */

import { html } from "./view.js";
import { counted } from "./words.js";

const WIDTH = 600;
const HEIGHT = 96;
const GAP = 2;

/** @param {{perMinute: number[]}} props the oldest minute first */
export function Pace({ perMinute }) {
  const most = Math.max(...perMinute);
  const total = perMinute.reduce((sum, count) => sum + count, 0);
  const step = WIDTH / perMinute.length;
  const words = total === 0 ? "None in the last hour." : `${counted(total, "picture")}; at most ${most} a minute.`;
  return html`
    <figure class="pace" data-testid="pace">
      <svg viewBox="0 0 ${WIDTH} ${HEIGHT}" preserveAspectRatio="none" role="img" aria-label=${words}>
        ${perMinute.map((count, at) => {
          const height = count ? Math.max(2, (count / most) * HEIGHT) : 0;
          const title = `${counted(perMinute.length - 1 - at, "minute")} ago: ${count}`;
          return html`<rect key=${at} x=${at * step} y=${HEIGHT - height} width=${step - GAP} height=${height}>
            <title>${title}</title>
          </rect>`;
        })}
      </svg>
      <figcaption>
        <span class="note">an hour ago</span><span data-testid="pace-total">${words}</span><span class="note">now</span>
      </figcaption>
    </figure>
  `;
}
