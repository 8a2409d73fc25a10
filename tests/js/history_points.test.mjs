// The points of the history chart: values, bands, gaps, and the way of the arrow keys.
import assert from "node:assert/strict";
import { test } from "node:test";

import {
  closerLook,
  describeChart,
  describePoint,
  describeWidth,
  linesOf,
  neighbour,
  tickDigits,
} from "../../static/js/history_points.js";

const COLUMNS = [
  "run",
  "at_ms",
  "version",
  "latency_s",
  "low_s",
  "high_s",
  "energy_kwh",
  "emission_g",
  "machine",
  "break_reason",
  "grade",
];

function payload(...series) {
  return {
    columns: COLUMNS,
    machines: ["AMD EPYC"],
    versions: [{ number: 1, title: "v1 fp32", at_ms: 1 }],
    series: series.map((points, index) => ({ label: `Line ${index}`, points })),
  };
}

function row(run, atMs, { latency = 0.001, low = 0.0009, high = 0.0012, reason = "" } = {}) {
  return [run, atMs, 1, latency, low, high, 4e-9, 3e-6, 0, reason, "B"];
}

test("a point has the value of the figure that is shown", () => {
  const [{ points }] = linesOf(payload([row("a", 5)]), "emission");

  assert.equal(points[0].x, 5);
  assert.equal(points[0].y, 3e-6);
  assert.equal(points[0].version, "v1 fp32");
});

test("the interval of the latency is carried over to grams", () => {
  const [{ points }] = linesOf(payload([row("a", 5)]), "emission");

  assert.ok(Math.abs(points[0].low - 2.7e-6) < 1e-12);
  assert.ok(Math.abs(points[0].high - 3.6e-6) < 1e-12);
});

test("a point without an interval has no band, and says none", () => {
  const [{ points, label }] = linesOf(payload([row("a", 5, { low: null, high: null })]), "latency");

  assert.equal(points[0].low, null);
  assert.equal(describePoint(points[0], { metricName: "latency", label })[0], "1 ms");
});

test("a line breaks before the point that is no longer comparable", () => {
  const [{ points }] = linesOf(
    payload([row("a", 1), row("b", 2, { reason: "the machine changed" })]),
    "latency",
  );

  assert.deepEqual(
    points.map(({ y }) => y),
    [0.001, null, 0.001],
  );
});

test("a point is described with its interval, version, machine and break", () => {
  const [{ points, label }] = linesOf(payload([row("a", 1, { reason: "new machine" })]), "latency");

  assert.deepEqual(describePoint(points[1], { metricName: "latency", label }), [
    "1 ms (95 % interval 900 µs – 1.2 ms)",
    "v1 fp32, Line 0",
    "Measured on AMD EPYC, grade B",
    "New line: new machine",
  ]);
});

test("the arrow keys go along a line, over its gaps, and stop at its ends", () => {
  const lines = linesOf(payload([row("a", 1), row("b", 2, { reason: "x" })]), "latency");

  assert.deepEqual(neighbour(lines, null, "ArrowRight"), { line: 0, index: 0 });
  assert.deepEqual(neighbour(lines, { line: 0, index: 0 }, "ArrowRight"), { line: 0, index: 2 });
  assert.deepEqual(neighbour(lines, { line: 0, index: 2 }, "ArrowRight"), { line: 0, index: 2 });
  assert.deepEqual(neighbour(lines, { line: 0, index: 2 }, "Home"), { line: 0, index: 0 });
});

test("up and down go to the nearest point of the next visible line", () => {
  const lines = linesOf(
    payload([row("a", 1), row("b", 10)], [row("c", 2)], [row("d", 3), row("e", 9)]),
    "latency",
  );
  lines[1].isHidden = true;

  assert.deepEqual(neighbour(lines, { line: 0, index: 1 }, "ArrowDown"), { line: 2, index: 1 });
  assert.deepEqual(neighbour(lines, { line: 0, index: 1 }, "ArrowUp"), { line: 0, index: 1 });
});

test("other keys lead nowhere", () => {
  const lines = linesOf(payload([row("a", 1)]), "latency");

  assert.equal(neighbour(lines, { line: 0, index: 0 }, "x"), null);
});

