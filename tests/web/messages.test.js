import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import { test } from "node:test";

import { isKey, sayIn } from "../../web/language.js";
import { de } from "../../web/messages/de.js";
import { en } from "../../web/messages/en.js";

const WEB = new URL("../../web/", import.meta.url);
/** These keys are made of a value of the server. */
const MADE = /^(label|problem)\.[a-z_]+$/;

/** @param {string | Record<string, string>} message */
const formsOf = (message) => (typeof message === "string" ? [message] : Object.values(message));

/** @param {string} form */
const holes = (form) => [...form.matchAll(/\{(\w+)\}/g)].map(([, name]) => name).sort();

/** Everything that is said anywhere, as the source spells it. */
function usedKeys() {
  const files = readdirSync(WEB).filter((name) => name.endsWith(".js"));
  const source = files.map((name) => readFileSync(new URL(name, WEB), "utf8")).join("\n");
  const calls = [...source.matchAll(/\bsay\(([^()]*(?:\([^()]*\)[^()]*)*)\)/g)].map(([, inside]) => inside);
  const inside = calls.flatMap((call) => [...call.matchAll(/"([\w.]+)"/g)].map(([, key]) => key));
  const constants = [...source.matchAll(/"((?:service)\.\w+)"/g)].map(([, key]) => key);
  return new Set([...inside, ...constants].filter((key) => key.includes(".") || isKey(key)));
}

test("both languages have the same messages", () => {
  assert.deepEqual(Object.keys(de).sort(), Object.keys(en).sort());
});

test("every message that is used exists, and every one that exists is used", () => {
  const used = usedKeys();
  assert.ok(used.size > 100);
  assert.deepEqual([...used].filter((key) => !isKey(key)), []);
  assert.deepEqual(Object.keys(en).filter((key) => !used.has(key) && !MADE.test(key)), []);
});

test("a message has the same holes in both languages, but for words of the server", () => {
  for (const key of Object.keys(en).filter((each) => !each.startsWith("problem."))) {
    const of = (/** @type {any} */ message) => [...new Set(formsOf(message).flatMap(holes))].sort();
    if (typeof en[key] === "string") assert.deepEqual(of(de[key]), of(en[key]), key);
    else assert.deepEqual(new Set([...of(de[key]), "count"]), new Set([...of(en[key]), "count"]), key);
  }
});

test("a message that counts has a form for each plural category of its language", () => {
  for (const [locale, messages] of Object.entries({ en, de })) {
    const categories = new Intl.PluralRules(locale).resolvedOptions().pluralCategories;
    for (const [key, message] of Object.entries(messages)) {
      if (typeof message !== "string") assert.deepEqual(Object.keys(message).sort(), [...categories].sort(), key);
    }
  }
});

test("numbers are written as the language writes them", () => {
  assert.equal(sayIn("en", "pictures", { count: 1 }), "1 picture");
  assert.equal(sayIn("en", "pictures", { count: 1204 }), "1,204 pictures");
  assert.equal(sayIn("de", "pictures", { count: 1204 }), "1.204 Bilder");
  assert.equal(sayIn("de", "delete.done", { count: 1 }), "Bild gelöscht.");
});

test("a value may hold what looks like a hole, and stays as it is", () => {
  assert.equal(sayIn("en", "nothing.found", { q: "{count} $& {q}" }), "No caption has “{count} $& {q}” in it.");
});
