import assert from "node:assert/strict";
import { test } from "node:test";

import { describePoint, frontier } from "../../static/js/pareto_chart.js";

const points = [
  { title: "big", cost: 0.003, accuracy_ratio: 0.95, is_efficient: true },
  { title: "bad", cost: 0.004, accuracy_ratio: 0.9, is_efficient: false },
  { title: "small", cost: 0.001, accuracy_ratio: 0.8, is_efficient: true },
];

test("the line goes through the efficient ones, cheapest first", () => {
  assert.deepEqual(frontier(points), [
    { x: 0.001, y: 0.8 },
    { x: 0.003, y: 0.95 },
  ]);
});

test("a point says its name, both figures and whether another is better", () => {
  assert.deepEqual(describePoint(points[1], "s"), ["bad", "90 % at 4 ms", "another is better"]);
});
