// What the history chart draws: the server's rows as points of one figure, without a pixel.

import { formatEnergyKwh, formatQuantity } from "./format.js";

export const METRICS = {
  emission: { title: "CO₂ per inference", column: "emission_g", format: asGrams },
  energy: { title: "Energy per inference", column: "energy_kwh", format: formatEnergyKwh },
  latency: { title: "Latency", column: "latency_s", format: asSeconds },
};

function asGrams(value, digits) {
  return formatQuantity(value, "g", digits);
}

function asSeconds(value, digits) {
  return formatQuantity(value, "s", digits);
}

// Lines of points for one figure. Where a line breaks, a point without a value opens the gap.
export function linesOf(payload, metricName) {
  const { column } = METRICS[metricName];
  const titles = new Map(payload.versions.map(({ number, title }) => [number, title]));
  return payload.series.map(({ label, points }) => ({
    label,
    points: points.flatMap((row) => {
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
    }),
  }));
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
