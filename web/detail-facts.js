/** What the file is: name, size, format, day. */

import { say } from "./language.js";
import { html } from "./view.js";
import { fileSize, formatName, moment } from "./words.js";

/** @param {{picture: import("./types.js").Picture}} props */
export function DetailFacts({ picture }) {
  return html`
    <section class="facts" aria-label=${say("facts.file")} data-testid="detail-facts">
      <dl>
        <div>
          <dt>${say("facts.file")}</dt>
          <dd class="file-name">${picture.filename}</dd>
        </div>
        <div>
          <dt>${say("facts.size")}</dt>
          <dd>
            ${say("facts.pixels", { width: picture.width, height: picture.height })}, ${fileSize(picture.size_bytes)}
          </dd>
        </div>
        <div>
          <dt>${say("facts.format")}</dt>
          <dd>${formatName(picture.media_type)}</dd>
        </div>
        <div>
          <dt>${say("facts.added")}</dt>
          <dd>${moment(picture.created_at)}</dd>
        </div>
      </dl>
    </section>
  `;
}
