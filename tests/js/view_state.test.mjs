// The chart's state in the address.
import assert from "node:assert/strict";
import { test } from "node:test";

import { announcement } from "../../static/js/poll.js";
import { parseState, toSearch } from "../../static/js/view_state.js";

const DEFAULT = { metric: "emission", range: "", scale: "", zoom: null };

test("the plain address is the default view, and the other way round", () => {
  assert.deepEqual(parseState(""), DEFAULT);
  assert.equal(toSearch(DEFAULT), "");
});

test("a view survives the way into the address and back", () => {
  const view = { metric: "latency", range: "30", scale: "log", zoom: { from: 1000, to: 2000 } };

  assert.deepEqual(parseState(toSearch(view)), view);
});

test("nonsense in the address falls back to the default", () => {
  assert.deepEqual(parseState("?metric=joy&range=-3&scale=cubic&from=9&to=3"), DEFAULT);
});

test("a sentence is read out when it changes, not each second", () => {
  assert.equal(announcement("Loading.", " Loading. "), "");
  assert.equal(announcement("Loading.", "Measuring."), "Measuring.");
  assert.equal(announcement("Loading.", ""), "");
});
