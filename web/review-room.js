/** One picture after the other that the model was not sure of: one key a label, and the next one comes at once. */

import { go } from "./address.js";
import { previewUrl } from "./api.js";
import { Icon } from "./icons.js";
import { hueOf } from "./label-hue.js";
import { say } from "./language.js";
import { Review } from "./review.js";
import { html, useEffect, useKeys, useLayoutEffect, useMemo, useRef, useWatched } from "./view.js";
import { altOf, captionOf, labelName, percent } from "./words.js";

const KEYS = ["1", "2", "3", "4", "5", "6", "7", "8", "9", "0"];

/** @param {{library: import("./types.js").Library}} props */
export function ReviewRoom({ library: { pictures, counts } }) {
  const review = useMemo(() => new Review((picture) => pictures.put(picture)), []);
  const room = useRef(/** @type {HTMLElement | null} */ (null));
  useWatched(review, counts);
  const choices = choicesOf(review, counts);

  useLayoutEffect(() => room.current?.focus(), []);
  useEffect(() => {
    void review.load();
    document.title = `${say("review.name")} · Legenda`;
    const leave = () => void review.send();
    addEventListener("pagehide", leave);
    return () => {
      removeEventListener("pagehide", leave);
      review.send().then(() => counts.recount());
    };
  }, []);
  useKeys((event) => {
    if (event.altKey || event.ctrlKey || event.metaKey) return;
    const label = choices[KEYS.indexOf(event.key)];
    const doIt = label
      ? () => review.decide(label)
      : { Backspace: () => review.back(), ArrowRight: () => review.skip(), Escape: leaveReview }[event.key];
    if (!doIt) return;
    event.preventDefault();
    doIt();
  });
  const { picture } = review;
  return html`
    <div class="review" role="dialog" aria-modal="true" aria-label=${say("review.name")} tabindex="-1" ref=${room} data-testid="review">
      <${Progress} review=${review} />
      ${
        picture
          ? html`<${Asked} key=${picture.id} picture=${picture} /><${Choices} picture=${picture} choices=${choices} review=${review} />`
          : html`<${Nothing} review=${review} />`
      }
    </div>
  `;
}

const leaveReview = () => go({ room: "" });

/** @param {{review: Review}} props */
function Progress({ review }) {
  const done = review.said.size;
  const all = review.items.length;
  return html`
    <div class="review-bar">
      <button class="button bare" type="button" aria-disabled=${review.at ? "false" : "true"} onClick=${() => review.back()}>
        <${Icon} name="left" /><span class="button-word">${say("review.back")}</span>
      </button>
      <p aria-live="polite" data-testid="review-count">${say("review.decided", { count: done })}</p>
      <button class="button bare square" type="button" aria-label=${say("close")} title=${say("closeEsc")} onClick=${leaveReview}>
        <${Icon} name="close" />
      </button>
      <span class="review-line" style=${{ "--part": all ? review.at / all : 0 }}></span>
    </div>
    ${review.picture && review.problem && html`<p class="trouble" role="alert">${review.problem}</p>`}
  `;
}

/** @param {{picture: import("./types.js").Picture}} props */
function Asked({ picture }) {
  return html`
    <figure class="asked">
      <img src=${previewUrl(picture.id)} alt=${altOf(picture)} data-testid="review-picture" data-picture=${picture.id} />
      <figcaption class="caption">${captionOf(picture)}</figcaption>
    </figure>
  `;
}

/** @param {{picture: import("./types.js").Picture, choices: string[], review: Review}} props */
function Choices({ picture, choices, review }) {
  const chance = (/** @type {string} */ label) => picture.labels.find(({ value }) => value === label)?.confidence ?? 0;
  return html`
    <ul class="choices" aria-label=${say("review.ask")}>
      ${choices.map(
        (label, at) => html`
          <li key=${label}>
            <button
              type="button"
              data-testid="review-choice"
              data-label=${label}
              data-hue=${hueOf(label)}
              aria-pressed=${review.said.get(picture.id) === label ? "true" : "false"}
              style=${{ "--part": chance(label) }}
              onClick=${() => review.decide(label)}
            >
              <kbd>${KEYS[at]}</kbd> <span>${labelName(label)}</span> <span class="number">${percent(chance(label))}</span>
            </button>
          </li>
        `,
      )}
      <li>
        <button type="button" data-testid="review-skip" onClick=${() => review.skip()}><kbd>→</kbd> <span>${say("review.later")}</span></button>
      </li>
    </ul>
  `;
}

/** @param {{review: Review}} props */
function Nothing({ review }) {
  if (review.state === "loading") return html`<p class="nothing" aria-busy="true">${say("review.looking")}</p>`;
  const words =
    review.state === "failed"
      ? review.problem
      : review.items.length
        ? say("review.all")
        : say("review.nothing");
  return html`
    <div class="nothing" role="status" data-testid="review-end">
      <p>${words}</p>
      ${review.state === "failed" && html`<button class="button" type="button" onClick=${() => review.load()}>${say("tryAgain")}</button>`}
      <button class="button" type="button" onClick=${leaveReview}>${say("gallery.show")}</button>
    </div>
  `;
}

/**
 * At most ten labels, always in the same order, so that a key keeps its meaning: those of the model, then a person's own.
 *
 * @param {Review} review
 * @param {import("./label-counts.js").LabelCounts} counts
 */
function choicesOf(review, counts) {
  const byModel = (review.items[0]?.labels ?? []).map(({ value }) => value).sort();
  const own = counts.items.map(({ label }) => label).filter((label) => label !== "unclassified");
  return [...new Set([...byModel, ...own])].slice(0, KEYS.length);
}
