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

export function describePoint({ title, cost, accuracy_ratio: ratio, is_efficient: isEfficient }, unit) {
  const verdict = isEfficient ? "efficient: none is better in both" : "another is better";
  return [title, `${formatPercent(ratio)} at ${formatQuantity(cost, unit)}`, verdict];
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
  return {
    type: "scatter",
    data: { datasets: [...versions, line] },
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
          labels: { color: theme.text, usePointStyle: true, font: { family: theme.font } },
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
