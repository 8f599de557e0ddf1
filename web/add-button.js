/** The ways in for files: a plain file input under a label that looks like a button, and one for a whole folder. */

import { isMeant } from "./dropped-files.js";
import { Icon } from "./icons.js";
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
        aria-label="Add pictures"
        data-testid="file-input"
        onChange=${choose}
      />
      <${Icon} name="plus" /><span class="add-word">Add</span>
    </label>
    <label class="button bare square add-folder" title="Add a folder">
      <input
        class="unseen"
        id="folder"
        type="file"
        webkitdirectory
        aria-label="Add a folder of pictures"
        data-testid="folder-input"
        onChange=${choose}
      />
      <${Icon} name="folder" />
    </label>
  `;
}
