// The page of a finished run: draws the histogram of its samples.

import { histogramConfig, onThemeChange, readTheme } from "../chart.js";

const canvas = document.querySelector("#histogram");

if (canvas && window.Chart) {
  const bins = JSON.parse(document.querySelector("#histogram-data").textContent);
  let chart = new window.Chart(canvas, histogramConfig(bins, readTheme()));
  onThemeChange(() => {
    chart.destroy();
    chart = new window.Chart(canvas, histogramConfig(bins, readTheme()));
  });
}
