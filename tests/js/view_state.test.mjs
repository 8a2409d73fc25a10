// The chart's state in the address.
import assert from "node:assert/strict";
import { test } from "node:test";

import { announcement } from "../../static/js/poll.js";
import { dataSearch, parseState, toSearch, withRuns } from "../../static/js/view_state.js";

const DEFAULT = { metric: "emission", range: "", scale: "", zoom: null, kept: "" };

test("the plain address is the default view, and the other way round", () => {
  assert.deepEqual(parseState(""), DEFAULT);
  assert.equal(toSearch(DEFAULT), "");
});

test("a view survives the way into the address and back", () => {
  const view = { metric: "latency", range: "30", scale: "log", zoom: { from: 1000, to: 2000 }, kept: "factors=today" };

  assert.deepEqual(parseState(toSearch(view)), view);
});

test("what else the address says is kept, but for the page of the table", () => {
  const state = parseState("?zone=FRA&page=3&metric=energy");

  assert.equal(state.kept, "zone=FRA");
  assert.equal(toSearch({ ...state, metric: "emission" }), "?zone=FRA");
});

test("two runs go into the address beside the view", () => {
  const search = toSearch(withRuns(parseState("?metric=energy&before=x"), "a", "b"));

  assert.deepEqual(Object.fromEntries(new URLSearchParams(search)), {
    before: "a",
    after: "b",
    metric: "energy",
  });
});

test("the data are asked for with the time, the factors and the what-if only", () => {
  assert.equal(dataSearch(parseState("?metric=energy&inferences_per_day=5")), "");
  assert.equal(dataSearch(parseState("?scale=log&zone=FRA&pue=")), "?zone=FRA");
  assert.equal(dataSearch(parseState("?from=1000&to=2000")), "?from=1000&to=2000");
  assert.equal(dataSearch(parseState("?range=30&factors=today")), "?range=30&factors=today");
  assert.equal(dataSearch(parseState("?factors=tomorrow")), "");
});

test("nonsense in the address falls back to the default", () => {
  assert.deepEqual(parseState("?metric=joy&range=-3&scale=cubic&from=9&to=3"), DEFAULT);
});

test("a sentence is read out when it changes, not each second", () => {
  assert.equal(announcement("Loading.", " Loading. "), "");
  assert.equal(announcement("Loading.", "Measuring."), "Measuring.");
  assert.equal(announcement("Loading.", ""), "");
});
