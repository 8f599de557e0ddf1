/** The ways in for files: a plain file input under a label that looks like a button, one for a whole folder, and on a phone its camera. */

import { isMeant } from "./dropped-files.js";
import { Icon } from "./icons.js";
import { say } from "./language.js";
import { html } from "./view.js";

/** @param {{onFiles: (files: Iterable<File>) => void}} props */
export function AddButton({ onFiles }) {
  const choose = (/** @type {Event} */ event) => {
    const input = /** @type {HTMLInputElement} */ (event.target);
    onFiles([...(input.files ?? [])].filter((file) => !input.webkitdirectory || isMeant(file)));
    input.value = ""; // so that the same file can be chosen again
  };
  return html`
    <label class="button filled add">
      <input
        class="unseen"
        id="files"
        type="file"
        accept="image/*,.zip,application/zip"
        multiple
        aria-label=${say("add.pictures")}
        data-testid="file-input"
        onChange=${choose}
      />
      <${Icon} name="plus" /><span class="add-word">${say("add")}</span>
    </label>
    <label class="button bare square add-folder" title=${say("add.folder")}>
      <input
        class="unseen"
        id="folder"
        type="file"
        webkitdirectory
        aria-label=${say("add.folder")}
        data-testid="folder-input"
        onChange=${choose}
      />
      <${Icon} name="folder" />
    </label>
    <label class="button bare square add-photo" title=${say("add.photo")}>
      <input
        class="unseen"
        id="camera"
        type="file"
        accept="image/*"
        capture="environment"
        aria-label=${say("add.photo")}
        data-testid="camera-input"
        onChange=${choose}
      />
      <${Icon} name="camera" />
    </label>
  `;
}
