// What the history chart draws: the server's rows as points of one figure, without a pixel.

import { formatEnergyKwh, formatQuantity } from "./format.js";

export const METRICS = {
  emission: {
    title: "CO₂ per inference",
    column: "emission_g",
    factor: "emission_g_per_s",
    format: asGrams,
  },
  energy: {
    title: "Energy per inference",
    column: "energy_kwh",
    factor: "energy_kwh_per_s",
    format: formatEnergyKwh,
  },
  latency: { title: "Latency", column: "latency_s", format: asSeconds },
};

const UNITS_S = [
  ["week", 604_800],
  ["day", 86_400],
  ["hour", 3600],
  ["minute", 60],
];

function asGrams(value, digits) {
  return formatQuantity(value, "g", digits);
}

function asSeconds(value, digits) {
  return formatQuantity(value, "s", digits);
}

// Lines of points for one figure. Where a line breaks, a point without a value opens the gap.
export function linesOf(payload, metricName) {
  const titles = new Map(payload.versions.map(({ number, title }) => [number, title]));
  return payload.series.map(({ label, points, buckets }) =>
    buckets
      ? { label, ...bucketLine(payload, buckets, { metricName, titles }) }
      : { label, runCount: points.length, points: runPoints(payload, points, { metricName, titles }) },
  );
}

function runPoints(payload, rows, { metricName, titles }) {
  const { column } = METRICS[metricName];
  return rows.flatMap((row) => {
    const run = named(payload.columns, row);
    const point = {
      x: run.at_ms,
      y: run[column],
      ...bandOf(run, run[column]),
      run: run.run,
      version: titles.get(run.version),
      machine: payload.machines[run.machine],
      breakReason: run.break_reason,
      grade: run.grade,
    };
    return run.break_reason ? [{ x: run.at_ms, y: null }, point] : [point];
  });
}

// A bucket's point: the median, within a band from the lowest to the highest. What was measured
// on the same machine with the same software is joined, whatever was measured in between.
function bucketLine(payload, rows, { metricName, titles }) {
  const { factor } = METRICS[metricName];
  let surroundings = null;
  let runCount = 0;
  const points = rows.flatMap((row) => {
    const bucket = named(payload.bucket_columns, row);
    const under = payload.circumstances[bucket.circumstances];
    const perSecond = factor ? under[factor] : 1;
    const x = (bucket.from_ms + bucket.to_ms) / 2;
    const point = {
      x,
      y: bucket.median_s * perSecond,
      low: bucket.min_s * perSecond,
      high: bucket.max_s * perSecond,
      from: bucket.from_ms,
      to: bucket.to_ms,
      runCount: bucket.run_count,
      version: titles.get(under.version),
      machine: payload.machines[under.machine],
      runtime: under.runtime,
    };
    const isBreak = surroundings !== null && surroundings !== under.surroundings;
    surroundings = under.surroundings;
    runCount += bucket.run_count;
    return isBreak ? [{ x, y: null }, point] : [point];
  });
  return { points, runCount, isSummedUp: true };
}

// What the points and the band of this chart are, in words.
export function describeChart({ lines, run_count: runCount, covered_count: covered, bucket_width_s: width }) {
  const sentences =
    width === null
      ? ["Each point is a run, the band the 95 % interval of its mean."]
      : describeBuckets(lines, width);
  if (covered < runCount) {
    sentences.push(
      `${covered.toLocaleString("en-GB")} of ${counted(runCount, "run")} are drawn, those on the newest ` +
        "lines and in the newest circumstances: choose a shorter time to see the others.",
    );
  }
  return sentences.join(" ");
}

function describeBuckets(lines, width) {
  const summedUp = lines.filter(({ isSummedUp }) => isSummedUp);
  const buckets = summedUp.flatMap(({ points }) => points.filter(({ y }) => y !== null));
  const runs = buckets.reduce((sum, one) => sum + one.runCount, 0);
  const sentences = [
    `${counted(runs, "run")} in ${counted(buckets.length, "point")}: each is the median of up to ` +
      `${describeWidth(width)}, the band goes from the lowest to the highest.`,
  ];
  if (summedUp.length < lines.length) {
    sentences.push("On the shorter lines each point is a run, the band the 95 % interval of its mean.");
  }
  return sentences;
}

export function counted(count, noun) {
  return `${count.toLocaleString("en-GB")} ${noun}${count === 1 ? "" : "s"}`;
}

