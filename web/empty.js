/** What a first visit sees: one place to drop pictures, and some to try with. */

import { LanguageSwitch } from "./language-switch.js";
import { say } from "./language.js";
import { html, useState } from "./view.js";

const SAMPLES = ["chelsea.jpg", "coffee.jpg", "rocket.jpg"];

/** @param {{onFiles: (files: Iterable<File>) => void}} props */
export function EmptyRoom({ onFiles }) {
  const [isFetching, setIsFetching] = useState(false);
  const [failure, setFailure] = useState("");

  const addSamples = async () => {
    setIsFetching(true);
    setFailure("");
    try {
      onFiles(await Promise.all(SAMPLES.map(fetchSample)));
    } catch {
      setFailure(say("empty.noSamples"));
    }
    setIsFetching(false);
  };
  return html`
    <div class="empty" data-testid="empty">
      <label class="drop-here" for="files">
        <svg class="plate" viewBox="0 0 96 72" aria-hidden="true">
          <rect x="1" y="1" width="94" height="52" rx="4" />
          <path d="M14 44l20-24 14 17 9-9 20 16" />
          <circle cx="68" cy="17" r="5" />
          <path d="M22 63h52M34 70h28" />
        </svg>
        <span class="drop-words">${say("empty.drop")}</span>
        <span class="drop-note">${say("empty.note")}</span>
      </label>
      <p class="or">
        ${say("empty.orElse")}${" "}
        <button class="button" type="button" data-testid="add-samples" disabled=${isFetching} onClick=${addSamples}>
          ${say("empty.samples")}
        </button>
      </p>
      ${failure && html`<p class="trouble" role="alert">${failure}</p>`}
      <p class="note"><a class="download" href="status">${say("status.long")}</a> <${LanguageSwitch} /></p>
    </div>
  `;
}

/** @param {string} name */
async function fetchSample(name) {
  const response = await fetch(`samples/${name}`);
  if (!response.ok) throw new Error(`sample ${name}: ${response.status}`);
  return new File([await response.blob()], name, { type: "image/jpeg" });
}
