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
import { speech } from "./language.js";
import { awaitDescriptions } from "./late-descriptions.js";
import { Notice } from "./notice.js";
import { PasteAnywhere } from "./paste-anywhere.js";
import { ReviewRoom } from "./review-room.js";
import { SelectionBar } from "./selection-bar.js";
import { Summary } from "./summary.js";
import { UploadTray } from "./upload-tray.js";
import { html, useEffect, useWatched } from "./view.js";
import { isNarrowed, viewOf } from "./views.js";

const RETRY_WAITS = { firstMs: 3_000, longestMs: 30_000 };

/** @param {{library: import("./types.js").Library}} props */
export function App({ library }) {
  const { pictures, counts, uploads, batches, selection } = library;
  const place = usePlace();
  useWatched(pictures, counts, speech);

  useEffect(() => {
    selection.clear();
    void pictures.show(viewOf(place));
  }, Object.values(viewOf(place)));
  useEffect(() => void counts.load(), []);
  useEffect(() => void batches.load(), []);
  useEffect(() => void library.unsent.takeOver().then((left) => left.length > 0 && send(left)), []);

  const isPending = pictures.pending.length > 0;
  useEffect(() => {
    if (isPending) return awaitDescriptions(pictures);
    if (counts.known) counts.recount();
    return undefined;
  }, [isPending]);

  const hasFailed = pictures.problem !== null;
  useEffect(() => {
    const retry = () => Promise.all([pictures.retry(), counts.known || counts.load()]);
    return hasFailed ? keepAsking(retry, RETRY_WAITS) : undefined;
  }, [hasFailed]);

  const isEmpty = !isNarrowed(place) && !pictures.loading && pictures.count + pictures.newcomers.length === 0;
  const addFiles = (/** @type {Iterable<File>} */ files) => {
    if (place.picture) leavePicture();
    send([...files]);
  };
  const send = (/** @type {File[]} */ files) => {
    if (isForBatch(files)) void batches.send(files);
    else uploads.add(files);
  };

  return html`
    <div class="room" inert=${Boolean(place.picture || place.room)}>
      <${Header} place=${place} onFiles=${addFiles} />
      ${!isEmpty && html`<${Labels} counts=${counts} place=${place} />`}
      <main>
        ${
          isEmpty
            ? html`<${EmptyRoom} onFiles=${addFiles} />`
            : html`<${Summary} library=${library} place=${place} /><${Gallery} library=${library} place=${place} />`
        }
      </main>
      <div class="trays"><${BatchTray} batches=${batches} /><${UploadTray} uploads=${uploads} /></div>
      <${SelectionBar} library=${library} />
      <${Notice} deletions=${library.deletions} />
    </div>
    ${place.room === "review" && !place.picture && html`<${ReviewRoom} library=${library} />`}
    ${place.picture && html`<${Detail} id=${place.picture} library=${library} q=${place.q} />`}
    <${DropAnywhere} onFiles=${addFiles} />
    <${PasteAnywhere} onFiles=${addFiles} />
  `;
}
