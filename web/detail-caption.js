/** The caption under the plate: click it to write a better one, or choose another reading below. */

import { useCorrection } from "./correction.js";
import { say } from "./language.js";
import { Marked } from "./marked-words.js";
import { html, useLayoutEffect, useRef, useState } from "./view.js";
import { captionOf, speaker } from "./words.js";

const MOST_OTHERS = 4;

/**
 * @typedef {object} CaptionProps
 * @property {import("./types.js").Picture} picture
 * @property {import("./pictures.js").Pictures} pictures
 * @property {string} q what was searched for
 * @param {CaptionProps} props
 */
export function DetailCaption({ picture, pictures, q }) {
  const [isWriting, setIsWriting] = useState(false);
  const button = useRef(/** @type {HTMLButtonElement | null} */ (null));
  const wasWriting = useRef(false);
  const { failure, correct } = useCorrection(picture, pictures);
  const { caption } = picture;
  const others = picture.captions.filter(({ value }) => value !== caption?.value).slice(0, MOST_OTHERS);

  useLayoutEffect(() => {
    if (wasWriting.current && document.activeElement === document.body) button.current?.focus();
    wasWriting.current = isWriting;
  }, [isWriting]);
  const save = (/** @type {string} */ words) => {
    setIsWriting(false);
    if (words && words !== caption?.value) void correct({ caption: words });
  };
  return html`
    <section class="said" aria-label=${say("caption.name")}>
      ${
        isWriting
          ? html`<${CaptionField} words=${caption?.value ?? ""} onSave=${save} onLeave=${() => setIsWriting(false)} />`
          : html`<button
              class="caption-button"
              type="button"
              ref=${button}
              title=${say("caption.better")}
              onClick=${() => setIsWriting(true)}
            >
              <span class="caption ${caption ? "" : "missing"}" data-testid="detail-caption"
                ><${Marked} text=${captionOf(picture)} q=${caption ? q : ""}
              /></span>
            </button>`
      }
      <p class="note" data-testid="detail-caption-source">
        ${caption && say("saidBy", { who: speaker(caption) })}
        ${!caption && say("caption.write")}
      </p>
      ${failure && html`<p class="trouble" role="alert">${say("caption.notSaved")} ${failure}</p>`}
      ${
        others.length > 0 &&
        html`<h2 class="small-title">${say("caption.others")}</h2>
          <ul class="others">
            ${others.map(
              ({ value }) =>
                html`<li key=${value}>
                  <button type="button" data-testid="other-caption" onClick=${() => correct({ caption: value })}>
                    ${value}
                  </button>
                </li>`,
            )}
          </ul>`
      }
    </section>
  `;
}

/** @param {{words: string, onSave: (words: string) => void, onLeave: () => void}} props */
function CaptionField({ words, onSave, onLeave }) {
  const form = useRef(/** @type {HTMLFormElement | null} */ (null));
  const field = useRef(/** @type {HTMLTextAreaElement | null} */ (null));
  const isDone = useRef(false); // taking the field away moves the focus too, and must not save
  useLayoutEffect(() => {
    grow();
    field.current?.select();
  }, []);

  const grow = () => {
    if (!field.current) return;
    field.current.style.height = "auto";
    field.current.style.height = `${field.current.scrollHeight}px`;
  };
  const written = () => (field.current?.value ?? "").replace(/\s+/g, " ").trim();
  const save = () => {
    if (isDone.current) return;
    isDone.current = true;
    onSave(written());
  };
  const leave = () => {
    isDone.current = true;
    onLeave();
  };
  const onSubmit = (/** @type {Event} */ event) => {
    event.preventDefault();
    save();
  };
  const onKeyDown = (/** @type {KeyboardEvent} */ event) => {
    if (event.key === "Enter" && !event.isComposing) onSubmit(event);
    if (event.key !== "Escape") return;
    event.preventDefault();
    leave();
  };
  const onFocusOut = (/** @type {FocusEvent} */ event) => {
    if (!form.current?.contains(/** @type {Node | null} */ (event.relatedTarget))) save();
  };
  return html`
    <form class="caption-form" ref=${form} onSubmit=${onSubmit} onfocusout=${onFocusOut}>
      <textarea
        class="caption"
        ref=${field}
        rows="1"
        maxlength="500"
        aria-label=${say("caption.name")}
        data-testid="caption-field"
        defaultValue=${words}
        onInput=${grow}
        onKeyDown=${onKeyDown}
      ></textarea>
      <button class="button filled" type="submit">${say("save")}</button>
      <button class="button" type="button" onClick=${leave}>${say("cancel")}</button>
    </form>
  `;
}
