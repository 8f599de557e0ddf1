/** Where the model looked: its words, and its map over the picture while one of them is pointed at. */

import { whereItLooks } from "./api.js";
import { html, useEffect, useState } from "./view.js";

/**
 * @typedef {object} LooksProps
 * @property {import("./types.js").Picture} picture
 * @property {(weights: number[][] | null) => void} onLook
 * @param {LooksProps} props
 */
export function DetailLooks({ picture, onLook }) {
  const [state, setState] = useState(/** @type {"closed" | "asking" | "open"} */ ("closed"));
  const [attention, setAttention] = useState(/** @type {import("./types.js").ImageAttention | null} */ (null));
  const [failure, setFailure] = useState("");
  useEffect(() => () => onLook(null), []);

  const open = async () => {
    setState("asking");
    setFailure("");
    try {
      setAttention(await whereItLooks(picture.id));
      setState("open");
    } catch (error) {
      setFailure(/** @type {Error} */ (error).message);
      setState("closed");
    }
  };
  const close = () => {
    onLook(null);
    setState("closed");
  };
  return html`
    <section class="looks" aria-label="Where it looked">
      <button
        class="quiet"
        type="button"
        aria-expanded=${state === "open" ? "true" : "false"}
        aria-busy=${state === "asking" ? "true" : "false"}
        data-testid="where-it-looked"
        onClick=${{ closed: open, asking: undefined, open: close }[state]}
      >
        ${state === "asking" ? "Looking again …" : "Where it looked"}
      </button>
      ${state === "open" && attention && html`<${Words} attention=${attention} onLook=${onLook} />`}
      ${failure && html`<p class="trouble" role="alert">${failure}</p>`}
    </section>
  `;
}

/** @param {{attention: import("./types.js").ImageAttention, onLook: LooksProps["onLook"]}} props */
function Words({ attention: { words, model }, onLook }) {
  const [chosen, setChosen] = useState(-1);
  const look = (/** @type {number} */ at) => {
    setChosen(at);
    onLook(words[at]?.weights ?? null);
  };
  // A finger's enter and leave surround its tap; a tap is a click and stays.
  const withMouse = (/** @type {PointerEvent} */ event, /** @type {number} */ at) =>
    event.pointerType === "mouse" && look(at);
  return html`
    <p class="looks-words">
      ${words.map(
        ({ word }, at) =>
          html`<button
            key=${at}
            type="button"
            aria-pressed=${at === chosen ? "true" : "false"}
            data-testid="look-word"
            onPointerEnter=${(/** @type {PointerEvent} */ event) => withMouse(event, at)}
            onPointerLeave=${(/** @type {PointerEvent} */ event) => withMouse(event, -1)}
            onFocus=${() => look(at)}
            onBlur=${() => look(-1)}
            onClick=${() => look(at)}
          >
            ${word}
          </button>`,
      )}
    </p>
    <p class="note">
      What ${model.name} ${model.version} says of it now. Point at a word: the picture stays bright where it looked.
    </p>
  `;
}
