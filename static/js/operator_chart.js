// Where a run's grams go, as bars: by operator or by layer, the largest first.

import { axis, baseOptions, onThemeChange, readTheme } from "./chart.js";
import { formatCount, formatPercent, formatQuantity } from "./format.js";

const BAR_PX = 30;
const AXIS_PX = 56;
const LABEL_LENGTH = 28;
const NARROW_LABEL_LENGTH = 16;
const NARROW_PX = 520;

// The end of a long name tells layers apart: "/encoder/…/MatMul" keeps it.
export function shortLabel(label, length) {
  return label.length <= length ? label : `…${label.slice(1 - length)}`;
}

// What a bar says when it is asked: its operator, its share, its work.
export function describeBar({ label, operator, time_ratio: ratio, mac_count: macs }) {
  const lines = [`${formatPercent(ratio)} of the time`];
  if (operator && operator !== label) {
    lines.unshift(operator);
  }
  if (macs) {
    lines.push(`${formatCount(macs)} MACs`);
  }
  return lines;
}

export function boxHeight(barCount) {
  return AXIS_PX + BAR_PX * Math.max(1, barCount);
}

export function operatorConfig(bars, theme, { widthPx }) {
  const base = baseOptions(theme);
  const length = widthPx < NARROW_PX ? NARROW_LABEL_LENGTH : LABEL_LENGTH;
  return {
    type: "bar",
    data: {
      labels: bars.map(({ label }) => shortLabel(label, length)),
      datasets: [
        {
          data: bars.map(({ emission_g: grams }) => grams),
          // What several share has no colour of its own.
          backgroundColor: bars.map(({ operator }) => (operator ? theme.series[0] : theme.grid)),
          categoryPercentage: 0.9,
          barPercentage: 0.8,
        },
      ],
    },
    options: {
      ...base,
      indexAxis: "y",
      scales: {
        x: axis(theme, {
          beginAtZero: true,
          title: { display: true, text: "CO₂ per inference" },
          ticks: { maxTicksLimit: 5, maxRotation: 0, callback: (value) => formatQuantity(value, "g") },
        }),
        y: axis(theme, { grid: { display: false }, ticks: { autoSkip: false } }),
      },
      plugins: {
        ...base.plugins,
        tooltip: {
          ...base.plugins.tooltip,
          callbacks: {
            title: ([{ dataIndex }]) => bars[dataIndex].label,
            label: ({ dataIndex }) => formatQuantity(bars[dataIndex].emission_g, "g"),
            afterLabel: ({ dataIndex }) => describeBar(bars[dataIndex]),
          },
        },
      },
    },
  };
}

// Draw the page's bars, and draw them again when the reader chooses the others.
export function showOperatorChart() {
  const canvas = document.querySelector("#operator-bars");
  if (!canvas || !window.Chart) {
    return;
  }
  const bars = JSON.parse(document.querySelector("#operator-bars-data").textContent);
  const buttons = [...document.querySelectorAll("[data-bars]")];
  const box = document.querySelector("[data-bars-box]");
  let shown = "operator";
  let chart = null;
  const draw = () => {
    chart?.destroy();
    box.style.height = `${boxHeight(bars[shown].length)}px`;
    const options = { widthPx: box.clientWidth };
    chart = new window.Chart(canvas, operatorConfig(bars[shown], readTheme(), options));
    canvas.setAttribute("aria-label", `Grams by ${shown}; the tables below have the same figures`);
    for (const button of buttons) {
      button.setAttribute("aria-pressed", String(button.dataset.bars === shown));
    }
  };
  for (const button of buttons) {
    button.addEventListener("click", () => {
      shown = button.dataset.bars;
      draw();
    });
  }
  onThemeChange(draw);
  draw();
}
