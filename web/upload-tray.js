/** The tray at the foot of the page: each file on its way, and in the end what became of all of them. */

import { previewUrl } from "./api.js";
import { followLink, go, hrefOf, readPlace } from "./address.js";
import { Icon } from "./icons.js";
import { LabelName } from "./labels.js";
import { say } from "./language.js";
import { html, useEffect, useState, useWatched } from "./view.js";
import { captionOf, percent } from "./words.js";

const FEW = 6;
const FOLD_AFTER_MS = 4000;

/** @param {{uploads: import("./upload-queue.js").UploadQueue}} props */
export function UploadTray({ uploads }) {
  useWatched(uploads);
  const [isFolded, setIsFolded] = useState(false);
  const { items, unfinished } = uploads;
  const refused = items.filter(({ state }) => state === "refused");

  useEffect(() => {
    if (unfinished > 0 || items.length <= FEW) return undefined;
    const timer = setTimeout(() => setIsFolded(true), FOLD_AFTER_MS);
    return () => clearTimeout(timer);
  }, [unfinished, items.length]);
  useEffect(() => setIsFolded(false), [items.length]);

  if (items.length === 0) return null;
  return html`
    <section class="tray ${isFolded ? "folded" : ""}" aria-label=${say("upload.name")} data-testid="upload-tray">
      <header>
        <p role="status" data-testid="upload-summary">${summary(uploads)}</p>
        ${isFolded && refused.length > 0 && html`<button class="button bare" type="button" onClick=${unfold}>${say("upload.seeWhy")}</button>`}
        <button
          class="button bare square"
          type="button"
          aria-label=${say(isFolded ? "upload.unfold" : "upload.fold")}
          aria-expanded=${isFolded ? "false" : "true"}
          onClick=${() => setIsFolded(!isFolded)}
        >
          <${Icon} name=${isFolded ? "up" : "down"} />
        </button>
        ${
          unfinished === 0 &&
          html`<button class="button bare square" type="button" aria-label=${say("close")} onClick=${() => uploads.clear()}>
            <${Icon} name="close" />
          </button>`
        }
      </header>
      ${
        !isFolded &&
        html`<ol>
          ${items.map((upload) => html`<${Row} key=${upload.key} upload=${upload} uploads=${uploads} />`)}
        </ol>`
      }
    </section>
  `;

  function unfold() {
    setIsFolded(false);
  }
}

/** @param {{upload: import("./upload-queue.js").Upload, uploads: import("./upload-queue.js").UploadQueue}} props */
function Row({ upload, uploads }) {
  const { state, file, picture, thumbnail } = upload;
  const source = picture ? previewUrl(picture.id) : thumbnail;
  return html`
    <li class="upload" data-testid="upload" data-state=${state}>
      <span class="thumbnail">${source && html`<img src=${source} alt="" onError=${hide} />`}</span>
      <div class="upload-words">
        ${picture ? html`<${Result} picture=${picture} known=${upload.known} />` : html`<p class="file-name">${file.name}</p>`}
        ${state === "waiting" && html`<p class="note">${say("upload.waiting")}</p>`}
        ${state === "sending" && html`<p class="note">${say("upload.sending")}</p>`}
        ${state === "describing" && html`<p class="note">${say("upload.describing")}</p>`}
        ${state === "refused" && html`<p class="refusal" role="alert" data-testid="upload-error">${upload.refusal}</p>`}
      </div>
      ${
        upload.state === "refused" &&
        upload.worthTrying &&
        html`<button class="button" type="button" onClick=${() => uploads.tryAgain(upload)}>${say("tryAgain")}</button>`
      }
      ${
        (state === "sending" || state === "describing") &&
        html`<progress
          class="bar"
          aria-label=${say("upload.progress", { file: file.name })}
          max="1"
          value=${state === "sending" ? upload.sent : undefined}
        ></progress>`
      }
    </li>
  `;
}

/** @param {{picture: import("./types.js").Picture, known: boolean}} props */
function Result({ picture, known }) {
  const { label, status } = picture;
  const open = (/** @type {MouseEvent} */ event) => followLink(event, () => go({ picture: picture.id }));
  return html`
    <a
      class="result"
      href=${hrefOf({ ...readPlace(), picture: picture.id })}
      data-testid="upload-result"
      onClick=${open}
    >
      <span
        class="caption ${picture.caption ? "" : "missing"}"
        data-testid=${picture.caption ? "upload-caption" : undefined}
      >
        ${picture.caption || status === "failed" ? captionOf(picture) : say("upload.later")}
      </span>
    </a>
    <p class="note">
      ${status === "complete" && html`<${LabelName} label=${label.value} testid="upload-label" />`}
      ${
        status === "complete" &&
        label.confidence !== null &&
        html`${" "}<span data-testid="upload-confidence">${percent(label.confidence)}</span>`
      }
      ${
        !known &&
        picture.duplicate_of &&
        html`<span class="known" data-testid="upload-near-duplicate">${status === "complete" && " · "}${say("upload.almost")}</span>`
      }
      ${known && html`<span class="known" data-testid="upload-known">${status === "complete" && " · "}${say("upload.known")}</span>`}
      ${status !== "complete" && !known && picture.filename}
    </p>
  `;
}

/** "2 of 5 described", and in the end also what was refused. @param {import("./upload-queue.js").UploadQueue} uploads */
function summary({ items, unfinished }) {
  const done = items.filter(({ state }) => state === "done");
  const refused = items.filter(({ state }) => state === "refused").length;
  const later = done.filter(({ picture }) => picture?.status === "pending").length;
  const parts = [];
  if (unfinished > 0 || refused + later > 0 || items.length > 1) {
    parts.push(say("described.of", { done: done.length - later, count: items.length }));
  } else parts.push(say("described.one"));
  if (later > 0) parts.push(say("upload.someLater", { count: later }));
  if (refused > 0) parts.push(say("upload.refused", { count: refused }));
  return parts.join(", ");
}

/** @param {Event} event */
function hide(event) {
  /** @type {HTMLElement} */ (event.target).hidden = true;
}
