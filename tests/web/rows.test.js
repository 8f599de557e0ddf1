import assert from "node:assert/strict";
import { test } from "node:test";

import { Rows } from "../../web/rows.js";

const MEASURE = { width: 1200, gap: 4, least: 180, target: 220, most: 260, below: 0 };

/** Shapes that look arbitrary and are the same each time. @param {number} count */
const shapes = (count) => Array.from({ length: count }, (_, at) => 0.5 + ((at * 7919) % 200) / 100);

test("every picture is in one row, in its order", () => {
  const rows = new Rows(shapes(500), MEASURE);
  const placed = rows.froms.flatMap((from, row) => rows.spotsOf(row).map((_, column) => from + column));
  assert.deepEqual(placed, [...shapes(500).keys()]);
});

test("each row but the last is exactly as wide as the page, and within the heights", () => {
  const rows = new Rows(shapes(500), MEASURE);
  for (const row of rows.froms.keys()) {
    const last = rows.spotsOf(row).at(-1);
    if (row < rows.froms.length - 1) {
      assert.equal(last.left + last.width, MEASURE.width);
      assert.ok(rows.heights[row] <= MEASURE.most && rows.heights[row] > 120, `row ${row}: ${rows.heights[row]} px`);
    }
  }
});

test("rows do not overlap, and the height is that of all", () => {
  const rows = new Rows(shapes(100), MEASURE);
  rows.tops.slice(1).forEach((top, row) => assert.equal(top, rows.tops[row] + rows.heights[row] + MEASURE.gap));
  assert.equal(rows.heightOf(), rows.tops.at(-1) + rows.heights.at(-1));
});

test("the row at a height and the row of a picture are found", () => {
  const rows = new Rows(shapes(300), MEASURE);
  assert.equal(rows.rowAt(-50), 0);
  assert.equal(rows.rowAt(rows.tops[7]), 7);
  assert.equal(rows.rowAt(rows.tops[7] - 1), 6);
  assert.equal(rows.rowAt(1e9), rows.froms.length - 1);
  assert.equal(rows.rowOf(rows.froms[9]), 9);
  assert.equal(rows.rowOf(rows.froms[9] - 1), 8);
});

test("more pictures change no row before the last", () => {
  const few = new Rows(shapes(200), MEASURE);
  const many = new Rows(shapes(5000), MEASURE);
  const kept = few.rowOf(few.lastRowAt - 1) + 1;
  assert.ok(kept > 20);
  assert.deepEqual(many.froms.slice(0, kept), few.froms.slice(0, kept));
  assert.deepEqual(many.tops.slice(0, kept), few.tops.slice(0, kept));
});

test("a last row that is not full keeps the height that is aimed at", () => {
  const rows = new Rows([1.5], MEASURE);
  assert.deepEqual(rows.spotsOf(0), [{ left: 0, top: 0, width: 330, height: 220 }]);
});

test("without a width, nothing is laid", () => {
  assert.equal(new Rows(shapes(5), { ...MEASURE, width: 0 }).heightOf(), 0);
});
