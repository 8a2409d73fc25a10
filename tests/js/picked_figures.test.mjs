import assert from "node:assert/strict";
import { test } from "node:test";

import { agrees, fieldsOf } from "../../static/js/picked_figures.js";

const ROWS = { a: { pue: 1.1, note: "Google Cloud: its own figure." } };

test("a row fills in its figures and not its note", () => {
  assert.deepEqual(fieldsOf(ROWS), ["pue"]);
  assert.deepEqual(fieldsOf({}), []);
});

test("a figure typed in another way is still the row's", () => {
  assert.equal(agrees(ROWS.a, "pue", " 1.10 "), true);
});

test("another figure, or none, is not the row's", () => {
  assert.equal(agrees(ROWS.a, "pue", "1.2"), false);
  assert.equal(agrees(ROWS.a, "pue", ""), false);
});

test("nothing disagrees with a row that was not chosen", () => {
  assert.equal(agrees(undefined, "pue", "7"), true);
});