// A time in seconds as the largest unit that goes into it evenly.
export function describeWidth(widthS) {
  const [unit, length] = UNITS_S.find(([, one]) => widthS % one === 0);
  return counted(widthS / length, unit);
}

// The 95 % interval of the latency, carried over to the figure shown; nothing where unknown.
function bandOf(run, value) {
  if (run.low_s === null || run.high_s === null) {
    return { low: null, high: null };
  }
  return {
    low: (value * run.low_s) / run.latency_s,
    high: (value * run.high_s) / run.latency_s,
  };
}

function named(columns, row) {
  return Object.fromEntries(columns.map((column, index) => [column, row[index]]));
}

// What a point says, line by line: for the tooltip, and for the reader of the screen.
export function describePoint(point, { metricName, label }) {
  const { format } = METRICS[metricName];
  if (point.runCount) {
    return [
      `${format(point.y)}, median of ${counted(point.runCount, "run")}`,
      `Lowest ${format(point.low)}, highest ${format(point.high)}`,
      `${point.version}, ${label}`,
      `Measured on ${point.machine}, onnxruntime ${point.runtime}`,
    ];
  }
  const interval =
    point.low === null ? "" : ` (95 % interval ${format(point.low)} – ${format(point.high)})`;
  const lines = [`${format(point.y)}${interval}`, `${point.version}, ${label}`];
  lines.push(`Measured on ${point.machine}${point.grade ? `, grade ${point.grade}` : ""}`);
  if (point.breakReason) {
    lines.push(`New line: ${point.breakReason}`);
  }
  return lines;
}

// The point that a key leads to from {line, index}; null when the key leads nowhere.
export function neighbour(lines, active, key) {
  const line = active?.line ?? firstVisible(lines, 0, 1);
  const indices = lines[line] ? valued(lines[line]) : [];
  if (indices.length === 0) {
    return null;
  }
  const place = active ? indices.indexOf(active.index) : -1;
  const along = {
    ArrowRight: Math.min(place + 1, indices.length - 1),
    ArrowLeft: active ? Math.max(place - 1, 0) : indices.length - 1,
    Home: 0,
    End: indices.length - 1,
  }[key];
  if (along !== undefined) {
    return { line, index: indices[along] };
  }
  if (key === "ArrowUp" || key === "ArrowDown") {
    return acrossLines(lines, active ?? { line, index: indices.at(-1) }, key === "ArrowUp" ? -1 : 1);
  }
  return null;
}

function acrossLines(lines, active, step) {
  const line = firstVisible(lines, active.line + step, step);
  if (lines[line] === undefined) {
    return active;
  }
  const { x } = lines[active.line].points[active.index];
  const indices = lines[line] ? valued(lines[line]) : [];
  const distance = (index) => Math.abs(lines[line].points[index].x - x);
  return { line, index: indices.reduce((best, one) => (distance(one) < distance(best) ? one : best)) };
}

function firstVisible(lines, start, step) {
  let line = start;
  while (lines[line]?.isHidden) {
    line += step;
  }
  return lines[line] ? line : Math.max(0, Math.min(start, lines.length - 1));
}

function valued(line) {
  return line.points.flatMap((point, index) => (point.y === null ? [] : [index]));
}

// How many figures keep neighbouring ticks apart: three, or more where they lie close.
export function tickDigits(ticks) {
  const values = ticks.map(({ value }) => value).filter((value) => value !== 0);
  const steps = ticks.slice(1).map(({ value }, index) => Math.abs(value - ticks[index].value));
  const step = Math.min(...steps.filter((one) => one > 0));
  const largest = Math.max(...values.map(Math.abs));
  if (!Number.isFinite(step) || !Number.isFinite(largest)) {
    return 3;
  }
  return Math.min(8, Math.max(3, Math.ceil(Math.log10(largest / step) - 1e-9) + 1));
}

// When it was measured: a moment, or from when to when.
export function describeTime({ x, from, to }) {
  const written = (ms) => new Date(ms).toLocaleString("en-GB", { dateStyle: "medium", timeStyle: "short" });
  return from === undefined ? written(x) : `${written(from)} – ${written(to)}`;
}

// A bucket's time as something to zoom to: never shorter than a minute.
export function closerLook({ from, to }) {
  const air = Math.max(0, (60_000 - (to - from)) / 2);
  return { from: from - air, to: to + air };
}
