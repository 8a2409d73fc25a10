// How Chart.js draws here: our colours, our numbers, bands and markers, nothing that moves.

import { formatCount, formatQuantity } from "./format.js";
import { METRICS, describePoint, describeTime, tickDigits } from "./history_points.js";

const SERIES_COUNT = 6;
// Lines differ in colour, dash and marker, so that no reader depends on one of them.
export const DASHES = [[], [8, 4], [2, 3], [10, 3, 2, 3], [5, 5], [14, 4]];
export const MARKERS = ["circle", "rect", "triangle", "rectRot", "star", "crossRot"];
const SVG = "http://www.w3.org/2000/svg";
const DAY_MS = 86_400_000;
const AIR_RATIO = 0.08;

// The page's colours as they are now, in light or dark.
export function readTheme() {
  const style = getComputedStyle(document.documentElement);
  const read = (name) => style.getPropertyValue(name).trim();
  return {
    series: Array.from({ length: SERIES_COUNT }, (_, index) => read(`--series-${index + 1}`)),
    text: read("--chart-text"),
    grid: read("--chart-grid"),
    tooltipGround: read("--chart-tooltip-ground"),
    tooltipText: read("--chart-tooltip-text"),
    bandOpacity: Number(read("--band-opacity")) || 0.16,
    font: read("--font-text") || "sans-serif",
  };
}

// Call back whenever the reader switches between light and dark.
export function onThemeChange(callback) {
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", callback);
}

export function baseOptions(theme) {
  return {
    animation: false,
    responsive: true,
    maintainAspectRatio: false,
    font: { family: theme.font },
    color: theme.text,
    plugins: {
      legend: { display: false },
      tooltip: {
        backgroundColor: theme.tooltipGround,
        titleColor: theme.tooltipText,
        bodyColor: theme.tooltipText,
        footerColor: theme.tooltipText,
        titleFont: { family: theme.font },
        bodyFont: { family: theme.font },
        footerFont: { family: theme.font, weight: "normal" },
        displayColors: false,
        padding: 10,
      },
    },
  };
}

export function axis(theme, options) {
  return {
    border: { color: theme.grid },
    grid: { color: theme.grid },
    ...options,
    ticks: { color: theme.text, font: { family: theme.font, size: 12 }, ...options.ticks },
    title: { color: theme.text, font: { family: theme.font, size: 12 }, ...options.title },
  };
}

export function historyDatasets(lines, theme) {
  return lines.map(({ label, points }, index) => ({
    label,
    data: points,
    borderColor: theme.series[index % SERIES_COUNT],
    backgroundColor: theme.series[index % SERIES_COUNT],
    borderDash: DASHES[index % DASHES.length],
    pointStyle: MARKERS[index % MARKERS.length],
    borderWidth: 2,
    pointRadius: points.length > 200 ? 1.5 : 4,
    pointHoverRadius: 7,
    pointHitRadius: 8,
    spanGaps: false,
  }));
}

// A piece of a line as it is drawn, for a legend.
export function lineSample(index, theme) {
  const svg = document.createElementNS(SVG, "svg");
  const line = document.createElementNS(SVG, "line");
  const stroke = theme.series[index % theme.series.length];
  const attributes = { x1: 0, y1: 6, x2: 28, y2: 6, "stroke-width": 3, stroke };
  Object.entries(attributes).forEach(([name, value]) => line.setAttribute(name, value));
  line.setAttribute("stroke-dasharray", DASHES[index % DASHES.length].join(" "));
  svg.setAttribute("width", 28);
  svg.setAttribute("height", 12);
  svg.setAttribute("aria-hidden", "true");
  svg.append(line);
  return svg;
}

