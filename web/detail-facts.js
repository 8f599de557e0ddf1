/** What the file is: name, size, format, day. */

import { html } from "./view.js";
import { fileSize, formatName, moment, plainNumber } from "./words.js";

/** @param {{picture: import("./types.js").Picture}} props */
export function DetailFacts({ picture }) {
  return html`
    <section class="facts" aria-label="File" data-testid="detail-facts">
      <dl>
        <div>
          <dt>File</dt>
          <dd class="file-name">${picture.filename}</dd>
        </div>
        <div>
          <dt>Size</dt>
          <dd>
            ${plainNumber(picture.width)} × ${plainNumber(picture.height)} pixels, ${fileSize(picture.size_bytes)}
          </dd>
        </div>
        <div>
          <dt>Format</dt>
          <dd>${formatName(picture.media_type)}</dd>
        </div>
        <div>
          <dt>Added</dt>
          <dd>${moment(picture.created_at)}</dd>
        </div>
      </dl>
    </section>
  `;
}
