/** The wall of pictures, in justified rows, going on as one scrolls. */

import { go } from "./address.js";
import { Newcomers } from "./newcomers.js";
import { PictureTile } from "./picture-tile.js";
import { layRows } from "./rows.js";
import { html, useEffect, useLayoutEffect, useMedia, useMemo, useRef, useState, useWatched } from "./view.js";

const DESKTOP = { gap: 4, least: 180, target: 220, most: 260, below: 0 };
const PHONE = { gap: 4, least: 150, target: 200, most: 320, below: 30 };
const SKELETON = [1.5, 0.75, 1.33, 1.5, 1, 1.5, 0.67, 1.33, 1.5, 1.5, 0.8, 1.33].map((width) => ({ width, height: 1 }));

/**
 * @typedef {object} GalleryProps
 * @property {import("./pictures.js").Pictures} pictures
 * @property {import("./types.js").Place} place
 * @param {GalleryProps} props
 */
export function Gallery({ pictures, place }) {
  useWatched(pictures);
  const wall = useRef(/** @type {HTMLElement | null} */ (null));
  const width = useWidth(wall);
  const isPhone = useMedia("(max-width: 640px), (hover: none)");
  const { items, hasMore, loading, problem } = pictures;

  const measure = { ...(isPhone ? PHONE : DESKTOP), width };
  const rows = useMemo(() => layRows(items, measure), [items, width, isPhone]);
  // A last row that more pictures will fill is held back, so that it never jumps.
  const shown = hasMore && rows.lastRowAt > 0 ? items.slice(0, rows.lastRowAt) : items;
  useStillness(wall, shown, rows.spots, `${place.q} ${place.label}`);

  const isSkeleton = items.length === 0 && loading && !problem;
  const skeleton = useMemo(() => layRows(SKELETON, measure), [width, isPhone]);
  const height = isSkeleton ? skeleton.height : heightOf(rows.spots.slice(0, shown.length), measure.below);

  return html`
    <section class="gallery" aria-label="Pictures" aria-busy=${loading ? "true" : "false"}>
      <${Newcomers} pictures=${pictures} />
      <ul class="wall ${isPhone ? "with-lines" : ""}" ref=${wall} style=${{ height: `${height}px` }} onKeyDown=${walk}>
        ${
          width > 0 &&
          isSkeleton &&
          skeleton.spots.map(
            (spot, at) => html`<li class="tile skeleton" key=${`skeleton-${at}`} style=${px(spot)}></li>`,
          )
        }
        ${
          width > 0 &&
          shown.map(
            (picture, at) =>
              html`<${PictureTile} key=${picture.id} picture=${picture} spot=${rows.spots[at]} place=${place} />`,
          )
        }
      </ul>
      ${!loading && items.length === 0 && html`<${NothingFound} place=${place} />`}
      ${
        problem &&
        html`<div class="nothing" role="alert">
          <p class="trouble">The pictures could not be loaded. ${problem.message}</p>
          <button class="button" type="button" onClick=${() => pictures.retry()}>Try again</button>
        </div>`
      }
      ${hasMore && html`<${MoreBelow} onSeen=${() => pictures.showMore()} count=${items.length} />`}
    </section>
  `;
}

/** @param {{place: import("./types.js").Place}} props */
function NothingFound({ place }) {
  const what = place.q ? `No caption has “${place.q}” in it.` : "No picture has this label.";
  return html`
    <div class="nothing">
      <p>${what}</p>
      <button class="button" type="button" onClick=${() => go({ q: "", label: "" })}>Show all pictures</button>
    </div>
  `;
}

/** Asks for more when its place comes near. @param {{onSeen: () => void, count: number}} props */
function MoreBelow({ onSeen, count }) {
  const place = useRef(/** @type {HTMLElement | null} */ (null));
  useEffect(() => {
    const seen = (/** @type {IntersectionObserverEntry[]} */ entries) =>
      entries.some((e) => e.isIntersecting) && onSeen();
    const observer = new IntersectionObserver(seen, { rootMargin: "1200px" });
    if (place.current) observer.observe(place.current);
    return () => observer.disconnect();
  }, [count]);
  return html`<div class="more-below" ref=${place} aria-hidden="true"></div>`;
}

/** @param {{current: HTMLElement | null}} element */
function useWidth(element) {
  const [width, setWidth] = useState(0);
  useLayoutEffect(() => {
    const read = () => setWidth(Math.floor(element.current?.clientWidth ?? 0));
    const observer = new ResizeObserver(read);
    if (element.current) observer.observe(element.current);
    read();
    return () => observer.disconnect();
  }, []);
  return width;
}

/**
 * Keep what is being looked at where it is, when pictures come in above it.
 *
 * @param {{current: HTMLElement | null}} wall
 * @param {import("./types.js").Picture[]} shown
 * @param {import("./rows.js").Spot[]} spots
 * @param {string} view in another view there is nothing to keep
 */
function useStillness(wall, shown, spots, view) {
  const before = useRef({ view: "", tops: /** @type {Map<string, number>} */ (new Map()) });
  useLayoutEffect(() => {
    const tops = new Map(shown.map((picture, at) => [picture.id, spots[at].top]));
    const seenFrom = scrollY - (wall.current?.offsetTop ?? 0);
    if (before.current.view === view && seenFrom > 0) {
      for (const [id, top] of before.current.tops) {
        const now = tops.get(id);
        if (top < seenFrom || now === undefined) continue;
        if (now !== top) scrollBy({ top: now - top, behavior: "instant" });
        break;
      }
    }
    before.current = { view, tops };
  }, [shown, spots, view]);
}

/** Left and right walk from picture to picture. @param {KeyboardEvent} event */
function walk(event) {
  const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
  if (!step || !(event.currentTarget instanceof HTMLElement)) return;
  const links = [...event.currentTarget.querySelectorAll("a")];
  links[links.indexOf(/** @type {any} */ (document.activeElement)) + step]?.focus();
}

/** @param {import("./rows.js").Spot[]} spots @param {number} below */
function heightOf(spots, below) {
  const last = spots.at(-1);
  return last ? last.top + last.height + below : 0;
}

/** @param {import("./rows.js").Spot} spot */
const px = (spot) => Object.fromEntries(Object.entries(spot).map(([name, value]) => [name, `${value}px`]));
