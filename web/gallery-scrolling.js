/**
 * What of the wall is looked at, how wide it is, and that nothing moves there by itself.
 *
 * @typedef {import("./rows.js").Rows} Rows
 * @typedef {{at: number, spot: import("./rows.js").Spot}} Tile
 * @typedef {{current: HTMLElement | null}} Wall
 */

import { useEffect, useLayoutEffect, useRef, useState } from "./view.js";

/** Rows are drawn before they are seen, in steps, so that not every pixel of scrolling draws. */
const AHEAD_PX = 500;
const STEP_PX = 200;
const MOST_NEW_A_FRAME = 16;

/**
 * The rows to draw: those in sight, and some above and below.
 *
 * @param {Wall} wall
 * @param {Rows} rows
 * @param {number} count how many of them may be shown
 * @returns {{first: number, last: number}} `last` is -1 where there is none
 */
export function useSeenRows(wall, rows, count) {
  const [top, setTop] = useState(0);
  useEffect(() => {
    let frame = 0;
    const look = () => {
      frame = 0;
      setTop(Math.max(0, Math.floor(seenFrom(wall) / STEP_PX) * STEP_PX));
    };
    const soon = () => {
      frame ||= requestAnimationFrame(look);
    };
    look();
    addEventListener("scroll", soon, { passive: true });
    addEventListener("resize", soon);
    return () => {
      cancelAnimationFrame(frame);
      removeEventListener("scroll", soon);
      removeEventListener("resize", soon);
    };
  }, []);
  const last = count > 0 ? Math.min(rows.rowAt(top + innerHeight + STEP_PX + AHEAD_PX), count - 1) : -1;
  return { first: Math.min(rows.rowAt(top - AHEAD_PX), Math.max(last, 0)), last };
}

/** @param {Wall} wall */
export function useWidth(wall) {
  const [width, setWidth] = useState(0);
  useLayoutEffect(() => {
    const read = () => setWidth(Math.floor(wall.current?.clientWidth ?? 0));
    const observer = new ResizeObserver(read);
    if (wall.current) observer.observe(wall.current);
    read();
    return () => observer.disconnect();
  }, []);
  return width;
}

/**
 * Keep what is being looked at where it is, when pictures come in or go above it.
 *
 * @param {Wall} wall
 * @param {Rows} rows
 * @param {import("./pictures.js").Pictures} pictures
 * @param {Tile[]} tiles
 * @param {string} view in another view there is nothing to keep
 */
export function useStillness(wall, rows, pictures, tiles, view) {
  const before = useRef({ view: "", rows, tops: /** @type {Map<string, number>} */ (new Map()) });
  useLayoutEffect(() => {
    const from = seenFrom(wall);
    if (before.current.rows !== rows && before.current.view === view && from > 0) {
      for (const [id, top] of before.current.tops) {
        const at = top < from ? -1 : pictures.indexOf(id);
        if (at < 0) continue;
        const now = rows.tops[rows.rowOf(at)];
        if (now !== top) scrollBy({ top: now - top, behavior: "instant" });
        break;
      }
    }
    const known = tiles.flatMap(({ at, spot }) => /** @type {[string, number][]} */ ([[pictures.at(at)?.id ?? "", spot.top]]));
    before.current = { view, rows, tops: new Map(known.filter(([id]) => id)) };
  });
}

/**
 * Of the pictures to draw, those that are drawn now: what is drawn already, and a few more with each frame, so that none
 * takes long.
 *
 * @param {string[]} ids from the top down
 * @returns {Set<string>}
 */
export function useFewAtOnce(ids) {
  const before = useRef(/** @type {Set<string>} */ (new Set()));
  const [, redraw] = useState({});
  let left = MOST_NEW_A_FRAME;
  const drawn = new Set(ids.filter((id) => before.current.has(id) || (left -= 1) >= 0));
  useEffect(() => {
    before.current = drawn;
    if (drawn.size === ids.length) return undefined;
    const frame = requestAnimationFrame(() => redraw({}));
    return () => cancelAnimationFrame(frame);
  });
  return drawn;
}

/** How far the wall is scrolled. @param {Wall} wall @returns {number} px */
export const seenFrom = (wall) => scrollY - (wall.current?.offsetTop ?? 0);
