/** Pictures in the clipboard, a screenshot or copied files, can be pasted on the whole page. */

import { useEffect, useRef } from "./view.js";

/** @param {{onFiles: (files: Iterable<File>) => void}} props */
export function PasteAnywhere({ onFiles }) {
  const take = useRef(onFiles);
  take.current = onFiles;
  useEffect(() => {
    const onPaste = (/** @type {ClipboardEvent} */ event) => {
      const files = [...(event.clipboardData?.files ?? [])];
      if (files.length === 0) return; // words, which belong to the field that has the focus
      event.preventDefault();
      take.current(files.map(named));
    };
    addEventListener("paste", onPaste);
    return () => removeEventListener("paste", onPaste);
  }, []);
  return null;
}

/** Browsers call every screenshot `image.png`; the time tells them apart. @param {File} file */
function named(file) {
  if (!/^image\.\w+$/.test(file.name)) return file;
  const time = new Date().toISOString().slice(0, 19).replace("T", "_").replaceAll(":", "-");
  return new File([file], file.name.replace("image", `pasted_${time}`), { type: file.type });
}
