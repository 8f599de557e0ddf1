/** A quiet line that is asked for by a click, answered by the server, and closed again. */

import { html, useState } from "./view.js";

/**
 * @template T
 * @typedef {object} OnDemandProps
 * @property {string} name what is asked for
 * @property {string} meanwhile what stands there until the answer comes
 * @property {string} testid
 * @property {() => Promise<T>} ask
 * @property {(answer: T) => any} draw
 * @property {() => void} onClose
 */

/** @param {OnDemandProps<any>} props */
export function OnDemand({ name, meanwhile, testid, ask, draw, onClose }) {
  const [state, setState] = useState(/** @type {"closed" | "asking" | "open"} */ ("closed"));
  const [answer, setAnswer] = useState(/** @type {any} */ (null));
  const [failure, setFailure] = useState("");

  const open = async () => {
    setState("asking");
    setFailure("");
    try {
      setAnswer(await ask());
      setState("open");
    } catch (error) {
      setFailure(/** @type {Error} */ (error).message);
      setState("closed");
    }
  };
  const close = () => {
    onClose();
    setState("closed");
  };
  return html`
    <button
      class="quiet"
      type="button"
      aria-expanded=${state === "open" ? "true" : "false"}
      aria-busy=${state === "asking" ? "true" : "false"}
      data-testid=${testid}
      onClick=${state === "open" ? close : open}
      disabled=${state === "asking"}
    >
      ${state === "asking" ? meanwhile : name}
    </button>
    ${state === "open" && draw(answer)}
    ${failure && html`<p class="trouble" role="alert">${failure}</p>`}
  `;
}
