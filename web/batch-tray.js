/** The batches at the foot of the page: how far each is, how long it still takes, what was refused and why. */

import { inWords } from "./ask.js";
import { countsOf, isBeingSent, stateOf } from "./batch-shown.js";
import { Icon } from "./icons.js";
import { say } from "./language.js";
import { html, useWatched } from "./view.js";
import { duration } from "./words.js";

/** @param {{batches: import("./batches.js").Batches}} props */
export function BatchTray({ batches }) {
  useWatched(batches);
  return batches.items.map((shown) => html`<${BatchPanel} key=${shown.id} shown=${shown} batches=${batches} />`);
}

/** @param {{shown: import("./batch-shown.js").BatchShown, batches: import("./batches.js").Batches}} props */
function BatchPanel({ shown, batches }) {
  const { batch, trouble, refused } = shown;
  const isPaused = shown.isPaused;
  const isRunning = !trouble && !isPaused && !batch?.is_done;
  const state = isPaused ? "paused" : trouble ? "failed" : isBeingSent(shown) ? "sending" : (stateOf(shown) ?? "sending");
  return html`
    <section class="tray batch" aria-label=${say("batch.name")} data-testid="batch" data-state=${state}>
      <header>
        <p role="status" data-testid="batch-summary">${summary(shown)}</p>
        ${
          isBeingSent(shown) &&
          !isPaused &&
          html`<button class="button bare" type="button" data-testid="batch-pause" onClick=${() => batches.pause(shown)}>
            ${say("batch.pause")}
          </button>`
        }
        ${
          isPaused &&
          html`<button class="button bare" type="button" data-testid="batch-resume" onClick=${() => batches.resume(shown)}>
            ${say("batch.resume")}
          </button>`
        }
        ${
          isRunning
            ? html`<button class="button bare" type="button" data-testid="batch-cancel" disabled=${!batch} onClick=${() => batches.cancel(shown)}>
                ${say("cancel")}
              </button>`
            : html`<button class="button bare square" type="button" aria-label=${say("close")} onClick=${() => batches.close(shown)}>
                <${Icon} name="close" />
              </button>`
        }
      </header>
      ${isRunning && html`<progress class="batch-bar" aria-label=${say("batch.progress")} max="1" value=${part(shown)}></progress>`}
      <p class="note batch-note" data-testid="batch-note">${isPaused ? say("batch.paused") : isRunning ? pace(shown) : trouble || ending(shown)}</p>
      ${
        !isRunning &&
        !isPaused &&
        shown.files.length > 0 &&
        (trouble || state === "interrupted" || state === "cancelled") &&
        html`<p class="batch-again">
          <button class="button" type="button" onClick=${() => batches.sendAgain(shown)}>${say("batch.sendAgain")}</button>
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
      <summary>${say("batch.refused", { count: refused.length })}</summary>
      <ul>
        ${refused.map(
          (file, at) => html`<li key=${at}>
            <span class="file-name">${file.archive && `${file.archive}: `}${file.filename}</span>
            <span class="refusal">${file.refusal && inWords(file.refusal.code, file.refusal.detail)}</span>
          </li>`,
        )}
      </ul>
    </details>
  `;
}

/** @param {import("./batch-shown.js").BatchShown} shown */
function summary(shown) {
  const { batch, files, trouble } = shown;
  const counts = countsOf(shown);
  if (trouble) return counts.received ? say("batch.brokeOff", { count: counts.received }) : say("batch.nothing");
  if (counts.received === 0 && !batch) return say("batch.sending", { count: files.length });
  const { received, complete } = counts;
  if (shown.isPaused || batch?.state === "receiving") {
    return files.length > received // a ZIP has many files
      ? say("batch.arrivedOf", { count: received, all: shown.total, done: complete })
      : say("batch.arrived", { count: received, done: complete });
  }
  const described = say("described.of", { done: complete, count: received - counts.refused });
  if (batch?.state === "cancelled") return say("batch.cancelled", { described });
  const parts = [described];
  if (batch?.is_done && counts.failed > 0) parts.push(say("batch.not", { count: counts.failed }));
  if (counts.known > 0) parts.push(say("batch.known", { count: counts.known }));
  return parts.join(", ");
}

/** How fast it goes, and for how long still. @param {import("./batch-shown.js").BatchShown} shown */
function pace({ batch, sent, files }) {
  const parts = [];
  if (files.length > 0 && sent < 1) parts.push(say("batch.sent", { percent: Math.floor(sent * 100) }));
  if (batch && batch.rate_per_s > 0) {
    const isSlow = batch.rate_per_s < 1;
    const rate = isSlow ? Math.round(batch.rate_per_s * 60) : Math.round(batch.rate_per_s);
    parts.push(say(isSlow ? "batch.aMinute" : "batch.aSecond", { rate: Math.max(rate, 1) }));
    if (batch.eta_s && batch.state !== "receiving") parts.push(say("batch.left", { time: duration(batch.eta_s) }));
  }
  return parts.join(" · ") || say("batch.mayClose");
}

/** @param {import("./batch-shown.js").BatchShown} shown */
function ending(shown) {
  const state = stateOf(shown);
  if (state === "interrupted") return say("batch.interrupted", { why: shown.batch?.reason ?? say("batch.broke") });
  return say(state === "cancelled" ? "batch.isKept" : "batch.done");
}

/** Sending is half of it, describing the other half. @param {import("./batch-shown.js").BatchShown} shown */
function part(shown) {
  const { complete, failed, deleted, refused, received } = countsOf(shown);
  const expected = Math.max(received, shown.total, 1);
  return (shown.sent + (complete + failed + deleted + refused) / expected) / 2;
}
