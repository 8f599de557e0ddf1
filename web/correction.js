/** Sending a person's correction: it shows at once, and is taken back where the server refuses. */

import { correctPicture } from "./api.js";
import { useState } from "./view.js";

/** The corrections on their way, by their picture. @type {Map<string, Promise<unknown>>} */
const underWay = new Map();

/** Resolves when the server has kept or refused what was last said of a picture. @param {string} id */
export const settled = (id) => Promise.allSettled([underWay.get(id)]);

/**
 * @param {import("./types.js").Picture} picture
 * @param {import("./pictures.js").Pictures} pictures
 * @returns {{failure: string, correct: (correction: import("./types.js").Correction) => Promise<boolean>}}
 *   `failure` says in words why the last correction was refused
 */
export function useCorrection(picture, pictures) {
  const [failure, setFailure] = useState("");

  const correct = async (/** @type {import("./types.js").Correction} */ correction) => {
    const byPerson = Object.entries(correction).map(([part, value]) => [part, { ...BY_PERSON, value }]);
    setFailure("");
    pictures.put({ ...picture, ...Object.fromEntries(byPerson) });
    const sent = correctPicture(picture.id, correction);
    underWay.set(picture.id, sent);
    try {
      pictures.put(await sent);
      return true;
    } catch (error) {
      pictures.put(picture);
      setFailure(/** @type {Error} */ (error).message);
      return false;
    } finally {
      if (underWay.get(picture.id) === sent) underWay.delete(picture.id);
    }
  };
  return { failure, correct };
}

const BY_PERSON = { confidence: null, source: "person", model: null };
