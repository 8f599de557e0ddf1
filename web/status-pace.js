/** How many pictures were described in each minute of the last hour, as bars. */

import { say } from "./language.js";
import { html } from "./view.js";

const WIDTH = 600;
const HEIGHT = 96;
const GAP = 2;

/** @param {{perMinute: number[]}} props the oldest minute first */
export function Pace({ perMinute }) {
  const most = Math.max(...perMinute);
  const total = perMinute.reduce((sum, count) => sum + count, 0);
  const step = WIDTH / perMinute.length;
  const words = total === 0 ? say("pace.none") : say("pace.some", { count: total, most });
  return html`
    <figure class="pace" data-testid="pace">
      <svg viewBox="0 0 ${WIDTH} ${HEIGHT}" preserveAspectRatio="none" role="img" aria-label=${words}>
        ${perMinute.map((count, at) => {
          const height = count ? Math.max(2, (count / most) * HEIGHT) : 0;
          const title = say("pace.minute", { count: perMinute.length - 1 - at, pictures: count });
          return html`<rect key=${at} x=${at * step} y=${HEIGHT - height} width=${step - GAP} height=${height}>
            <title>${title}</title>
          </rect>`;
        })}
      </svg>
      <figcaption>
        <span class="note">${say("pace.hourAgo")}</span><span data-testid="pace-total">${words}</span><span class="note">${say("pace.now")}</span>
      </figcaption>
    </figure>
  `;
}
