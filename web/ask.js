/**
 * How the gateway is asked: every failure becomes a `Problem` whose message can be shown as it is.
 */

import { isKey, say } from "./language.js";

export const API = new URL("api/v1/", document.baseURI).href;

/** The event by which the page learns that it needs a key, or another one. */
export const LOCKED = "legenda-locked";

/** A request that failed, in words for people. */
export class Problem extends Error {
  /**
   * @param {number} status HTTP status, 0 when nothing answered
   * @param {string} detail
   * @param {number} [retryAfterS] when the server asks to come back
   */
  constructor(status, detail, retryAfterS) {
    super(sentence(detail));
    this.status = status;
    this.retryAfterS = retryAfterS;
  }
}

/**
 * Read a failed answer.
 *
 * @param {number} status
 * @param {string} body
 * @param {string | null} retryAfter the header
 */
export function problemFrom(status, body, retryAfter) {
  let detail = say("problem.server", { status: String(status) });
  try {
    const problem = JSON.parse(body);
    detail = inWords(problem.code, problem.detail || detail);
  } catch {
    // Not problem+json: something between us and the gateway answered.
  }
  if (status === 401) dispatchEvent(new Event(LOCKED));
  return new Problem(status, detail, Number(retryAfter) || undefined);
}

/**
 * Why something was refused, in the page's language where it has words for the code; else as the server says it.
 *
 * @param {string} code
 * @param {string} detail
 */
export function inWords(code, detail) {
  const key = `problem.${code}`;
  return isKey(key) ? say(key, { detail }) : detail;
}

export const unreachable = () => new Problem(0, say("problem.away"));

/**
 * @param {string} path
 * @param {RequestInit} [init]
 * @returns {Promise<any>}
 */
export async function ask(path, init) {
  let response;
  try {
    response = await fetch(API + path, init);
  } catch (error) {
    if (init?.signal?.aborted) throw error;
    throw unreachable();
  }
  if (!response.ok) throw problemFrom(response.status, await response.text(), response.headers.get("Retry-After"));
  return response.status === 204 ? undefined : response.json();
}

/** @param {string} detail */
function sentence(detail) {
  const text = detail.charAt(0).toUpperCase() + detail.slice(1);
  return /[.!?]$/.test(text) ? text : `${text}.`;
}
