// Accuracy against cost: a point for each version, those that none beats in both joined by a line.

import { MARKERS, axis, baseOptions } from "./chart.js";
import { formatPercent, formatQuantity } from "./format.js";

// The efficient points, cheapest first: the line that no version lies above.
export function frontier(points) {
  return points
    .filter(({ is_efficient: isEfficient }) => isEfficient)
    .map(({ cost, accuracy_ratio: ratio }) => ({ x: cost, y: ratio }))
    .toSorted((one, other) => one.x - other.x);
}

// The 95 % interval of each accuracy that was measured, as the ends of an upright line.
export function intervals(points) {
  return points
    .filter(({ low_ratio: low }) => low != null)
    .map(({ cost, low_ratio: low, high_ratio: high }) => [
      { x: cost, y: low },
      { x: cost, y: high },
    ]);
}

export function describePoint(point, unit) {
  const { title, cost, accuracy_ratio: ratio, is_efficient: isEfficient, low_ratio: low } = point;
  const verdict = isEfficient ? "efficient: none is better in both" : "another is better";
  const figures = `${formatPercent(ratio)} at ${formatQuantity(cost, unit)}`;
  if (low == null) return [title, figures, verdict];
  const interval = `measured: ${formatPercent(low)} to ${formatPercent(point.high_ratio)}`;
  return [title, figures, interval, verdict];
}

export function paretoConfig({ label, unit, points }, theme) {
  const base = baseOptions(theme);
  const versions = points.map((point, index) => ({
    label: point.title,
    data: [{ x: point.cost, y: point.accuracy_ratio, point }],
    borderColor: theme.series[index % theme.series.length],
    // A filled marker is efficient, a hollow one is not: no reader depends on a colour.
    backgroundColor: point.is_efficient ? theme.series[index % theme.series.length] : "transparent",
    pointStyle: MARKERS[index % MARKERS.length],
    pointBorderWidth: 2,
    pointRadius: 8,
    pointHoverRadius: 10,
  }));
  const line = {
    label: "efficient",
    type: "line",
    data: frontier(points),
    borderColor: theme.text,
    borderDash: [4, 4],
    borderWidth: 1,
    pointStyle: "line",
    pointRadius: 0,
    pointHitRadius: 0,
  };
  const bars = intervals(points).map((ends) => ({
    label: "95 % interval",
    type: "line",
    data: ends,
    borderColor: theme.text,
    borderWidth: 1,
    pointStyle: "line",
    pointRadius: 5,
    pointHitRadius: 0,
  }));
  return {
    type: "scatter",
    data: { datasets: [...versions, line, ...bars] },
    options: {
      ...base,
      layout: { padding: 12 },
      scales: {
        x: axis(theme, {
          grace: "10%",
          title: { display: true, text: `${label} per inference (left is better)` },
          ticks: { maxTicksLimit: 5, maxRotation: 0, callback: (value) => formatQuantity(value, unit) },
        }),
        y: axis(theme, {
          grace: "20%",
          title: { display: true, text: "Accuracy (up is better)" },
          ticks: { maxTicksLimit: 6, callback: (value) => formatPercent(value) },
        }),
      },
      plugins: {
        ...base.plugins,
        legend: {
          display: true,
          position: "bottom",
          labels: {
            color: theme.text,
            usePointStyle: true,
            font: { family: theme.font },
            // All intervals are one entry.
            filter: ({ datasetIndex }) => datasetIndex <= versions.length + 1,
          },
        },
        tooltip: {
          ...base.plugins.tooltip,
          filter: ({ raw }) => Boolean(raw.point),
          callbacks: { label: ({ raw }) => describePoint(raw.point, unit) },
        },
      },
    },
  };
}
