// The comparison: the chart of accuracy against cost, in the colours of the moment.

import { onThemeChange, readTheme } from "../chart.js";
import { paretoConfig } from "../pareto_chart.js";

const canvas = document.querySelector("#pareto-chart");

if (canvas && window.Chart) {
  const facts = JSON.parse(document.querySelector("#pareto-facts").textContent);
  let chart = new window.Chart(canvas, paretoConfig(facts, readTheme()));
  onThemeChange(() => {
    chart.destroy();
    chart = new window.Chart(canvas, paretoConfig(facts, readTheme()));
  });
}
