/** The way in for files: a plain file input under a label that looks like a button. */

import { Icon } from "./icons.js";
import { html } from "./view.js";

/** @param {{onFiles: (files: Iterable<File>) => void}} props */
export function AddButton({ onFiles }) {
  const choose = (/** @type {Event} */ event) => {
    const input = /** @type {HTMLInputElement} */ (event.target);
    onFiles([...(input.files ?? [])]);
    input.value = ""; // so that the same file can be chosen again
  };
  return html`
    <label class="button filled add">
      <input
        class="unseen"
        id="files"
        type="file"
        accept="image/*"
        multiple
        aria-label="Add pictures"
        data-testid="file-input"
        onChange=${choose}
      />
      <${Icon} name="plus" /><span class="add-word">Add</span>
    </label>
  `;
}
