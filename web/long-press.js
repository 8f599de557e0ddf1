/** A thumb that rests on something means more than one that taps it. */

import { useEffect, useRef } from "./view.js";

const LONG_MS = 450;
const MOVED_PX = 10;

/**
 * @param {() => void} act
 * @returns {{handlers: Record<string, (event: any) => void>, isFresh: () => boolean}} `isFresh` says of a click whether it
 *   is only the end of a long press
 */
export function useLongPress(act) {
  const press = useRef({ timer: 0, x: 0, y: 0, isDone: false });
  const end = () => clearTimeout(press.current.timer);
  useEffect(() => end, []);
  const onPointerDown = (/** @type {PointerEvent} */ event) => {
    press.current.isDone = false;
    if (event.pointerType === "mouse") return;
    end();
    const timer = window.setTimeout(() => {
      press.current.isDone = true;
      act();
    }, LONG_MS);
    press.current = { timer, x: event.clientX, y: event.clientY, isDone: false };
  };
  const onPointerMove = (/** @type {PointerEvent} */ event) => {
    const { x, y } = press.current;
    if (Math.hypot(event.clientX - x, event.clientY - y) > MOVED_PX) end();
  };
  // The browser's own menu for links would come at the same moment.
  const onContextMenu = (/** @type {PointerEvent} */ event) => {
    if (event.pointerType !== "mouse") event.preventDefault();
  };
  return {
    handlers: { onPointerDown, onPointerMove, onPointerUp: end, onPointerCancel: end, onContextMenu },
    isFresh: () => press.current.isDone,
  };
}
