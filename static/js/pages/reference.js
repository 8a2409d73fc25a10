// The curve of a country's carbon intensity over the years, in the site's own colours.

import { formatQuantity } from "../format.js";

const points = JSON.parse(document.getElementById("zone-points").textContent);
const canvas = document.getElementById("zone-chart");
const DASHES = [[], [6, 4], [2, 3]];
const MARKERS = ["circle", "rect", "triangle"];

const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

function dataset(measure, index) {
  const paint = colour(`--series-${index + 1}`);
  return {
    label: measure,
    data: points
      .filter((point) => point.measure === measure)
      .map((point) => ({ x: point.year, y: point.g_per_kwh, source: point.source })),
    borderColor: paint,
    backgroundColor: paint,
    borderWidth: 2,
    borderDash: DASHES[index],
    pointStyle: MARKERS[index],
    pointRadius: 3,
    pointHitRadius: 12,
  };
}

function scale(title, callback) {
  const text = colour("--chart-text");
  return {
    title: { display: true, text: title, color: text },
    ticks: { color: text, callback, precision: 0 },
    grid: { color: colour("--chart-grid") },
  };
}

function tooltip() {
  return {
    backgroundColor: colour("--chart-tooltip-ground"),
    titleColor: colour("--chart-tooltip-text"),
    bodyColor: colour("--chart-tooltip-text"),
    callbacks: {
      title: (items) => String(items[0].raw.x),
      label: (item) => `${formatQuantity(item.raw.y, "g/kWh")} (${item.dataset.label})`,
      afterLabel: (item) => item.raw.source,
    },
  };
}

function options(measures) {
  return {
    animation: false,
    maintainAspectRatio: false,
    interaction: { mode: "nearest", intersect: false },
    scales: {
      x: { type: "linear", ...scale("Year", (year) => String(year)) },
      y: { beginAtZero: true, ...scale("g CO2e per kWh") },
    },
    plugins: {
      legend: { display: measures.length > 1, labels: { color: colour("--chart-text") } },
      tooltip: tooltip(),
    },
  };
}

let chart = null;

function draw() {
  const measures = [...new Set(points.map((point) => point.measure))];
  chart?.destroy();
  chart = new window.Chart(canvas, {
    type: "line",
    data: { datasets: measures.map(dataset) },
    options: options(measures),
  });
}

window.matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
draw();
