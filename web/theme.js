/** Light or dark: the system's choice until the visitor makes another, which is remembered. */

import { say } from "./language.js";
import { html, useMedia, useState } from "./view.js";

const REMEMBERED = "legenda-theme"; // theme-first.js reads it before the first paint

export function ThemeSwitch() {
  const systemIsDark = useMedia("(prefers-color-scheme: dark)");
  const [chosen, setChosen] = useState(document.documentElement.dataset.theme ?? "");
  const isDark = chosen ? chosen === "dark" : systemIsDark;

  const toggle = () => {
    // Choosing what the system has anyway means following it again.
    const next = isDark === systemIsDark ? (isDark ? "light" : "dark") : "";
    setChosen(next);
    remember(next);
  };
  return html`
    <button
      class="button bare square"
      type="button"
      aria-label=${say("theme.dark")}
      aria-pressed=${isDark ? "true" : "false"}
      title=${say(isDark ? "theme.light" : "theme.dark")}
      data-testid="theme-switch"
      onClick=${toggle}
    >
      <svg class="icon" viewBox="0 0 16 16" aria-hidden="true">
        <circle cx="8" cy="8" r="5.5" />
        <path class="solid" d="M8 2.5a5.5 5.5 0 0 1 0 11z" />
      </svg>
    </button>
  `;
}

/** @param {string} theme `light`, `dark`, or empty to follow the system */
function remember(theme) {
  if (theme) document.documentElement.dataset.theme = theme;
  else delete document.documentElement.dataset.theme;
  try {
    if (theme) localStorage.setItem(REMEMBERED, theme);
    else localStorage.removeItem(REMEMBERED);
  } catch {
    // Storage is switched off: the choice holds until the page is left.
  }
}
