import assert from "node:assert/strict";
import { test } from "node:test";

import { describePoint, frontier, intervals, paretoConfig } from "../../static/js/pareto_chart.js";

const theme = { series: ["red"], text: "black", grid: "grey", font: "sans-serif" };
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

const measured = { ...points[0], low_ratio: 0.93, high_ratio: 0.97 };

test("an accuracy that was measured has its interval, and one that was typed has none", () => {
  assert.deepEqual(intervals([measured, points[1]]), [
    [
      { x: 0.003, y: 0.93 },
      { x: 0.003, y: 0.97 },
    ],
  ]);
  assert.deepEqual(describePoint(measured, "s")[2], "measured: 93 % to 97 %");
});

test("the legend names the intervals once", () => {
  const config = paretoConfig({ label: "Latency", unit: "s", points: [measured, measured] }, theme);
  const { filter } = config.options.plugins.legend.labels;

  const named = config.data.datasets
    .filter((_, datasetIndex) => filter({ datasetIndex }))
    .map(({ label }) => label);

  assert.deepEqual(named, ["big", "big", "efficient", "95 % interval"]);
});
