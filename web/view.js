/** What every visible part is written with: htm's templates on Preact, and a hook for the things that change. */

import { h, render } from "./vendor/preact.js";
import { useEffect, useLayoutEffect, useMemo, useRef, useState } from "./vendor/preact-hooks.js";
import htm from "./vendor/htm.js";

export const html = htm.bind(h);
export { render, useEffect, useLayoutEffect, useMemo, useRef, useState };

/** Something that changes over time and tells whoever shows it. */
export class Watched {
  /** @type {Set<() => void>} */
  #watchers = new Set();

  /**
   * @param {() => void} watcher called after each change
   * @returns {() => void} ends the watching
   */
  watch(watcher) {
    this.#watchers.add(watcher);
    return () => this.#watchers.delete(watcher);
  }

  changed() {
    for (const watcher of this.#watchers) watcher();
  }
}

/**
 * Draw the calling part again whenever one of `things` changes.
 *
 * @param {...Watched} things
 */
export function useWatched(...things) {
  const [, redraw] = useState({});
  useLayoutEffect(() => {
    const ends = things.map((thing) => thing.watch(() => redraw({})));
    return () => ends.forEach((end) => end());
  }, things);
}

/**
 * Hear each key from the moment that the calling part is on the page: a plain effect would begin a frame later, and a quick
 * hand's key would be lost.
 *
 * @param {(event: KeyboardEvent) => void} onKey
 */
export function useKeys(onKey) {
  const latest = useRef(onKey);
  latest.current = onKey;
  useLayoutEffect(() => {
    const hear = (/** @type {KeyboardEvent} */ event) => latest.current(event);
    addEventListener("keydown", hear);
    return () => removeEventListener("keydown", hear);
  }, []);
}

/**
 * Whether a media query holds now.
 *
 * @param {string} query
 * @returns {boolean}
 */
export function useMedia(query) {
  const media = useMemo(() => matchMedia(query), [query]);
  const [matches, setMatches] = useState(media.matches);
  useEffect(() => {
    const update = () => setMatches(media.matches);
    update();
    media.addEventListener("change", update);
    return () => media.removeEventListener("change", update);
  }, [media]);
  return matches;
}
