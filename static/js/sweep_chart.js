// How Chart.js draws a sweep: batch sizes as doublings, a ring around the knee.

import { axis, baseOptions, historyDatasets, lineSample, roomForBands } from "./chart.js";
import { formatQuantity } from "./format.js";
import { tickDigits } from "./history_points.js";
import { axisEnds, batchSizesOf, describePoint } from "./sweep_points.js";

const RING_RADIUS = 11;

export function sweepOptions(theme, lines) {
  const base = baseOptions(theme);
  const batchSizes = batchSizesOf(lines);
  return {
    ...base,
    layout: { padding: { top: 18, right: 8 } },
    interaction: { mode: "nearest", intersect: false, axis: "xy" },
    scales: {
      x: axis(theme, {
        type: "logarithmic",
        ...axisEnds(batchSizes),
        title: { display: true, text: "Batch size" },
        ticks: { autoSkip: false, maxRotation: 0, callback: (value) => String(value) },
        afterBuildTicks: (scale) => {
          scale.ticks = batchSizes.map((value) => ({ value }));
        },
      }),
      y: axis(theme, {
        type: "linear",
        title: { display: true, text: "CO₂ per inference" },
        ticks: {
          maxTicksLimit: 7,
          callback: (value, _, ticks) => formatQuantity(value, "g", tickDigits(ticks)),
        },
        afterDataLimits: (scale) => {
          roomForBands(scale);
          scale.min = 0;
        },
      }),
    },
    plugins: {
      ...base.plugins,
      band: { opacity: theme.bandOpacity },
      knee: { color: theme.text, font: theme.font },
      tooltip: {
        ...base.plugins.tooltip,
        callbacks: {
          title: ([{ raw }]) => `Batch ${raw.x}`,
          label: ({ raw, dataset }) => describePoint(raw, dataset.label),
          footer: () => "Click to open the run",
        },
      },
    },
  };
}

export function sweepDatasets(lines, theme) {
  return historyDatasets(lines, theme);
}

// A ring around the knee, and its name above.
export const kneePlugin = {
  id: "knee",
  afterDatasetsDraw(chart, _, { color, font }) {
    const { ctx } = chart;
    for (const [index, { data }] of chart.data.datasets.entries()) {
      const place = data.findIndex(({ isKnee }) => isKnee);
      if (place === -1) {
        continue;
      }
      const { x, y } = chart.getDatasetMeta(index).data[place];
      ctx.save();
      ctx.strokeStyle = color;
      ctx.fillStyle = color;
      ctx.lineWidth = 2;
      ctx.beginPath();
      ctx.arc(x, y, RING_RADIUS, 0, 2 * Math.PI);
      ctx.stroke();
      ctx.font = `600 13px ${font}`;
      ctx.textAlign = "center";
      ctx.fillText("knee", x, y - RING_RADIUS - 6);
      ctx.restore();
    }
  },
};

// The legend: a piece of each line with its name.
export function legendItems(lines, theme) {
  return lines.map(({ label }, index) => {
    const item = document.createElement("li");
    item.append(lineSample(index, theme), ` ${label}`);
    return item;
  });
}
