/** One picture, large, with all that is known of it. */

import { adjust, go, leavePicture } from "./address.js";
import { DetailBar } from "./detail-bar.js";
import { DetailCaption } from "./detail-caption.js";
import { DetailFacts } from "./detail-facts.js";
import { DetailHistory } from "./detail-history.js";
import { DetailLabel } from "./detail-label.js";
import { DetailLooks } from "./detail-looks.js";
import { DetailSimilar } from "./detail-similar.js";
import { say } from "./language.js";
import { Plate } from "./plate.js";
import { html, useEffect, useKeys, useLayoutEffect, useRef, useState, useWatched } from "./view.js";
import { isPlain } from "./views.js";
import { altOf, plainNumber } from "./words.js";

const LOADED_AROUND = 8;

/** @param {{id: string, library: import("./types.js").Library, q: string}} props */
export function Detail({ id, library, q }) {
  const { pictures, deletions } = library;
  useWatched(pictures);
  const [problem, setProblem] = useState("");
  const [look, setLook] = useState(/** @type {number[][] | null} */ (null));
  const room = useRef(/** @type {HTMLElement | null} */ (null));
  const picture = pictures.find(id);
  const at = pictures.indexOf(id);
  const before = at < 0 ? undefined : pictures.at(at - 1)?.id;
  const after = at < 0 ? undefined : pictures.at(at + 1)?.id;

  useEffect(() => {
    setProblem("");
    pictures.open(id).catch((error) => setProblem(error.message));
  }, [id]);
  useEffect(() => {
    if (at >= 0) pictures.need(Math.max(0, at - LOADED_AROUND), at + LOADED_AROUND);
  }, [at, pictures.layout]);
  useLayoutEffect(() => {
    room.current?.focus();
    document.documentElement.classList.add("has-open-picture");
    return () => document.documentElement.classList.remove("has-open-picture");
  }, []);
  useEffect(() => {
    // What had the focus may be gone: a field that was closed, a reading that was chosen.
    if (document.activeElement === document.body) room.current?.focus();
  });
  useEffect(() => {
    document.title = picture ? `${altOf(picture)} · Legenda` : "Legenda";
  }, [picture]);
  useKeys((event) => {
    const isTyping = event.target instanceof HTMLElement && event.target.closest("input, textarea");
    if (event.defaultPrevented || isTyping || event.altKey || event.ctrlKey || event.metaKey) return;
    if (event.key === "Escape") leavePicture();
    if (event.key === "ArrowLeft") step(-1);
    if (event.key === "ArrowRight") step(1);
  });

  function step(/** @type {1 | -1} */ way) {
    const to = way === 1 ? after : before;
    if (to) adjust({ picture: to });
  }
  const remove = () => {
    if (!picture) return;
    leavePicture();
    deletions.start([picture]);
  };
  return html`
    <div
      class="detail"
      role="dialog"
      aria-modal="true"
      aria-label=${picture ? `${say("detail.name")}: ${altOf(picture)}` : say("detail.name")}
      data-testid="detail"
      tabindex="-1"
      ref=${room}
    >
      <${DetailBar}
        place=${placeInRow(at, library)}
        before=${before}
        after=${after}
        picture=${picture}
        onDelete=${remove}
      />
      ${
        picture &&
        html`<${Plate} key=${`plate-${id}`} picture=${picture} look=${look} onStep=${step} />
          <div class="panel" key=${`panel-${id}`}>
            <${DetailCaption} picture=${picture} pictures=${pictures} q=${q} />
            ${picture.caption && html`<${DetailLooks} picture=${picture} onLook=${setLook} />`}
            <${DetailLabel} picture=${picture} library=${library} onLook=${setLook} />
            <${DetailSimilar} picture=${picture} pictures=${pictures} />
            <${DetailHistory} key=${historyKey(picture)} picture=${picture} />
            <${DetailFacts} picture=${picture} />
          </div>`
      }
      ${
        !picture &&
        problem &&
        html`<div class="nothing" role="alert">
          <p>${problem}</p>
          <button class="button" type="button" onClick=${() => go({ picture: "" })}>${say("gallery.show")}</button>
        </div>`
      }
    </div>
  `;
}

/**
 * "3 of 57", as far as it is known.
 *
 * @param {number} at
 * @param {import("./types.js").Library} library
 */
function placeInRow(at, { pictures, counts }) {
  if (at < 0) return "";
  const { count, isOutlined, view } = pictures;
  const counted = isPlain(view) && counts.known ? (view.label ? counts.of(view.label) : counts.total) : 0;
  const all = isOutlined ? count : counted;
  return all ? say("detail.place", { at: at + 1, all }) : plainNumber(at + 1);
}

/** A history that is open closes when there is more to tell. @param {import("./types.js").Picture} picture */
const historyKey = ({ caption, label }) => `history-${caption?.value}-${caption?.source}-${label.value}-${label.source}`;
