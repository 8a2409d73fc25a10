// The bars of operators and layers: names that fit, and what a bar says.
import assert from "node:assert/strict";
import { test } from "node:test";

import {
  boxHeight,
  describeBar,
  operatorConfig,
  shortLabel,
} from "../../static/js/operator_chart.js";

const CONV = {
  label: "conv_0",
  operator: "Conv",
  time_ratio: 0.25,
  emission_g: 2e-9,
  mac_count: 86_400,
};
const REST = { label: "8 more", operator: "", time_ratio: 0.1, emission_g: 1e-9, mac_count: 0 };
const THEME = { series: ["blue"], grid: "grey", font: "sans-serif" };

test("a long name keeps its end, which tells layers apart", () => {
  assert.equal(shortLabel("conv_0", 8), "conv_0");
  assert.equal(shortLabel("/encoder/layer.0/MatMul", 8), "…/MatMul");
});

test("a bar says its operator, its share and its work", () => {
  assert.deepEqual(describeBar(CONV), ["Conv", "25 % of the time", "86.4 k MACs"]);
});

test("an operator's bar does not name it twice, and no work is not told", () => {
  assert.deepEqual(describeBar({ ...CONV, label: "Conv", mac_count: null }), ["25 % of the time"]);
  assert.deepEqual(describeBar(REST), ["10 % of the time"]);
});

test("bars are grams, and what several share is grey", () => {
  const { data, options } = operatorConfig([CONV, REST], THEME, { widthPx: 900 });

  assert.deepEqual(data.datasets[0].data, [2e-9, 1e-9]);
  assert.deepEqual(data.datasets[0].backgroundColor, ["blue", "grey"]);
  assert.equal(options.indexAxis, "y");
  assert.equal(options.scales.x.ticks.callback(2e-9), "2 ng");
});

test("each bar has its room", () => {
  assert.ok(boxHeight(12) > boxHeight(3));
  assert.ok(boxHeight(0) > 0);
});
