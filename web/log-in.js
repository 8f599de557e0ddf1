/** What stands before the page where a key is asked for. */

import { say, speech } from "./language.js";
import { session } from "./session.js";
import { html, useEffect, useLayoutEffect, useRef, useState, useWatched } from "./view.js";

/** The page, or the question for a key. @param {{children: unknown}} props */
export function Door({ children }) {
  useWatched(session, speech);
  useEffect(() => void session.load(), []);
  return session.isLocked ? html`<${LogIn} />` : children;
}

function LogIn() {
  const [problem, setProblem] = useState("");
  const [isAsking, setIsAsking] = useState(false);
  const field = useRef(/** @type {HTMLInputElement | null} */ (null));
  useLayoutEffect(() => field.current?.focus(), []);

  const submit = async (/** @type {SubmitEvent} */ event) => {
    event.preventDefault();
    const key = field.current?.value.trim() ?? "";
    if (!key) return;
    setIsAsking(true);
    setProblem("");
    try {
      await session.logIn(key);
    } catch (error) {
      setProblem(/** @type {Error} */ (error).message);
      setIsAsking(false);
      field.current?.select();
    }
  };
  return html`
    <main class="log-in">
      <form onSubmit=${submit} data-testid="log-in">
        <h1 class="name">Legenda</h1>
        <label for="key">${say("key.ask")}</label>
        <input
          id="key"
          type="password"
          name="key"
          autocomplete="current-password"
          spellcheck="false"
          placeholder="legenda_…"
          ref=${field}
          aria-describedby="key-note"
          aria-invalid=${problem ? "true" : "false"}
          data-testid="key"
        />
        ${problem && html`<p class="trouble" role="alert" data-testid="log-in-problem">${problem}</p>`}
        <button class="button filled" type="submit" aria-disabled=${isAsking ? "true" : "false"}>${say("key.open")}</button>
        <p class="note" id="key-note">
          ${say("key.who")} <code>gateway-keys new</code>. ${say("key.stays")}
        </p>
      </form>
    </main>
  `;
}
