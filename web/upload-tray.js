/** The tray at the foot of the page: each file on its way, and in the end what became of all of them. */

import { previewUrl } from "./api.js";
import { followLink, go, hrefOf, readPlace } from "./address.js";
import { Icon } from "./icons.js";
import { LabelName } from "./labels.js";
import { html, useEffect, useState, useWatched } from "./view.js";
import { captionOf, counted, percent, plainNumber } from "./words.js";

const FEW = 6;
const FOLD_AFTER_MS = 4000;

/** @param {{uploads: import("./upload-queue.js").UploadQueue}} props */
export function UploadTray({ uploads }) {
  useWatched(uploads);
  const [isFolded, setIsFolded] = useState(false);
  const { items, unfinished } = uploads;
  const refused = items.filter(({ state }) => state === "refused");

  useEffect(() => {
    if (unfinished > 0 || items.length <= FEW) return;
    const timer = setTimeout(() => setIsFolded(true), FOLD_AFTER_MS);
    return () => clearTimeout(timer);
  }, [unfinished, items.length]);
  useEffect(() => setIsFolded(false), [items.length]);

  if (items.length === 0) return null;
  return html`
    <section class="tray ${isFolded ? "folded" : ""}" aria-label="Pictures being added" data-testid="upload-tray">
      <header>
        <p role="status" data-testid="upload-summary">${summary(uploads)}</p>
        ${isFolded && refused.length > 0 && html`<button class="button bare" type="button" onClick=${unfold}>See why</button>`}
        <button
          class="button bare square"
          type="button"
          aria-label=${isFolded ? "Show the list" : "Fold the list"}
          aria-expanded=${isFolded ? "false" : "true"}
          onClick=${() => setIsFolded(!isFolded)}
        >
          <${Icon} name=${isFolded ? "up" : "down"} />
        </button>
        ${
          unfinished === 0 &&
          html`<button class="button bare square" type="button" aria-label="Close" onClick=${() => uploads.clear()}>
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
        ${state === "waiting" && html`<p class="note">Waiting</p>`}
        ${state === "sending" && html`<p class="note">Sending</p>`}
        ${state === "describing" && html`<p class="note">Being described</p>`}
        ${state === "refused" && html`<p class="refusal" role="alert" data-testid="upload-error">${upload.refusal}</p>`}
      </div>
      ${
        upload.state === "refused" &&
        upload.worthTrying &&
        html`<button class="button" type="button" onClick=${() => uploads.tryAgain(upload)}>Try again</button>`
      }
      ${
        (state === "sending" || state === "describing") &&
        html`<progress
          class="bar"
          aria-label=${`Sending ${file.name}`}
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
        ${picture.caption || status === "failed" ? captionOf(picture) : "Stored; will be described later"}
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
        html`<span class="known" data-testid="upload-near-duplicate">${status === "complete" && " · "}almost the same is here already</span>`
      }
      ${known && html`<span class="known" data-testid="upload-known">${status === "complete" && " · "}already here</span>`}
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
    parts.push(`${plainNumber(done.length - later)} of ${plainNumber(items.length)} described`);
  } else parts.push(`${counted(1, "picture")} described`);
  if (later > 0) parts.push(`${plainNumber(later)} later`);
  if (refused > 0) parts.push(`${plainNumber(refused)} refused`);
  return parts.join(", ");
}

/** @param {Event} event */
function hide(event) {
  /** @type {HTMLElement} */ (event.target).hidden = true;
}
