/** The top line: the name, the search, adding, the language and the theme. */

import { adjust, followLink, go } from "./address.js";
import { AddButton } from "./add-button.js";
import { LanguageSwitch } from "./language-switch.js";
import { LogOut } from "./log-out.js";
import { Search } from "./search.js";
import { ThemeSwitch } from "./theme.js";
import { html } from "./view.js";
import { ALL } from "./views.js";

/** @param {{place: import("./types.js").Place, onFiles: (files: Iterable<File>) => void}} props */
export function Header({ place: { q }, onFiles }) {
  const home = (/** @type {MouseEvent} */ event) =>
    followLink(event, () => {
      go({ ...ALL, picture: "" });
      scrollTo(0, 0);
    });
  return html`
    <header class="header">
      <h1 class="name"><a href="./" onClick=${home}>Legenda</a></h1>
      <${Search} q=${q} onSearch=${search} />
      <div class="header-end">
        <${AddButton} onFiles=${onFiles} /><${LogOut} /><${LanguageSwitch} /><${ThemeSwitch} />
      </div>
    </header>
  `;

  /** Typing on is one step back, not one for each letter. @param {string} words */
  function search(words) {
    if (Boolean(words) === Boolean(q)) adjust({ q: words });
    else go({ q: words });
    scrollTo(0, 0);
  }
}
