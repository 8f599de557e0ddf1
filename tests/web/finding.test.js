import assert from "node:assert/strict";
import { test } from "node:test";

process.env.TZ = "Europe/Berlin";
const { piecesOf } = await import("../../web/marked-words.js");
const { ALL, isPlain, searchOf, sortOf } = await import("../../web/views.js");

/** @param {string} text @param {string} q */
const marked = (text, q) => piecesOf(text, q).filter(({ isMarked }) => isMarked).map(({ piece }) => piece);

test("words that were searched for are marked, the last one also as a beginning", () => {
  assert.deepEqual(marked("two dogs run through the deep snow", "the sno"), ["the", "snow"]);
  assert.deepEqual(marked("two dogs run through the deep snow", "dog snow"), ["snow"]);
  assert.deepEqual(marked("two dogs run", '"two dog"'), ["two"]);
});

test("marking knows neither capitals nor accents, and loses nothing of the text", () => {
  assert.deepEqual(marked("Ein Café, ein café.", "cafe"), ["Café", "café"]);
  assert.equal(piecesOf("a (b) c!", "b").map(({ piece }) => piece).join(""), "a (b) c!");
  assert.deepEqual(marked("a b", " ! "), []);
});

test("days begin and end where the visitor is", () => {
  const query = searchOf({ ...ALL, from: "2026-03-29", to: "2026-03-29" }); // the clocks go forward
  assert.equal(query.get("created_after"), "2026-03-28T23:00:00.000Z");
  assert.equal(query.get("created_before"), "2026-03-29T22:00:00.000Z");
});

test("nonsense in the address is passed over", () => {
  assert.equal(searchOf({ ...ALL, from: "yesterday", to: "2026-1-1", sure: "101" }).toString(), "");
});

test("how sure the model was becomes two bounds", () => {
  assert.equal(searchOf({ ...ALL, sure: "90-100" }).toString(), "min_confidence=0.9");
  assert.equal(searchOf({ ...ALL, sure: "0-50", label: "photo" }).toString(), "label=photo&max_confidence=0.5");
});

test("with words the best match comes first, unless something else is asked for", () => {
  assert.equal(sortOf(ALL), "newest");
  assert.equal(sortOf({ ...ALL, q: "dog" }), "relevance");
  assert.equal(sortOf({ ...ALL, q: "dog", sort: "newest" }), "newest");
  assert.equal(sortOf({ ...ALL, sort: "uncertain" }), "uncertain");
  assert.equal(sortOf({ ...ALL, sort: "relevance" }), "newest");
  assert.ok(isPlain({ ...ALL, label: "photo" }) && !isPlain({ ...ALL, sure: "0-50" }));
});
