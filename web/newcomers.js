/** New pictures show at once where the gallery begins; who looks further down is told, and not moved. */

import { Icon } from "./icons.js";
import { say } from "./language.js";
import { html, useEffect } from "./view.js";

const STILL_AT_THE_TOP_PX = 60;

/** @param {{pictures: import("./pictures.js").Pictures}} props */
export function Newcomers({ pictures }) {
  const count = pictures.newcomers.length;
  useEffect(() => {
    if (count === 0) return undefined;
    const showAtTop = () => {
      if (scrollY < STILL_AT_THE_TOP_PX) pictures.showNewcomers();
    };
    showAtTop();
    addEventListener("scroll", showAtTop, { passive: true });
    return () => removeEventListener("scroll", showAtTop);
  }, [count]);

  if (count === 0 || scrollY < STILL_AT_THE_TOP_PX) return null;
  return html`
    <button class="button filled newcomers" type="button" data-testid="newcomers" onClick=${() => scrollTo(0, 0)}>
      <${Icon} name="up" />${say("newPictures", { count })}
    </button>
  `;
}
