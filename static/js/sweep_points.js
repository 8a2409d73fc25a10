// What the chart of a sweep draws: the server's points as lines by threads, without a pixel.

import { formatQuantity } from "./format.js";

export function threadsLabel(threads) {
  return threads === 1 ? "1 thread" : `${threads} threads`;
}

// A line of points for each thread count; the knee is a point that says so of itself.
export function linesOf(payload) {
  const { knee } = payload;
  return payload.series.map(({ threads, points }) => ({
    label: threadsLabel(threads),
    points: points.map((point) => ({
      x: point.batch_size,
      y: point.emission_g,
      low: point.low_g,
      high: point.high_g,
      latencyS: point.latency_s,
      url: point.url,
      isKnee: knee !== null && knee.threads === threads && knee.batch_size === point.batch_size,
    })),
  }));
}

// The batch sizes measured, each once: the axis has a tick at each.
export function batchSizesOf(lines) {
  const sizes = new Set(lines.flatMap(({ points }) => points.map(({ x }) => x)));
  return [...sizes].toSorted((one, other) => one - other);
}

// The ends of the axis: half a doubling of air on both sides.
export function axisEnds(batchSizes) {
  return { min: batchSizes[0] / Math.SQRT2, max: batchSizes.at(-1) * Math.SQRT2 };
}

export function describePoint(point, label) {
  const interval =
    point.low === null
      ? ""
      : ` (95 % interval ${formatQuantity(point.low, "g")} – ${formatQuantity(point.high, "g")})`;
  const lines = [
    `${formatQuantity(point.y, "g")} per inference${interval}`,
    `${label}, ${formatQuantity(point.latencyS, "s")} per inference`,
  ];
  return point.isKnee ? [...lines, "The knee: the smallest setting as good as the best"] : lines;
}
