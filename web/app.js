/** The whole page: which room is open, and what lies around it. */

import { leavePicture, usePlace } from "./address.js";
import { BatchTray } from "./batch-tray.js";
import { isForBatch } from "./batches.js";
import { Detail } from "./detail.js";
import { DropAnywhere } from "./drop-anywhere.js";
import { EmptyRoom } from "./empty.js";
import { Gallery } from "./gallery.js";
import { Header } from "./header.js";
import { keepAsking } from "./keep-asking.js";
import { Labels } from "./labels.js";
import { Notice } from "./notice.js";
import { ReviewRoom } from "./review-room.js";
import { Summary } from "./summary.js";
import { UploadTray } from "./upload-tray.js";
import { html, useEffect, useRef, useWatched } from "./view.js";

const PENDING_WAITS = { firstMs: 5_000, longestMs: 60_000 };
const RETRY_WAITS = { firstMs: 3_000, longestMs: 30_000 };

/** @param {{library: import("./types.js").Library}} props */
export function App({ library }) {
  const { pictures, counts, uploads, batches } = library;
  const place = usePlace();
  useWatched(pictures, counts);

  useEffect(() => void pictures.show({ q: place.q, label: place.label }), [place.q, place.label]);
  useEffect(() => void counts.load(), []);
  useEffect(() => void batches.load(), []);

  const isPending = pictures.pending.length > 0;
  useEffect(() => {
    if (isPending) return keepAsking(() => pictures.askForPending(), PENDING_WAITS);
  }, [isPending]);
  useEffect(() => {
    if (!isPending && counts.known) counts.recount();
  }, [isPending]);

  const hasFailed = pictures.problem !== null;
  useEffect(() => {
    if (!hasFailed) return;
    const retry = () => Promise.all([pictures.retry(), counts.known || counts.load()]);
    return keepAsking(retry, RETRY_WAITS);
  }, [hasFailed]);

  useFocusKept(place.picture);

  const isFiltered = Boolean(place.q || place.label);
  const isEmpty = !isFiltered && !pictures.loading && pictures.items.length + pictures.newcomers.length === 0;
  const addFiles = (/** @type {Iterable<File>} */ files) => {
    if (place.picture) leavePicture();
    const all = [...files];
    if (isForBatch(all)) batches.send(all);
    else uploads.add(all);
  };

  return html`
    <div class="room" inert=${Boolean(place.picture || place.room)}>
      <${Header} q=${place.q} onFiles=${addFiles} />
      ${!isEmpty && html`<${Labels} counts=${counts} chosen=${place.label} q=${place.q} />`}
      <main>
        ${
          isEmpty
            ? html`<${EmptyRoom} onFiles=${addFiles} />`
            : html`<${Summary} library=${library} /><${Gallery} pictures=${pictures} place=${place} />`
        }
      </main>
      <div class="trays"><${BatchTray} batches=${batches} /><${UploadTray} uploads=${uploads} /></div>
      <${Notice} deletions=${library.deletions} />
    </div>
    ${place.room === "review" && !place.picture && html`<${ReviewRoom} library=${library} />`}
    ${place.picture && html`<${Detail} id=${place.picture} library=${library} />`}
    <${DropAnywhere} onFiles=${addFiles} />
  `;
}

/**
 * When the open picture is closed, give the focus to its place in the gallery.
 *
 * @param {string} open id of the open picture
 */
function useFocusKept(open) {
  const last = useRef("");
  useEffect(() => {
    if (!open && last.current) {
      const place = `[data-picture="${CSS.escape(last.current)}"], .notice button`; // the notice: it was deleted
      const tile = document.querySelector(place);
      if (tile instanceof HTMLElement) tile.focus({ preventScroll: isInSight(tile) });
    }
    last.current = open;
    if (!open) document.title = "Legenda";
  }, [open]);
}

/** @param {HTMLElement} element */
function isInSight(element) {
  const { top, bottom } = element.getBoundingClientRect();
  return bottom > 120 && top < innerHeight - 40;
}
