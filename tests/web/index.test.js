import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

const WEB = new URL("../../web/", import.meta.url);

/** @param {string} name */
const read = (name) => readFileSync(new URL(name, WEB), "utf8");

/** Every module that a module needs, found by its imports. @param {string} first */
function needed(first) {
  const found = new Set([first]);
  for (const name of found) {
    for (const [, path] of read(name).matchAll(/(?:from|import)\s*"(\.[^"]+)"/g)) {
      found.add(new URL(path, new URL(name, WEB)).pathname.slice(WEB.pathname.length));
    }
  }
  found.delete(first);
  return [...found].filter((name) => name !== "types.js").sort();
}

test("all modules of the page are asked for at once, not one after the other", () => {
  const preloaded = [...read("index.html").matchAll(/rel="modulepreload" href="([^"]+)"/g)].map(([, name]) => name);
  assert.deepEqual(preloaded.sort(), needed("main.js"));
});
