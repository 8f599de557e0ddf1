/** Small line drawings for buttons; each stands beside or under a name, so none has one itself. */

import { html } from "./view.js";

const DRAWINGS = {
  plus: "M8 2.5v11M2.5 8h11",
  search: "M7 2.5a4.5 4.5 0 1 0 0 9 4.5 4.5 0 0 0 0-9M10.3 10.3l3.4 3.4",
  left: "M13.5 8h-11M7 3.5 2.5 8 7 12.5",
  right: "M2.5 8h11M9 3.5 13.5 8 9 12.5",
  close: "M3.5 3.5l9 9M12.5 3.5l-9 9",
  bin: "M2.5 4.5h11M6 4.5v-2h4v2M4 4.5l.7 9h6.6l.7-9M6.7 7v4M9.3 7v4",
  download: "M8 2.5v8M4.5 7 8 10.5 11.5 7M3 13.5h10",
  down: "M3.5 6 8 10.5 12.5 6",
  up: "M3.5 10 8 5.5 12.5 10",
  out: "M6 3H3v10h10v-3M9 2.5h4.5V7M13.5 2.5 7.5 8.5",
  folder: "M2 12.5v-9h4l1.5 2H14v7z",
  leave: "M9.5 3H3v10h6.5M7 8h7M11 5l3 3-3 3",
  filter: "M2 4h12M4.5 8h7M6.5 12h3",
  again: "M13 8a5 5 0 1 1-1.6-3.7M13 2.5v2.8h-2.8",
  camera: "M2 5h3l1.2-2h3.6L11 5h3v8H2zM8 6.5a2.5 2.5 0 1 0 0 5 2.5 2.5 0 0 0 0-5",
  pause: "M5.5 3.5v9M10.5 3.5v9",
  pen: "M3 13l.7-3L10.5 3.2l2.3 2.3L6 12.3z",
};

/** @param {{name: keyof typeof DRAWINGS}} props */
export function Icon({ name }) {
  return html`<svg class="icon" viewBox="0 0 16 16" aria-hidden="true"><path d=${DRAWINGS[name]} /></svg>`;
}
