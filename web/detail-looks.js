/** Where the model looked: its words, and its map over the picture while one of them is pointed at. */

import { whereItLooks } from "./api.js";
import { say } from "./language.js";
import { OnDemand } from "./on-demand.js";
import { html, useEffect, useState } from "./view.js";

/**
 * @typedef {object} LooksProps
 * @property {import("./types.js").Picture} picture
 * @property {(weights: number[][] | null) => void} onLook
 * @param {LooksProps} props
 */
export function DetailLooks({ picture, onLook }) {
  useEffect(() => () => onLook(null), []);
  return html`
    <section class="looks" aria-label=${say("looks.name")}>
      <${OnDemand}
        name=${say("looks.name")}
        meanwhile=${say("looks.meanwhile")}
        testid="where-it-looked"
        ask=${() => whereItLooks(picture.id)}
        draw=${(/** @type {import("./types.js").ImageAttention} */ answer) =>
          html`<${Words} attention=${answer} onLook=${onLook} />`}
        onClose=${() => onLook(null)}
      />
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
      ${say("looks.note", { model: `${model.name} ${model.version}` })}
    </p>
  `;
}
