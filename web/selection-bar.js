/** What can be done with all chosen pictures at once: a bar at the foot of the page while any are chosen. */

import { describeAgain, exportChosenUrl } from "./api.js";
import { Icon } from "./icons.js";
import { LabelField } from "./label-field.js";
import { say } from "./language.js";
import { session } from "./session.js";
import { html, useEffect, useKeys, useState, useWatched } from "./view.js";

/** @param {{library: import("./types.js").Library}} props */
export function SelectionBar({ library }) {
  const { selection, counts, deletions } = library;
  useWatched(selection, session, counts);
  const [isLabelling, setIsLabelling] = useState(false);
  const count = selection.size;
  const isAny = count > 0;
  useEffect(() => {
    if (!isAny) setIsLabelling(false);
    document.documentElement.classList.toggle("has-selection", isAny);
  }, [isAny]);
  useKeys((event) => {
    if (!isAny || event.key !== "Escape" || event.defaultPrevented || document.querySelector("[inert]")) return;
    if (isLabelling) setIsLabelling(false);
    else selection.clear();
  });
  if (!isAny) return null;

  const relabel = async (/** @type {string} */ label) => {
    setIsLabelling(false);
    await selection.relabel(
      label,
      (done) => say("selection.labelled", { count: done }),
      (failed, why) => `${say("selection.notLabelled", { count: failed })} ${why}`,
    );
    counts.recount();
  };
  const again = async () => {
    try {
      const { images } = await describeAgain(selection.ids);
      selection.tell(say("selection.again", { count: images }));
    } catch (error) {
      selection.tell(/** @type {Error} */ (error).message, true);
    }
  };
  const remove = () => {
    const chosen = selection.items;
    selection.clear();
    deletions.start(chosen);
  };
  return html`
    <section class="selection" aria-label=${say("selection.name")} data-testid="selection">
      ${
        isLabelling &&
        html`<${LabelField} id="labels-for-all" known=${counts.items.map((item) => item.label)} onChoose=${relabel} isFocused=${true} />`
      }
      <div class="selection-line">
        <p role="status" class=${selection.isTroubled ? "trouble" : ""} data-testid="selection-count">
          ${selection.word || say("selection.count", { count })}
        </p>
        <button class="button bare to-change" type="button" aria-expanded=${isLabelling ? "true" : "false"} data-testid="selection-label" onClick=${() => setIsLabelling(!isLabelling)}>
          <${Icon} name="pen" /><span class="button-word">${say("selection.label")}</span>
        </button>
        <a class="button bare" href=${exportChosenUrl(selection.ids)} download data-testid="selection-download">
          <${Icon} name="download" /><span class="button-word">${say("download")}</span>
        </a>
        ${
          session.known?.scope === "admin" &&
          html`<button class="button bare" type="button" data-testid="selection-again" onClick=${again}>
            <${Icon} name="again" /><span class="button-word">${say("selection.describeAgain")}</span>
          </button>`
        }
        <button class="button bare to-change" type="button" data-testid="selection-delete" onClick=${remove}>
          <${Icon} name="bin" /><span class="button-word">${say("delete")}</span>
        </button>
        <button class="button bare square" type="button" aria-label=${say("selection.clear")} title=${say("selection.clear")} data-testid="selection-clear" onClick=${() => selection.clear()}>
          <${Icon} name="close" />
        </button>
      </div>
    </section>
  `;
}
