/** Which files a drop has, those in folders included, without what systems leave behind. */

const LITTER = new Set(["thumbs.db", "desktop.ini"]);

/**
 * Call it while the drop is handled: afterwards the browser has forgotten what was dropped.
 *
 * @param {DataTransfer} dropped
 * @returns {Promise<File[]>}
 */
export async function filesOf(dropped) {
  const entries = [...dropped.items].map((item) => item.webkitGetAsEntry?.() ?? null);
  if (!entries.some((entry) => entry?.isDirectory)) return [...dropped.files];
  const files = [];
  for (const entry of entries) if (entry) files.push(...(await filesIn(entry)));
  return files;
}

/** Whether somebody means a file of a folder. @param {{name: string}} file */
export const isMeant = ({ name }) => !name.startsWith(".") && !LITTER.has(name.toLowerCase());

/**
 * @param {FileSystemEntry} entry
 * @returns {Promise<File[]>}
 */
async function filesIn(entry) {
  if (!isMeant(entry)) return [];
  if (entry.isFile) return [await new Promise((...ends) => /** @type {FileSystemFileEntry} */ (entry).file(...ends))];
  const reader = /** @type {FileSystemDirectoryEntry} */ (entry).createReader();
  const files = [];
  for (;;) {
    /** @type {FileSystemEntry[]} */
    const some = await new Promise((...ends) => reader.readEntries(...ends)); // some at a time, none at the end
    if (some.length === 0) return files;
    for (const inner of some) files.push(...(await filesIn(inner)));
  }
}
