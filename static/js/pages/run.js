// The page of a finished run: draws the histogram of its samples, and where its grams go.

import { histogramConfig, onThemeChange, readTheme } from "../chart.js";
import { showOperatorChart } from "../operator_chart.js";

showOperatorChart();

const canvas = document.querySelector("#histogram");

if (canvas && window.Chart) {
  const bins = JSON.parse(document.querySelector("#histogram-data").textContent);
  let chart = new window.Chart(canvas, histogramConfig(bins, readTheme()));
  onThemeChange(() => {
    chart.destroy();
    chart = new window.Chart(canvas, histogramConfig(bins, readTheme()));
  });
}
