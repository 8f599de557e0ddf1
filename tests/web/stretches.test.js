import assert from "node:assert/strict";
import { test } from "node:test";

import { Stretches } from "../../web/stretches.js";

const SHAPE = 1.5;

/** @param {number} number */
const picture = (number) => ({ id: `p${number}`, width: 300, height: 200 });

/** @param {number} first @param {number} count */
const some = (first, count) => Array.from({ length: count }, (_, at) => picture(first + at));

/** Two of `each` pictures, the first one known. @param {number} each */
function two(each) {
  const stretches = new Stretches();
  stretches.fill(stretches.append(null, []), some(0, each));
  stretches.append("second", Array(each).fill(SHAPE));
  return stretches;
}

test("what is only outlined has its place and no picture", () => {
  const stretches = two(10);
  assert.equal(stretches.count, 20);
  assert.equal(stretches.at(9).id, "p9");
  assert.equal(stretches.at(10), undefined);
  assert.deepEqual(stretches.between(5, 11).map(({ cursor }) => cursor), [null, "second"]);
  assert.deepEqual(stretches.between(0, 10).map(({ cursor }) => cursor), [null]);
});

test("a new picture comes first and moves all others", () => {
  const stretches = two(10);
  stretches.insert([picture(99)], 0);
  assert.equal(stretches.at(0).id, "p99");
  assert.equal(stretches.indexOf("p9"), 10);
  assert.equal(stretches.all[1].start, 11);
  assert.equal(stretches.shapes.length, 21);
});

test("the very first picture can be put in", () => {
  const stretches = new Stretches();
  stretches.insert([picture(1)], 0);
  assert.equal(stretches.at(0).id, "p1");
});

test("one that is taken out can be put back where it was", () => {
  const stretches = two(10);
  const before = stretches.known.map(({ id }) => id);
  const at = stretches.indexOf("p4");
  stretches.remove(at);
  assert.equal(stretches.count, 19);
  stretches.insert([picture(4)], at);
  assert.deepEqual(stretches.known.map(({ id }) => id), before);
});

test("fewer pictures than were outlined leave no gap", () => {
  const stretches = two(10);
  stretches.append("third", [SHAPE]);
  stretches.fill(stretches.all[1], some(10, 7));
  assert.equal(stretches.count, 18);
  assert.equal(stretches.of(17).cursor, "third");
});

test("only so many stretches keep their pictures, and always the first", () => {
  const stretches = new Stretches();
  for (let number = 0; number < 100; number += 1) {
    stretches.fill(stretches.append(`c${number}`, []), some(number * 10, 10));
  }
  assert.equal(stretches.count, 1000);
  assert.ok(stretches.known.length <= 420);
  assert.equal(stretches.at(0).id, "p0");
  assert.equal(stretches.at(999).id, "p999");
  assert.equal(stretches.at(100), undefined);
});
