// The curve of a country's carbon intensity over the years, in the site's own colours.

import { DASHES, MARKERS, axis, baseOptions, onThemeChange, readTheme } from "../chart.js";
import { formatQuantity } from "../format.js";

const points = JSON.parse(document.getElementById("zone-points").textContent);
const canvas = document.getElementById("zone-chart");
const measures = [...new Set(points.map((point) => point.measure))];

function dataset(measure, index, theme) {
  return {
    label: measure,
    data: points
      .filter((point) => point.measure === measure)
      .map((point) => ({ x: point.year, y: point.g_per_kwh, source: point.source })),
    borderColor: theme.series[index],
    backgroundColor: theme.series[index],
    borderWidth: 2,
    borderDash: DASHES[index],
    pointStyle: MARKERS[index],
    pointRadius: 3,
    pointHitRadius: 12,
  };
}

function options(theme) {
  const base = baseOptions(theme);
  return {
    ...base,
    interaction: { mode: "nearest", intersect: false },
    scales: {
      x: axis(theme, { type: "linear", ticks: { precision: 0, callback: (year) => String(year) } }),
      y: axis(theme, {
        beginAtZero: true,
        title: { display: true, text: "g CO₂e per kWh" },
        ticks: { maxTicksLimit: 7 },
      }),
    },
    plugins: {
      ...base.plugins,
      legend: {
        display: measures.length > 1,
        labels: { color: theme.text, usePointStyle: true, font: { family: theme.font } },
      },
      tooltip: {
        ...base.plugins.tooltip,
        callbacks: {
          title: ([{ raw }]) => String(raw.x),
          label: ({ raw, dataset: { label } }) => `${formatQuantity(raw.y, "g/kWh")} (${label})`,
          footer: ([{ raw }]) => raw.source,
        },
      },
    },
  };
}

let chart = null;

function draw() {
  const theme = readTheme();
  chart?.destroy();
  chart = new window.Chart(canvas, {
    type: "line",
    data: { datasets: measures.map((measure, index) => dataset(measure, index, theme)) },
    options: options(theme),
  });
}

onThemeChange(draw);
draw();
