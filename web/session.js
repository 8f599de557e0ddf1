/** Whose key the browser shows, and what it may; the key itself lies in a cookie that no script can read. */

import { logIn, logOut, whoIsThere } from "./api-session.js";
import { LOCKED } from "./ask.js";
import { Watched } from "./view.js";

export class Session extends Watched {
  /** Whether the page waits for a key. */
  isLocked = false;
  /** @type {import("./types.js").SessionAnswer | null} null until it is known */
  known = null;

  constructor() {
    super();
    addEventListener(LOCKED, () => this.#become(null, true));
  }

  /** Whether there is a key that could be forgotten. */
  get canLogOut() {
    return this.known?.asks_for_key ?? false;
  }

  /** Ask who is there; a page that needs a key is told so by the answer. */
  async load() {
    try {
      this.#become(await whoIsThere(), false);
    } catch {
      // Locked, which the event has said, or away, which the gallery says.
    }
  }

  /** @param {string} key */
  async logIn(key) {
    this.#become(await logIn(key), false);
  }

  async logOut() {
    await logOut();
    this.#become(null, true);
  }

  /** @param {import("./types.js").SessionAnswer | null} known @param {boolean} isLocked */
  #become(known, isLocked) {
    this.known = known;
    this.isLocked = isLocked;
    document.documentElement.dataset.scope = known?.scope ?? ""; // styles/access.css hides what a key may not do
    this.changed();
  }
}

/** The one of this page. */
export const session = new Session();
