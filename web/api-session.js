/** The gateway's addresses for how it is doing, and for whose key is shown. */

import { ask } from "./ask.js";

/** @returns {Promise<import("./types.js").PlatformStatus>} */
export const tellStatus = () => ask("status");

/** @returns {Promise<import("./types.js").SessionAnswer>} */
export const whoIsThere = () => ask("session");

/**
 * Have the browser keep a key, in a cookie.
 *
 * @param {string} key
 * @returns {Promise<import("./types.js").SessionAnswer>}
 */
export const logIn = (key) =>
  ask("session", {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ key }),
  });

/** @returns {Promise<void>} */
export const logOut = () => ask("session", { method: "DELETE" });
