// The points of a sweep's chart.

import assert from "node:assert/strict";
import { test } from "node:test";

import { axisEnds, batchSizesOf, describePoint, linesOf } from "../../static/js/sweep_points.js";

const point = (batchSize, emissionG) => ({
  batch_size: batchSize,
  emission_g: emissionG,
  low_g: emissionG * 0.9,
  high_g: emissionG * 1.1,
  latency_s: 0.001,
  url: `/runs/${batchSize}/`,
});
const payload = {
  series: [
    { threads: 1, points: [point(1, 4e-9), point(2, 3e-9)] },
    { threads: 2, points: [point(1, 3e-9), point(8, 2e-9)] },
  ],
  knee: { batch_size: 1, threads: 2 },
};

test("each thread count is a line, and one point is the knee", () => {
  const lines = linesOf(payload);

  assert.deepEqual(lines.map(({ label }) => label), ["1 thread", "2 threads"]);
  assert.deepEqual(lines.flatMap(({ points }) => points.map(({ isKnee }) => isKnee)), [
    false,
    false,
    true,
    false,
  ]);
});

test("without a knee none is marked", () => {
  const lines = linesOf({ ...payload, knee: null });

  assert.ok(lines.every(({ points }) => points.every(({ isKnee }) => !isKnee)));
});

test("the axis has a tick at each batch size, in order, and air around them", () => {
  const sizes = batchSizesOf(linesOf(payload));
  const { min, max } = axisEnds(sizes);

  assert.deepEqual(sizes, [1, 2, 8]);
  assert.ok(min < 1 && min > 0.5);
  assert.ok(max > 8 && max < 16);
});

test("a point tells its grams, its interval and its threads", () => {
  const [line] = linesOf(payload);

  const [grams, rest] = describePoint(line.points[0], line.label);

  assert.equal(grams, "4 ng per inference (95 % interval 3.6 ng – 4.4 ng)");
  assert.equal(rest, "1 thread, 1 ms per inference");
});

test("where no interval is known none is claimed", () => {
  const lines = linesOf({
    series: [{ threads: 1, points: [{ ...point(1, 4e-9), low_g: null, high_g: null }] }],
    knee: null,
  });

  assert.equal(describePoint(lines[0].points[0], "1 thread")[0], "4 ng per inference");
});