export function historyOptions(theme, { metricName, isLog, versions, onZoomed, extent, zoom }) {
  const metric = METRICS[metricName];
  const base = baseOptions(theme);
  return {
    ...base,
    layout: { padding: { top: 18, right: 8 } },
    interaction: { mode: "nearest", intersect: false, axis: "xy" },
    transitions: { zoom: { animation: { duration: 0 } } },
    scales: {
      x: axis(theme, {
        type: "time",
        min: zoom?.from,
        max: zoom?.to,
        time: {
          tooltipFormat: "d MMM yyyy, HH:mm",
          displayFormats: { second: "HH:mm:ss", minute: "HH:mm", hour: "d MMM HH:mm", day: "d MMM" },
        },
        ticks: { maxRotation: 0, autoSkipPadding: 24 },
        afterDataLimits: widenSingleMoment,
      }),
      y: axis(theme, {
        type: isLog ? "logarithmic" : "linear",
        title: { display: true, text: metric.title },
        ticks: {
          maxTicksLimit: 7,
          callback: (value, _, ticks) => metric.format(value, isLog ? 3 : tickDigits(ticks)),
        },
        afterDataLimits: isLog ? includeBands : roomForBands,
      }),
    },
    plugins: {
      ...base.plugins,
      versionMarkers: { versions, color: theme.text, grid: theme.grid, font: theme.font },
      band: { opacity: theme.bandOpacity },
      tooltip: { ...base.plugins.tooltip, callbacks: historyTooltip(metricName) },
      zoom: {
        limits: { x: { ...limitsOf(extent), minRange: 60_000 } },
        pan: { enabled: true, mode: "x", onPanComplete: onZoomed },
        zoom: {
          mode: "x",
          wheel: { enabled: true, modifierKey: "ctrl" },
          pinch: { enabled: true },
          onZoomComplete: onZoomed,
        },
      },
    },
  };
}

function historyTooltip(metricName) {
  return {
    label: ({ raw, dataset }) => describePoint(raw, { metricName, label: dataset.label }),
    title: ([{ raw, label }]) => (raw.runCount ? describeTime(raw) : label),
    footer: ([{ raw }]) => (raw.runCount ? "Click to look closer" : "Click to open the run"),
  };
}

// How far one may look: over all that could be loaded, which is more than what is drawn.
function limitsOf({ from, to }) {
  return to - from < DAY_MS ? { min: from - DAY_MS / 2, max: to + DAY_MS / 2 } : { min: from, max: to };
}

// A single moment would make an axis a millisecond wide.
function widenSingleMoment(scale) {
  if (scale.max - scale.min < 1000) {
    scale.min -= DAY_MS / 2;
    scale.max += DAY_MS / 2;
  }
}

// The axis has to hold the bands too, not only the means within them.
function includeBands(scale) {
  const { chart } = scale;
  const { min, max } = chart.scales.x ?? { min: -Infinity, max: Infinity };
  for (const [index, { data }] of chart.data.datasets.entries()) {
    if (!chart.isDatasetVisible(index)) {
      continue;
    }
    for (const { x, low, high } of data) {
      if (low === undefined || low === null || x < min || x > max) {
        continue;
      }
      scale.min = low > 0 ? Math.min(scale.min, low) : scale.min;
      scale.max = Math.max(scale.max, high);
    }
  }
}

// Some air above and below, but none below zero: there are no negative grams.
export function roomForBands(scale) {
  includeBands(scale);
  const air = (scale.max - scale.min) * AIR_RATIO;
  scale.min = scale.min >= 0 ? Math.max(0, scale.min - air) : scale.min;
  scale.max += air;
}

// Shade each line's 95 % interval; a point that stands alone gets a whisker.
export const bandPlugin = {
  id: "band",
  beforeDatasetsDraw(chart, _, { opacity }) {
    const { ctx, chartArea } = chart;
    ctx.save();
    ctx.beginPath();
    ctx.rect(chartArea.left, chartArea.top, chartArea.width, chartArea.height);
    ctx.clip();
    for (const [index, dataset] of chart.data.datasets.entries()) {
      if (chart.isDatasetVisible(index)) {
        stretches(dataset.data).forEach((points) => drawBand(chart, dataset, points, opacity));
      }
    }
    ctx.restore();
  },
};

function stretches(points) {
  const all = [[]];
  for (const point of points) {
    if (point.y === null || point.low === null) {
      all.push([]);
    } else {
      all.at(-1).push(point);
    }
  }
  return all.filter((stretch) => stretch.length > 0);
}

function drawBand({ ctx, scales }, dataset, points, opacity) {
  const place = (point, value) => [
    scales.x.getPixelForValue(point.x),
    scales.y.getPixelForValue(Math.max(value, scales.y.min)),
  ];
  ctx.beginPath();
  points.forEach((point) => ctx.lineTo(...place(point, point.high)));
  points.toReversed().forEach((point) => ctx.lineTo(...place(point, point.low)));
  if (points.length === 1) {
    ctx.strokeStyle = dataset.borderColor;
    ctx.lineWidth = 1.5;
    ctx.stroke();
    return;
  }
  ctx.globalAlpha = opacity;
  ctx.fillStyle = dataset.borderColor;
  ctx.fill();
  ctx.globalAlpha = 1;
}

