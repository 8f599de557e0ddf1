/** A small button with the name of the other language. */

import { LANGUAGES, speech } from "./language.js";
import { html, useWatched } from "./view.js";

export function LanguageSwitch() {
  useWatched(speech);
  const other = speech.language === "en" ? "de" : "en";
  return html`
    <button
      class="button bare square language"
      type="button"
      lang=${other}
      aria-label=${`${other.toUpperCase()}: ${LANGUAGES[other]}`}
      title=${LANGUAGES[other]}
      data-testid="language-switch"
      onClick=${() => speech.choose(other)}
    >
      ${other.toUpperCase()}
    </button>
  `;
}
