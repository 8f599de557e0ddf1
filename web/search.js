/** The search box: finds pictures by the words of their captions, while one types. */

import { Icon } from "./icons.js";
import { say } from "./language.js";
import { html, useEffect, useKeys, useMedia, useRef, useState } from "./view.js";

const TYPING_PAUSE_MS = 250;

/** @param {{q: string, onSearch: (words: string) => void}} props */
export function Search({ q, onSearch }) {
  const [typed, setTyped] = useState(q);
  const isNarrow = useMedia("(max-width: 640px)");
  const timer = useRef(0);
  const box = useRef(/** @type {HTMLInputElement | null} */ (null));

  useEffect(() => {
    if (timer.current === 0) setTyped((now) => (now.trim() === q ? now : q));
  }, [q]);
  useKeys((event) => {
    if (event.key !== "/" || event.ctrlKey || event.metaKey || box.current?.closest("[inert]")) return;
    if (event.target instanceof HTMLElement && event.target.closest("input, textarea")) return;
    event.preventDefault();
    box.current?.select();
  });

  const search = (/** @type {string} */ words, /** @type {number} */ afterMs) => {
    clearTimeout(timer.current);
    timer.current = window.setTimeout(() => {
      timer.current = 0;
      if (words.trim() !== q) onSearch(words.trim());
    }, afterMs);
  };
  const onInput = (/** @type {Event} */ event) => {
    const words = /** @type {HTMLInputElement} */ (event.target).value;
    setTyped(words);
    search(words, words.trim() ? TYPING_PAUSE_MS : 0);
  };
  const onSubmit = (/** @type {Event} */ event) => {
    event.preventDefault();
    search(typed, 0);
  };

  return html`
    <form class="search" role="search" onSubmit=${onSubmit}>
      <${Icon} name="search" />
      <input
        ref=${box}
        type="search"
        name="q"
        aria-label=${say("search.name")}
        placeholder=${say(isNarrow ? "search.short" : "search.example")}
        autocomplete="off"
        enterkeyhint="search"
        maxlength="200"
        data-testid="search"
        value=${typed}
        onInput=${onInput}
      />
    </form>
  `;
}
