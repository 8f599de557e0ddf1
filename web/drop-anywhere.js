/** Files can be dropped on the whole page; it dims to a single sentence meanwhile. */

import { filesOf } from "./dropped-files.js";
import { say } from "./language.js";
import { html, useEffect, useRef, useState } from "./view.js";

/** @param {{onFiles: (files: Iterable<File>) => void}} props */
export function DropAnywhere({ onFiles }) {
  const [isOver, setIsOver] = useState(false);
  const take = useRef(onFiles);
  take.current = onFiles;
  useEffect(() => {
    let depth = 0; // enter and leave come for each element on the way
    const stops = [
      listen("dragenter", () => setIsOver((depth += 1) > 0)),
      listen("dragleave", () => setIsOver((depth -= 1) > 0)),
      listen("dragover", () => {}),
      listen("drop", (event) => {
        depth = 0;
        setIsOver(false);
        if (event.dataTransfer) void filesOf(event.dataTransfer).then((files) => take.current(files));
      }),
    ];
    return () => stops.forEach((stop) => stop());
  }, []);
  return isOver && html`<div class="dropping" data-testid="dropping"><p>${say("dropping")}</p></div>`;
}

/**
 * @param {"dragenter" | "dragleave" | "dragover" | "drop"} name
 * @param {(event: DragEvent) => void} act
 */
function listen(name, act) {
  const onEvent = (/** @type {DragEvent} */ event) => {
    if (!event.dataTransfer?.types.includes("Files")) return;
    event.preventDefault();
    act(event);
  };
  addEventListener(name, onEvent);
  return () => removeEventListener(name, onEvent);
}
