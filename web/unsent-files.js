/**
 * Files that are still to be sent, kept by the browser: whoever closes the tab finds them being sent at the next visit.
 *
 * Each tab holds a lock with its name as long as it lives, so that no other takes what it is still sending. Where a browser
 * has no locks (a page over plain HTTP from another machine), or the files are too many, nothing is kept, and the page warns
 * before it is left.
 */

const DATABASE = "legenda-unsent";
const FILES = "files";
const MOST_KEPT_BYTES = 1_000_000_000;

export class UnsentFiles {
  #tab = `${DATABASE}-${Date.now()}-${Math.random()}`;
  /** @type {Map<File, IDBValidKey>} */
  #kept = new Map();
  /** @type {WeakSet<File>} sent before they were kept */
  #gone = new WeakSet();
  /** @type {Promise<IDBDatabase> | null} */
  #database = null;
  #isAble = isAble();

  constructor() {
    if (this.#isAble) void navigator.locks.request(this.#tab, () => new Promise(() => {})); // until the tab is closed
  }

  /** Whether all of these would be found again. @param {File[]} files */
  has(files) {
    return files.every((file) => this.#kept.has(file));
  }

  /** @param {File[]} files */
  async keep(files) {
    for (const file of files) this.#gone.delete(file);
    const bytes = files.reduce((sum, { size }) => sum + size, 0);
    if (!this.#isAble || bytes > MOST_KEPT_BYTES) return;
    try {
      for (const file of files.filter((each) => !this.#kept.has(each))) {
        const key = await this.#change((store) => store.add({ tab: this.#tab, file }));
        this.#kept.set(file, key);
        if (this.#gone.has(file)) await this.forget([file]);
      }
    } catch {
      // No room, or a private window: the page warns before it is left.
    }
  }

  /** They have arrived, or nobody wants them any more. @param {File[]} files */
  async forget(files) {
    for (const file of files) {
      this.#gone.add(file);
      const key = this.#kept.get(file);
      this.#kept.delete(file);
      if (key !== undefined) await this.#change((store) => store.delete(key)).catch(() => {}); // sent twice is known
    }
  }

  /** Take over what tabs that are closed have left. @returns {Promise<File[]>} */
  async takeOver() {
    if (!this.#isAble) return [];
    try {
      const { held = [] } = await navigator.locks.query();
      const living = new Set(held.map(({ name }) => name));
      /** @type {[IDBValidKey[], {tab: string, file: File}[]]} */
      const [keys, entries] = await Promise.all([
        this.#change((store) => store.getAllKeys()),
        this.#change((store) => store.getAll()),
      ]);
      const left = entries.flatMap((entry, at) => (living.has(entry.tab) ? [] : [{ ...entry, key: keys[at] }]));
      for (const { key, file } of left) {
        await this.#change((store) => store.put({ tab: this.#tab, file }, key));
        this.#kept.set(file, key);
      }
      return left.map(({ file }) => file);
    } catch {
      return []; // a private window keeps nothing
    }
  }

  /**
   * @template T
   * @param {(store: IDBObjectStore) => IDBRequest<T>} change
   * @returns {Promise<T>}
   */
  async #change(change) {
    this.#database ??= answerOf(open());
    return answerOf(change(storeOf(await this.#database)));
  }
}

/** How many files this browser keeps, of whichever tab. @returns {Promise<number>} */
export const countUnsent = () => ofAll((store) => store.count(), 0);

/** Keep none of them any more: who logs out leaves nothing to the next one. @returns {Promise<unknown>} */
export const forgetAllUnsent = () => ofAll((store) => store.clear(), undefined);

/**
 * @template T
 * @param {(store: IDBObjectStore) => IDBRequest<T>} change
 * @param {T} orElse where nothing can be kept
 */
async function ofAll(change, orElse) {
  if (!isAble()) return orElse;
  try {
    const database = await answerOf(open());
    const answer = await answerOf(change(storeOf(database)));
    database.close();
    return answer;
  } catch {
    return orElse; // a private window keeps nothing
  }
}

function isAble() {
  return Boolean(globalThis.navigator?.locks && globalThis.indexedDB);
}

/** @param {IDBDatabase} database */
const storeOf = (database) => database.transaction(FILES, "readwrite").objectStore(FILES);

function open() {
  const request = indexedDB.open(DATABASE, 1);
  request.onupgradeneeded = () => request.result.createObjectStore(FILES, { autoIncrement: true });
  return request;
}

/**
 * @template T
 * @param {IDBRequest<T>} request
 * @returns {Promise<T>}
 */
function answerOf(request) {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}
