/** Pictures that look like the open one, and the one that it is almost the same as. */

import { adjust, followLink, hrefOf, readPlace } from "./address.js";
import { listSimilar, previewUrl } from "./api.js";
import { say } from "./language.js";
import { html, useEffect, useState } from "./view.js";
import { altOf } from "./words.js";

const MOST_SHOWN = 8;
/** Further away than this there is nothing that people would call alike. */
const FARTHEST = 0.8;
const NOT_LOOKED_AT_YET = 409;

/** @param {{picture: import("./types.js").Picture, pictures: import("./pictures.js").Pictures}} props */
export function DetailSimilar({ picture, pictures }) {
  const [found, setFound] = useState(/** @type {import("./types.js").SimilarPicture[] | null} */ (null));
  const [failure, setFailure] = useState("");
  const { id, status, duplicate_of: twin } = picture;

  useEffect(() => {
    const request = new AbortController();
    setFailure("");
    if (status === "pending") {
      setFound([]); // nothing has looked at it yet
      return undefined;
    }
    listSimilar(id, MOST_SHOWN, request.signal)
      .then(({ items }) => setFound(items.filter(({ distance }) => distance <= FARTHEST)))
      .catch((error) => {
        if (request.signal.aborted) return;
        setFound([]);
        if (error.status !== NOT_LOOKED_AT_YET) setFailure(error.message);
      });
    return () => request.abort();
  }, [id, status]);

  if (!twin && !failure && found?.length === 0) return null;
  return html`
    <section class="similar" aria-label=${say("similar.name")} data-testid="similar">
      ${twin && html`<${Twin} id=${twin.id} pictures=${pictures} />`}
      ${found?.length !== 0 && html`<h2 class="small-title">${say("similar.title")}</h2>`}
      ${
        found?.length !== 0 &&
        html`<ul>
          ${(found ?? Array(MOST_SHOWN).fill(null)).map((one, at) =>
            one
              ? html`<${Small} key=${one.image.id} picture=${one.image} pictures=${pictures} />`
              : html`<li key=${at} class="coming"></li>`,
          )}
        </ul>`
      }
      ${failure && html`<p class="trouble" role="alert">${failure}</p>`}
    </section>
  `;
}

/** @param {{id: string, pictures: import("./pictures.js").Pictures}} props */
function Twin({ id, pictures }) {
  return html`
    <p class="twin" data-testid="near-duplicate">
      <a href=${hrefOf({ ...readPlace(), picture: id })} data-picture=${id} onClick=${opener(id)}>
        <img src=${previewUrl(id)} alt=${pictures.find(id)?.filename ?? ""} width="40" height="40" />
        <span>${say("similar.twin")}</span>
      </a>
    </p>
  `;
}

/** @param {{picture: import("./types.js").Picture, pictures: import("./pictures.js").Pictures}} props */
function Small({ picture, pictures }) {
  const { id } = picture;
  if (pictures.isHidden(id)) return null;
  return html`
    <li>
      <a
        href=${hrefOf({ ...readPlace(), picture: id })}
        title=${altOf(picture)}
        data-testid="similar-picture"
        data-picture=${id}
        onClick=${opener(id)}
      >
        <img src=${previewUrl(id)} alt=${altOf(picture)} width="80" height="80" loading="lazy" decoding="async" />
      </a>
    </li>
  `;
}

/** @param {string} id */
const opener = (id) => (/** @type {MouseEvent} */ event) => followLink(event, () => adjust({ picture: id }));
