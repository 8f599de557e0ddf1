/** How this Legenda is doing, for people: it asks again and again, and says when it last heard something. */

import { tellStatus } from "./api.js";
import { keepAsking } from "./keep-asking.js";
import { Door } from "./log-in.js";
import { LogOut } from "./log-out.js";
import { Pace } from "./status-pace.js";
import { Services } from "./status-services.js";
import { ThemeSwitch } from "./theme.js";
import { html, render, useEffect, useState } from "./view.js";
import { counted, fileSize, plainNumber, span } from "./words.js";

const WAITS = { firstMs: 5_000, longestMs: 5_000 };

function StatusPage() {
  const [status, setStatus] = useState(/** @type {import("./types.js").PlatformStatus | null} */ (null));
  const [problem, setProblem] = useState("");

  useEffect(() => {
    const ask = async () => {
      try {
        setStatus(await tellStatus());
        setProblem("");
      } catch (error) {
        setProblem(/** @type {Error} */ (error).message);
      }
    };
    void ask();
    return keepAsking(ask, WAITS);
  }, []);
  return html`
    <header class="header status-header">
      <h1 class="name"><a href="./">Legenda</a></h1>
      <div class="header-end"><${LogOut} /><${ThemeSwitch} /></div>
    </header>
    <main class="status" aria-busy=${status || problem ? "false" : "true"}>
      ${problem && html`<p class="trouble" role="alert" data-testid="status-problem">${problem}</p>`}
      ${status && html`<${Told} status=${status} isOld=${Boolean(problem)} />`}
    </main>
  `;
}

/** @param {{status: import("./types.js").PlatformStatus, isOld: boolean}} props */
function Told({ status, isOld }) {
  const { services, storage } = status;
  // The gateway answers, or nothing would stand here; it calls itself ready once all others have been.
  const away = services.filter(({ name, is_ready }) => !is_ready && name !== "gateway").map(({ name }) => name);
  return html`
    <p class="verdict ${away.length ? "troubled" : ""}" role="status" data-testid="verdict">${verdict(away)}</p>
    <section aria-labelledby="services-title">
      <h2 id="services-title">Services</h2>
      <${Services} services=${services} />
    </section>
    ${
      storage &&
      html`<section aria-labelledby="backlog-title">
          <h2 id="backlog-title">Waiting</h2>
          <dl class="figures" data-testid="backlog">
            <div><dt>still being described</dt><dd data-testid="pending">${plainNumber(storage.pending)}</dd></div>
            <div><dt>the oldest has waited</dt><dd data-testid="oldest">${status.oldest_pending_s === null ? "–" : span(status.oldest_pending_s)}</dd></div>
            <div><dt>given up</dt><dd>${plainNumber(storage.failed)}</dd></div>
          </dl>
        </section>
        <section aria-labelledby="pace-title">
          <h2 id="pace-title">Described in the last hour</h2>
          <${Pace} perMinute=${storage.described_a_minute} />
        </section>
        <section aria-labelledby="storage-title">
          <h2 id="storage-title">Kept</h2>
          <dl class="figures">
            <div><dt>${storage.images === 1 ? "picture" : "pictures"}</dt><dd data-testid="kept">${plainNumber(storage.images)}</dd></div>
            <div><dt>of originals</dt><dd>${fileSize(storage.stored_bytes)}</dd></div>
          </dl>
        </section>`
    }
    <p class="note">${isOld ? "Last heard" : "As of"} ${new Date(status.asked_at).toLocaleTimeString("en-GB")}.</p>
  `;
}

/** @param {string[]} away names of services that are not ready */
function verdict(away) {
  if (away.length === 0) return "All is well.";
  const names = away.join(" and ");
  const rest = away.includes("storage") ? "Pictures cannot be shown or kept now." : "New pictures are kept, and described later.";
  return `${counted(away.length, "service")} not ready: ${names}. ${rest}`;
}

render(html`<${Door}><${StatusPage} /><//>`, /** @type {HTMLElement} */ (document.getElementById("page")));
