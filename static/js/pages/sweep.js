// The page of a sweep: draws its chart, and draws it anew as settings come in.

import { bandPlugin, onThemeChange, readTheme } from "../chart.js";
import { kneePlugin, legendItems, sweepDatasets, sweepOptions } from "../sweep_chart.js";
import { linesOf } from "../sweep_points.js";

const section = document.querySelector("#sweep-chart-section");
const canvas = document.querySelector("#sweep-chart");
const status = document.querySelector("#sweep-status");
let chart = null;
let drawn = "";

function hitOf(event) {
  return chart.getElementsAtEventForMode(event, "nearest", { intersect: true }, true)[0];
}

function openClicked(event) {
  const hit = hitOf(event);
  if (hit) {
    location.assign(chart.data.datasets[hit.datasetIndex].data[hit.index].url);
  }
}

function draw() {
  const lines = linesOf(JSON.parse(drawn));
  section.hidden = lines.length === 0;
  chart?.destroy();
  chart = null;
  if (lines.length === 0) {
    return;
  }
  const theme = readTheme();
  chart = new window.Chart(canvas, {
    type: "line",
    data: { datasets: sweepDatasets(lines, theme) },
    options: {
      ...sweepOptions(theme, lines),
      onClick: openClicked,
      onHover: (event) => {
        canvas.style.cursor = hitOf(event) ? "pointer" : "";
      },
    },
    plugins: [bandPlugin, kneePlugin],
  });
  document.querySelector("#sweep-legend").replaceChildren(...legendItems(lines, theme));
}

function drawIfChanged() {
  const text = document.querySelector("#sweep-chart-data").textContent;
  if (text !== drawn) {
    drawn = text;
    draw();
  }
}

if (canvas && window.Chart) {
  drawIfChanged();
  status.addEventListener("htmx:afterSwap", drawIfChanged);
  onThemeChange(() => draw());
}
