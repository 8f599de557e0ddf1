/** A thumb that rests on one of many things means more than one that taps it; one listener for all of them. */

import { useEffect, useRef } from "./view.js";

const LONG_MS = 450;
const MOVED_PX = 10;

/**
 * @param {(pressed: EventTarget | null) => void} act
 * @returns {Record<string, (event: any) => void>} handlers for what is around them
 */
export function useLongPress(act) {
  const press = useRef({ timer: 0, x: 0, y: 0, isDone: false });
  const end = () => clearTimeout(press.current.timer);
  useEffect(() => end, []);
  return {
    onPointerDown(/** @type {PointerEvent} */ { pointerType, target, clientX: x, clientY: y }) {
      end();
      press.current.isDone = false;
      if (pointerType === "mouse") return;
      const timer = window.setTimeout(() => {
        press.current.isDone = true;
        act(target);
      }, LONG_MS);
      press.current = { timer, x, y, isDone: false };
    },
    onPointerMove({ clientX, clientY }) {
      const { x, y } = press.current;
      if (Math.hypot(clientX - x, clientY - y) > MOVED_PX) end();
    },
    onPointerUp: end,
    onPointerCancel: end,
    // The click that ends a long press is none; it is caught before it reaches what was pressed.
    onClickCapture(/** @type {MouseEvent} */ event) {
      if (!press.current.isDone) return;
      press.current.isDone = false;
      event.preventDefault();
      event.stopPropagation();
    },
    // The browser's own menu for links would come at the same moment.
    onContextMenu(/** @type {PointerEvent} */ event) {
      if (event.pointerType !== "mouse") event.preventDefault();
    },
  };
}
