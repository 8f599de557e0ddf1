/** The wall of pictures, in justified rows: as high as all of them, with only those in the page that are looked at. */

import { go } from "./address.js";
import { useFewAtOnce, useSeenRows, useStillness, useWidth } from "./gallery-scrolling.js";
import { useWalk } from "./gallery-walking.js";
import { say } from "./language.js";
import { useLongPress } from "./long-press.js";
import { Newcomers } from "./newcomers.js";
import { PictureTile } from "./picture-tile.js";
import { Rows } from "./rows.js";
import { html, useEffect, useMedia, useMemo, useRef, useWatched } from "./view.js";
import { ALL, viewOf } from "./views.js";

const DESKTOP = { gap: 4, least: 180, target: 220, most: 260, below: 0 };
const PHONE = { gap: 4, least: 150, target: 200, most: 320, below: 30 };
const SKELETON = [1.5, 0.75, 1.33, 1.5, 1, 1.5, 0.67, 1.33, 1.5, 1.5, 0.8, 1.33];

/**
 * @typedef {object} GalleryProps
 * @property {import("./types.js").Library} library
 * @property {import("./types.js").Place} place
 * @param {GalleryProps} props
 */
export function Gallery({ library, place }) {
  const { pictures, selection, counts } = library;
  useWatched(pictures, selection);
  const wall = useRef(/** @type {HTMLElement | null} */ (null));
  const width = useWidth(wall);
  const isPhone = useMedia("(max-width: 640px), (hover: none)");
  const measure = { ...(isPhone ? PHONE : DESKTOP), width };
  const { loading, problem, isOutlined } = pictures;
  const isSkeleton = pictures.count === 0 && loading && !problem;
  const rows = useMemo(
    () => new Rows(isSkeleton ? SKELETON : pictures.shapes, measure),
    [pictures.layout, width, isPhone, isSkeleton],
  );
  const view = Object.values(viewOf(place)).join(" ");
  const seen = useSeenRows(wall, rows, shownRows(rows, isOutlined || isSkeleton));
  const { at: focused, onKeyDown } = useWalk(wall, rows, library, place.picture);
  const longPress = useLongPress((pressed) => {
    const tile = pressed instanceof Element ? pressed.closest("[data-at]") : null;
    const picture = tile instanceof HTMLElement ? pictures.at(Number(tile.dataset.at)) : undefined;
    if (picture) selection.toggle(picture);
  });
  const tiles = tilesOf(rows, seen, focused);
  const drawn = useFewAtOnce(isSkeleton ? [] : tiles.flatMap(({ at }) => pictures.at(at)?.id ?? []));
  useStillness(wall, rows, pictures, isSkeleton ? [] : tiles, view);
  useEffect(() => {
    if (!isSkeleton && seen.last >= 0) pictures.need(rows.froms[seen.first], rows.endOf(seen.last));
  }, [rows, seen.first, seen.last, loading]);

  const total = place.q || place.from || place.to || place.sure ? 0 : place.label ? counts.of(place.label) : counts.total;
  return html`
    <section class="gallery" aria-label=${say("gallery.name")} aria-busy=${loading ? "true" : "false"}>
      <${Newcomers} pictures=${pictures} />
      <ul
        class="wall ${isPhone ? "with-lines" : ""} ${selection.size ? "selecting" : ""}"
        ref=${wall}
        style=${{ height: `${isSkeleton ? rows.heightOf() : heightOf(rows, isOutlined, total)}px` }}
        onKeyDown=${onKeyDown}
        ...${longPress}
      >
        ${tiles.map(({ at, spot }) => {
          const picture = isSkeleton ? undefined : pictures.at(at);
          if (!picture || !drawn.has(picture.id)) return html`<li class="tile skeleton" key=${`at-${at}`} style=${px(spot)}></li>`;
          return html`<${PictureTile}
            key=${picture.id}
            picture=${picture}
            at=${at}
            of=${Math.max(pictures.count, total)}
            spot=${spot}
            place=${place}
            selection=${selection}
            isChosen=${selection.has(picture.id)}
            isStop=${at === (focused < 0 ? rows.froms[seen.first] : focused)}
          />`;
        })}
      </ul>
      ${!loading && pictures.count === 0 && html`<${NothingFound} place=${place} />`}
      ${
        problem &&
        html`<div class="nothing" role="alert">
          <p class="trouble">${say("gallery.failed")} ${problem.message}</p>
          <button class="button" type="button" onClick=${() => pictures.retry()}>${say("tryAgain")}</button>
        </div>`
      }
    </section>
  `;
}

/** @param {{place: import("./types.js").Place}} props */
function NothingFound({ place }) {
  const { q, from, to, sure } = place;
  const what = from || to || sure ? say("nothing.filtered") : q ? say("nothing.found", { q }) : say("nothing.labelled");
  return html`
    <div class="nothing">
      <p>${what}</p>
      <button class="button" type="button" onClick=${() => go(ALL)}>${say("nothing.showAll")}</button>
    </div>
  `;
}

/** A last row that more pictures will fill is held back, so that it never jumps. @param {Rows} rows @param {boolean} isWhole */
function shownRows(rows, isWhole) {
  const isHeldBack = !isWhole && rows.lastRowAt > 0 && rows.lastRowAt < rows.shapes.length;
  return rows.froms.length - (isHeldBack ? 1 : 0);
}

/** What is not laid out yet is taken to be like what is. @param {Rows} rows @param {boolean} isWhole @param {number} total */
function heightOf(rows, isWhole, total) {
  const count = shownRows(rows, isWhole);
  const height = rows.heightOf(count);
  const laid = rows.froms[count] ?? rows.shapes.length;
  return isWhole || total <= laid || laid === 0 ? height : Math.round((height * total) / laid);
}

/**
 * The pictures in the page, in their order: those of the rows that are seen, and the one that has the focus.
 *
 * @param {Rows} rows @param {{first: number, last: number}} seen @param {number} focused
 * @returns {import("./gallery-scrolling.js").Tile[]}
 */
function tilesOf(rows, { first, last }, focused) {
  const shown = [];
  for (let row = first; row <= last; row += 1) shown.push(row);
  const kept = focused >= 0 && focused < rows.shapes.length ? rows.rowOf(focused) : -1;
  if (kept >= 0 && kept < first) shown.unshift(kept);
  if (kept > last) shown.push(kept);
  return shown.flatMap((row) => {
    const spots = rows.spotsOf(row).map((spot, column) => ({ at: rows.froms[row] + column, spot }));
    return row === kept && (row < first || row > last) ? spots.filter(({ at }) => at === focused) : spots;
  });
}

/** @param {import("./rows.js").Spot} spot */
const px = (spot) => Object.fromEntries(Object.entries(spot).map(([name, value]) => [name, `${value}px`]));
