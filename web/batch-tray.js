/** The batches at the foot of the page: how far each is, how long it still takes, what was refused and why. */

import { isBeingSent } from "./batches.js";
import { Icon } from "./icons.js";
import { html, useWatched } from "./view.js";
import { counted, duration, plainNumber } from "./words.js";

/** @param {{batches: import("./batches.js").Batches}} props */
export function BatchTray({ batches }) {
  useWatched(batches);
  return batches.items.map((shown) => html`<${BatchPanel} key=${shown.id} shown=${shown} batches=${batches} />`);
}

/** @param {{shown: import("./batches.js").BatchShown, batches: import("./batches.js").Batches}} props */
function BatchPanel({ shown, batches }) {
  const { batch, trouble, refused } = shown;
  const isRunning = !trouble && !batch?.is_done;
  const state = trouble ? "failed" : isBeingSent(shown) ? "sending" : (batch?.state ?? "sending");
  return html`
    <section class="tray batch" aria-label="Pictures sent together" data-testid="batch" data-state=${state}>
      <header>
        <p role="status" data-testid="batch-summary">${summary(shown)}</p>
        ${
          isRunning
            ? html`<button class="button bare" type="button" data-testid="batch-cancel" disabled=${!batch} onClick=${() => batches.cancel(shown)}>
                Cancel
              </button>`
            : html`<button class="button bare square" type="button" aria-label="Close" onClick=${() => batches.close(shown)}>
                <${Icon} name="close" />
              </button>`
        }
      </header>
      ${isRunning && html`<progress class="batch-bar" aria-label="Progress" max="1" value=${part(shown)}></progress>`}
      <p class="note batch-note" data-testid="batch-note">${isRunning ? pace(shown) : trouble || ending(batch)}</p>
      ${
        !isRunning &&
        shown.files.length > 0 &&
        (trouble || batch?.state === "interrupted" || batch?.state === "cancelled") &&
        html`<p class="batch-again">
          <button class="button" type="button" onClick=${() => batches.sendAgain(shown)}>Send again</button>
        </p>`
      }
      ${refused.length > 0 && html`<${Refused} refused=${refused} />`}
    </section>
  `;
}

/** @param {{refused: import("./types.js").BatchFile[]}} props */
function Refused({ refused }) {
  return html`
    <details class="batch-refused" data-testid="batch-refused">
      <summary>${counted(refused.length, "file")} refused: see why</summary>
      <ul>
        ${refused.map(
          (file) => html`<li key=${file.position}>
            <span class="file-name">${file.archive && `${file.archive}: `}${file.filename}</span>
            <span class="refusal">${file.refusal?.detail}</span>
          </li>`,
        )}
      </ul>
    </details>
  `;
}

/** @param {import("./batches.js").BatchShown} shown */
function summary({ batch, files, trouble }) {
  const counts = batch?.counts;
  if (trouble) return counts ? `${counted(counts.received, "file")} arrived, then it broke off` : "Nothing arrived";
  if (!counts) return `Sending ${counted(files.length, "file")}`;
  const kept = counts.received - counts.refused;
  const described = `${plainNumber(counts.complete)} of ${plainNumber(kept)} described`;
  if (batch.state === "receiving") {
    const all = files.length > counts.received ? ` of ${plainNumber(files.length)}` : ""; // a ZIP has many files
    return `${plainNumber(counts.received)}${all} arrived, ${plainNumber(counts.complete)} described`;
  }
  if (batch.state === "cancelled") return `Cancelled: ${plainNumber(counts.complete)} of ${plainNumber(kept)} described`;
  const parts = [described];
  if (batch.is_done && counts.failed > 0) parts.push(`${plainNumber(counts.failed)} not`);
  if (counts.known > 0) parts.push(`${plainNumber(counts.known)} already here`);
  return parts.join(", ");
}

/** How fast it goes, and for how long still. @param {import("./batches.js").BatchShown} shown */
function pace({ batch, sent, files }) {
  const parts = [];
  if (files.length > 0 && sent < 1) parts.push(`${Math.floor(sent * 100)}\u00a0% sent`);
  if (batch && batch.rate_per_s > 0) {
    const isSlow = batch.rate_per_s < 1;
    const rate = isSlow ? Math.round(batch.rate_per_s * 60) : Math.round(batch.rate_per_s);
    parts.push(`${plainNumber(Math.max(rate, 1))} a ${isSlow ? "minute" : "second"}`);
    if (batch.eta_s && batch.state !== "receiving") parts.push(`about ${duration(batch.eta_s)} left`);
  }
  if (parts.length === 0) parts.push("You may close the page once all is sent");
  return parts.join(" · ");
}

/** @param {import("./types.js").Batch | null} batch */
function ending(batch) {
  if (batch?.state === "interrupted") return `Not all came: ${batch.reason ?? "the sending broke off"}.`;
  if (batch?.state === "cancelled") return "What had arrived is kept.";
  return "All done.";
}

/** Sending is half of it, describing the other half. @param {import("./batches.js").BatchShown} shown */
function part({ batch, sent, files }) {
  const counts = batch?.counts;
  const done = counts ? counts.complete + counts.failed + counts.deleted + counts.refused : 0;
  const expected = Math.max(counts?.received ?? 0, files.length, 1);
  return (sent + done / expected) / 2;
}
