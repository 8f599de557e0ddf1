/** Asking again and again, politely: ever slower, and never while nobody looks. */

/**
 * @param {() => Promise<unknown>} ask
 * @param {{firstMs: number, longestMs: number}} waits
 * @returns {() => void} stops it
 */
export function keepAsking(ask, { firstMs, longestMs }) {
  let waitMs = firstMs;
  let timer = 0;
  let stopped = false;

  const plan = () => {
    if (!stopped && !document.hidden) timer = window.setTimeout(turn, waitMs);
  };
  const turn = async () => {
    timer = 0;
    waitMs = Math.min(waitMs * 1.5, longestMs);
    await ask();
    if (timer === 0) plan();
  };
  const lookedAtOrAway = () => {
    clearTimeout(timer);
    timer = 0;
    waitMs = firstMs;
    plan();
  };

  document.addEventListener("visibilitychange", lookedAtOrAway);
  plan();
  return () => {
    stopped = true;
    clearTimeout(timer);
    document.removeEventListener("visibilitychange", lookedAtOrAway);
  };
}
