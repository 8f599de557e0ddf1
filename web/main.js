/** Builds what the parts of the page share, and starts it. */

import { App } from "./app.js";
import { Batches } from "./batches.js";
import { Deletions } from "./deletions.js";
import { LabelCounts } from "./label-counts.js";
import { Door } from "./log-in.js";
import { speech } from "./language.js";
import { Pictures } from "./pictures.js";
import { Selection } from "./selection.js";
import { UnsentFiles } from "./unsent-files.js";
import { UploadQueue } from "./upload-queue.js";
import { html, render } from "./view.js";

const unsent = new UnsentFiles();
const pictures = new Pictures();
const counts = new LabelCounts();
const uploads = new UploadQueue((picture, known) => {
  if (known) pictures.put(picture);
  else pictures.add(picture);
  counts.recount();
}, unsent);
const batches = new Batches(async (isDone) => {
  await pictures.lookForNew({ isWhole: isDone });
  counts.recount();
}, unsent);
const selection = new Selection(pictures);
const deletions = new Deletions({ pictures, counts, uploads });

pictures.watch(() => pictures.known.forEach((one) => uploads.put(one)));

document.documentElement.lang = speech.language;
const page = /** @type {HTMLElement} */ (document.getElementById("page"));
page.replaceChildren(); // the first line, which stood there until now
render(
  html`<${Door}><${App} library=${{ pictures, counts, batches, deletions, uploads, selection, unsent }} /><//>`,
  page,
);