test("an empty chart has no point to go to", () => {
  assert.equal(neighbour([], null, "ArrowRight"), null);
});

test("ticks that lie close get as many figures as tell them apart", () => {
  const ticks = (...values) => values.map((value) => ({ value }));

  assert.equal(tickDigits(ticks(0, 20, 40)), 3);
  assert.equal(tickDigits(ticks(100.1, 100.2, 100.3)), 5);
  assert.equal(tickDigits(ticks(7)), 3);
});

const BUCKET_COLUMNS = ["from_ms", "to_ms", "circumstances", "run_count", "min_s", "median_s", "max_s"];

function bucketPayload(buckets, more = {}) {
  const under = (surroundings, runtime) => ({
    version: 1,
    machine: 0,
    runtime,
    surroundings,
    emission_g_per_s: 2,
    energy_kwh_per_s: 3,
  });
  return {
    ...payload(),
    bucket_columns: BUCKET_COLUMNS,
    circumstances: [under("a", "1.31"), under("b", "1.32")],
    series: [{ label: "Line 0", buckets }],
    run_count: 12,
    covered_count: 12,
    bucket_width_s: 3600,
    ...more,
  };
}

test("a bucket is its median in the middle of its time, within lowest and highest", () => {
  const [{ points, runCount }] = linesOf(bucketPayload([[100, 300, 0, 12, 1, 1.5, 4]]), "emission");

  assert.equal(runCount, 12);
  assert.equal(points[0].x, 200);
  assert.deepEqual([points[0].low, points[0].y, points[0].high], [2, 3, 8]);
  assert.deepEqual(
    linesOf(bucketPayload([[100, 300, 0, 12, 1, 1.5, 4]]), "latency")[0].points[0].y,
    1.5,
  );
});

test("buckets of another machine or software are not joined to those before", () => {
  const rows = [
    [1, 2, 0, 3, 1, 1, 1],
    [3, 4, 0, 3, 1, 1, 1],
    [1, 4, 1, 6, 1, 1, 1],
  ];
  const [{ points }] = linesOf(bucketPayload(rows), "latency");

  assert.deepEqual(
    points.map(({ y }) => y),
    [1, 1, null, 1],
  );
});

test("a bucket says how many runs it stands for", () => {
  const [{ points, label }] = linesOf(bucketPayload([[1, 2, 0, 1200, 0.001, 0.002, 0.004]]), "latency");

  assert.deepEqual(describePoint(points[0], { metricName: "latency", label }), [
    "2 ms, median of 1,200 runs",
    "Lowest 1 ms, highest 4 ms",
    "v1 fp32, Line 0",
    "Measured on AMD EPYC, onnxruntime 1.31",
  ]);
});

test("the chart says what its points and its band are, and what it leaves out", () => {
  const told = bucketPayload([[1, 2, 0, 12, 1, 1, 1]]);
  const lines = linesOf(told, "latency");

  assert.equal(
    describeChart({ ...told, lines }),
    "12 runs in 1 point: each is the median of up to 1 hour, the band goes from the lowest to the highest.",
  );
  assert.match(describeChart({ ...told, lines, run_count: 5000 }), /12 of 5,000 runs are drawn/);
  assert.match(describeChart({ ...told, lines: [...lines, { points: [] }] }), /On the shorter lines/);
  const singly = { ...told, lines, bucket_width_s: null };
  assert.match(describeChart(singly), /^Each point is a run.*mean\.$/);
  assert.match(describeChart({ ...singly, run_count: 13 }), /12 of 13 runs are drawn/);
});

test("a width is told in the largest unit that fits", () => {
  assert.deepEqual([60, 900, 3600, 86_400, 172_800, 2_419_200].map(describeWidth), [
    "1 minute",
    "15 minutes",
    "1 hour",
    "1 day",
    "2 days",
    "4 weeks",
  ]);
});

test("a closer look is never shorter than a minute", () => {
  assert.deepEqual(closerLook({ from: 100_000, to: 100_001 }), { from: 70_000.5, to: 130_000.5 });
  assert.deepEqual(closerLook({ from: 0, to: 120_000 }), { from: 0, to: 120_000 });
});
