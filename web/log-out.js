/** The way out, where there was a way in with a key. */

import { Icon } from "./icons.js";
import { say } from "./language.js";
import { session } from "./session.js";
import { countUnsent, forgetAllUnsent } from "./unsent-files.js";
import { html, useState, useWatched } from "./view.js";

export function LogOut() {
  useWatched(session);
  const [failure, setFailure] = useState("");
  if (!session.canLogOut) return null;
  const leave = async () => {
    const count = await countUnsent();
    if (count > 0 && !confirm(say("logOut.unsent", { count }))) return;
    try {
      await session.logOut();
      await forgetAllUnsent();
    } catch (error) {
      setFailure(/** @type {Error} */ (error).message);
    }
  };
  return html`
    <button
      class="button bare square"
      type="button"
      aria-label=${say("logOut")}
      title=${failure || `${say("logOut")} (${session.known?.name})`}
      data-testid="log-out"
      onClick=${leave}
    >
      <${Icon} name="leave" />
    </button>
  `;
}
