/** How this Legenda is doing, for people: it asks again and again, and says when it last heard something. */

import { tellStatus } from "./api-session.js";
import { keepAsking } from "./keep-asking.js";
import { LanguageSwitch } from "./language-switch.js";
import { say, speech } from "./language.js";
import { Door } from "./log-in.js";
import { LogOut } from "./log-out.js";
import { Pace } from "./status-pace.js";
import { Services } from "./status-services.js";
import { ThemeSwitch } from "./theme.js";
import { html, render, useEffect, useState, useWatched } from "./view.js";
import { clock, fileSize, listed, plainNumber, span } from "./words.js";

const WAITS = { firstMs: 5_000, longestMs: 5_000 };

function StatusPage() {
  const [status, setStatus] = useState(/** @type {import("./types.js").PlatformStatus | null} */ (null));
  const [problem, setProblem] = useState("");
  useWatched(speech);

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
      <div class="header-end"><${LogOut} /><${LanguageSwitch} /><${ThemeSwitch} /></div>
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
      <h2 id="services-title">${say("status.services")}</h2>
      <${Services} services=${services} />
    </section>
    ${
      storage &&
      html`<section aria-labelledby="backlog-title">
          <h2 id="backlog-title">${say("status.waiting")}</h2>
          <dl class="figures" data-testid="backlog">
            <div><dt>${say("status.pending")}</dt><dd data-testid="pending">${plainNumber(storage.pending)}</dd></div>
            <div><dt>${say("status.oldest")}</dt><dd data-testid="oldest">${status.oldest_pending_s === null ? "–" : span(status.oldest_pending_s)}</dd></div>
            <div><dt>${say("status.failed")}</dt><dd>${plainNumber(storage.failed)}</dd></div>
          </dl>
        </section>
        <section aria-labelledby="pace-title">
          <h2 id="pace-title">${say("status.pace")}</h2>
          <${Pace} perMinute=${storage.described_a_minute} />
        </section>
        <section aria-labelledby="storage-title">
          <h2 id="storage-title">${say("status.kept")}</h2>
          <dl class="figures">
            <div><dt>${say("status.pictures", { count: storage.images })}</dt><dd data-testid="kept">${plainNumber(storage.images)}</dd></div>
            <div><dt>${say("status.originals")}</dt><dd>${fileSize(storage.stored_bytes)}</dd></div>
          </dl>
        </section>`
    }
    <p class="note">${say(isOld ? "status.lastHeard" : "status.asOf", { time: clock(status.asked_at) })}</p>
  `;
}

/** @param {string[]} away names of services that are not ready */
function verdict(away) {
  if (away.length === 0) return say("status.well");
  const rest = say(away.includes("storage") ? "status.noStorage" : "status.noModel");
  return `${say("status.away", { count: away.length, names: listed(away) })} ${rest}`;
}

document.documentElement.lang = speech.language;
render(html`<${Door}><${StatusPage} /><//>`, /** @type {HTMLElement} */ (document.getElementById("page")));