// Mark where each version was first measured; names that would overlap are left out.
export const versionMarkerPlugin = {
  id: "versionMarkers",
  beforeDatasetsDraw(chart, _, { versions, color, font }) {
    const { ctx, chartArea, scales } = chart;
    ctx.save();
    ctx.strokeStyle = color;
    ctx.fillStyle = color;
    ctx.globalAlpha = 0.75;
    ctx.setLineDash([3, 3]);
    ctx.font = `12px ${font}`;
    let free = -Infinity;
    for (const { title, at_ms: atMs } of versions) {
      const x = scales.x.getPixelForValue(atMs);
      if (x < chartArea.left - 1 || x > chartArea.right + 1) {
        continue;
      }
      ctx.beginPath();
      ctx.moveTo(x, chartArea.top - 4);
      ctx.lineTo(x, chartArea.bottom);
      ctx.stroke();
      const width = ctx.measureText(title).width;
      const left = Math.min(x, chartArea.right - width);
      if (left > free) {
        ctx.fillText(title, left, chartArea.top - 8);
        free = left + width + 8;
      }
    }
    ctx.restore();
  },
};

export function histogramConfig(bins, theme) {
  const base = baseOptions(theme);
  const spelled = bins.map(({ low_s: low, high_s: high, is_tail: isTail }) =>
    isTail
      ? `${formatQuantity(low, "s")} and above, up to ${formatQuantity(high, "s")}`
      : `${formatQuantity(low, "s", 4)} – ${formatQuantity(high, "s", 4)}`,
  );
  return {
    type: "bar",
    data: {
      labels: bins.map(({ low_s: low, is_tail: isTail }) =>
        isTail ? `≥ ${formatQuantity(low, "s")}` : formatQuantity(low, "s"),
      ),
      datasets: [
        {
          data: bins.map(({ count }) => count),
          backgroundColor: bins.map(({ is_tail: isTail }) => theme.series[isTail ? 1 : 0]),
          categoryPercentage: 1,
          barPercentage: 0.94,
        },
      ],
    },
    options: {
      ...base,
      scales: {
        x: axis(theme, { grid: { display: false }, ticks: { maxRotation: 0, autoSkipPadding: 16 } }),
        y: axis(theme, {
          beginAtZero: true,
          title: { display: true, text: "Samples" },
          ticks: { precision: 0, maxTicksLimit: 6, callback: (value) => formatCount(value) },
        }),
      },
      plugins: {
        ...base.plugins,
        tooltip: {
          ...base.plugins.tooltip,
          callbacks: {
            title: ([{ dataIndex }]) => spelled[dataIndex],
            label: ({ raw }) => `${raw} sample${raw === 1 ? "" : "s"}`,
          },
        },
      },
    },
  };
}

// One run in one country: grams over the years.
export function yearsConfig(points, theme) {
  const base = baseOptions(theme);
  return {
    type: "line",
    data: {
      datasets: [
        {
          data: points.map((point) => ({ x: point.year, y: point.emission_g, ...point })),
          borderColor: theme.series[0],
          backgroundColor: theme.series[0],
          borderWidth: 2,
          pointRadius: 3,
          pointHitRadius: 12,
        },
      ],
    },
    options: {
      ...base,
      interaction: { mode: "nearest", intersect: false },
      scales: {
        x: axis(theme, { type: "linear", ticks: { precision: 0, callback: (year) => String(year) } }),
        y: axis(theme, {
          beginAtZero: true,
          title: { display: true, text: "CO₂ per inference" },
          ticks: { maxTicksLimit: 7, callback: (value) => formatQuantity(value, "g") },
        }),
      },
      plugins: {
        ...base.plugins,
        tooltip: {
          ...base.plugins.tooltip,
          callbacks: {
            title: ([{ raw }]) => String(raw.year),
            label: ({ raw }) => formatQuantity(raw.y, "g"),
            footer: ([{ raw }]) => [`${formatQuantity(raw.g_per_kwh, "g/kWh")}, ${raw.measure}`, raw.source],
          },
        },
      },
    },
  };
}
