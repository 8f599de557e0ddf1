/**
 * Where the visitor is: what they search, which label they chose, which picture or room is open.
 *
 * The address bar holds all of it, so that back works and a link leads to the same place.
 *
 * @typedef {import("./types.js").Place} Place
 */

import { useEffect, useState } from "./view.js";

const MOVED = "legenda-moved";

/** @returns {Place} */
export function readPlace() {
  const query = new URLSearchParams(location.search);
  const said = (/** @type {string} */ name) => query.get(name) ?? "";
  const view = { q: said("q"), label: said("label"), from: said("from"), to: said("to"), sure: said("sure"), sort: said("sort") };
  return { ...view, picture: said("picture"), room: said("room") };
}

/** @param {Place} place @returns {string} */
export function hrefOf(place) {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(place)) if (value) query.set(name, value);
  return query.size ? `?${query}` : location.pathname;
}

/**
 * Go somewhere; back returns.
 *
 * @param {Partial<Place>} change
 */
export function go(change) {
  const place = { ...readPlace(), ...change };
  history.pushState({ cameFromGallery: Boolean(place.picture) }, "", hrefOf(place));
  dispatchEvent(new Event(MOVED));
}

/**
 * Change the place without a step to go back to.
 *
 * @param {Partial<Place>} change
 */
export function adjust(change) {
  history.replaceState(history.state, "", hrefOf({ ...readPlace(), ...change }));
  dispatchEvent(new Event(MOVED));
}

/** Close the open picture; the same as back, where back would do that. */
export function leavePicture() {
  if (history.state?.cameFromGallery) history.back();
  else adjust({ picture: "" });
}

/**
 * Follow a link inside the page, but leave new tabs and windows to the browser.
 *
 * @param {MouseEvent} event
 * @param {() => void} follow
 */
export function followLink(event, follow) {
  if (event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
  event.preventDefault();
  follow();
}

/** @returns {Place} */
export function usePlace() {
  const [place, setPlace] = useState(readPlace);
  useEffect(() => {
    const update = () => setPlace(readPlace());
    addEventListener("popstate", update);
    addEventListener(MOVED, update);
    return () => {
      removeEventListener("popstate", update);
      removeEventListener(MOVED, update);
    };
  }, []);
  return place;
}
