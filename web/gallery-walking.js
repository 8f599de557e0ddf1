/** Walking the wall with the keyboard: one picture is the stop for Tab, the arrows go on from it, and the focus is kept. */

import { say } from "./language.js";
import { useEffect, useLayoutEffect, useState } from "./view.js";

/** What lies over the wall at the top and the foot of the window. */
const COVERED_PX = { top: 120, bottom: 40 };

/**
 * @param {{current: HTMLElement | null}} wall
 * @param {import("./rows.js").Rows} rows
 * @param {import("./types.js").Library} library
 * @param {string} open id of the open picture: when it is closed, its place gets the focus
 * @returns {{at: number, onKeyDown: (event: KeyboardEvent) => void}} `at` is where the focus was last, -1 nowhere
 */
export function useWalk(wall, rows, { pictures, selection }, open) {
  const [at, setAt] = useState(-1);
  const [wanted, setWanted] = useState(-1);
  const [last, setLast] = useState("");

  const goTo = (/** @type {number} */ to) => {
    showRow(wall, rows, rows.rowOf(to));
    setAt(to);
    setWanted(to);
  };
  useLayoutEffect(() => {
    if (wanted < 0) return;
    const link = wall.current?.querySelector(`[data-at="${wanted}"] a`);
    if (!(link instanceof HTMLElement)) return; // it comes as soon as it is loaded
    setWanted(-1);
    link.focus({ preventScroll: true });
  });
  useEffect(() => {
    const onFocus = (/** @type {FocusEvent} */ event) => {
      const tile = event.target instanceof Element && event.target.closest("[data-at]");
      if (tile instanceof HTMLElement) setAt(Number(tile.dataset.at));
    };
    const element = wall.current;
    element?.addEventListener("focusin", onFocus);
    return () => element?.removeEventListener("focusin", onFocus);
  }, []);
  useEffect(() => setAt(-1), [pictures.view]);
  useEffect(() => {
    setLast(open);
    if (open) return;
    document.title = "Legenda";
    if (!last) return;
    const place = pictures.indexOf(last);
    const undo = document.querySelector(".notice button"); // it was deleted
    if (place >= 0) goTo(place);
    else if (undo instanceof HTMLElement) undo.focus();
  }, [open]);

  const onKeyDown = (/** @type {KeyboardEvent} */ event) => {
    const tile = event.target instanceof Element ? event.target.closest("[data-at]") : null;
    if (!(tile instanceof HTMLElement) || event.altKey || event.ctrlKey || event.metaKey) return;
    const from = Number(tile.dataset.at);
    const picture = pictures.at(from);
    if (event.key === " " && picture) selection.toggle(picture);
    else if (event.key === "Escape" && selection.size) selection.clear();
    else {
      const to = destination(event.key, from, rows);
      if (to === undefined) return;
      if (event.shiftKey && picture) {
        if (!selection.has(picture.id)) selection.toggle(picture);
        void selection.extendTo(to, say("selection.tooMany"));
      }
      goTo(to);
    }
    event.preventDefault();
  };
  return { at, onKeyDown };
}

/** @param {string} key @param {number} from @param {import("./rows.js").Rows} rows @returns {number | undefined} */
function destination(key, from, rows) {
  const end = rows.shapes.length - 1;
  const step = { ArrowLeft: from - 1, ArrowRight: from + 1, Home: 0, End: end }[key];
  if (step !== undefined) return step >= 0 && step <= end ? step : undefined;
  const way = { ArrowUp: -1, ArrowDown: 1 }[key];
  const row = rows.rowOf(from);
  if (!way || row + way < 0 || row + way >= rows.froms.length) return undefined;
  const { left, width } = rows.spotsOf(row)[from - rows.froms[row]];
  const middle = left + width / 2;
  const spots = rows.spotsOf(row + way);
  const under = spots.findIndex((spot) => spot.left + spot.width >= middle);
  return rows.froms[row + way] + (under < 0 ? spots.length - 1 : under);
}

/** @param {{current: HTMLElement | null}} wall @param {import("./rows.js").Rows} rows @param {number} row */
function showRow(wall, rows, row) {
  const top = (wall.current?.offsetTop ?? 0) + rows.tops[row] - scrollY;
  const bottom = top + rows.heights[row] + rows.measure.below;
  if (top < COVERED_PX.top) scrollBy({ top: top - COVERED_PX.top, behavior: "instant" });
  else if (bottom > innerHeight - COVERED_PX.bottom) {
    scrollBy({ top: bottom - innerHeight + COVERED_PX.bottom, behavior: "instant" });
  }
}
