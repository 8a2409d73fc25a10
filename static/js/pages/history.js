// The page of a model: wires the history chart to its tools, its address, keys and table.

import {
  DASHES,
  bandPlugin,
  historyDatasets,
  historyOptions,
  onThemeChange,
  readTheme,
  versionMarkerPlugin,
} from "../chart.js";
import { METRICS, describePoint, linesOf, neighbour } from "../history_points.js";
import { dataSearch, parseState, toSearch, withRuns } from "../view_state.js";

const NO_ID = "00000000-0000-0000-0000-000000000000";
const SVG = "http://www.w3.org/2000/svg";
const ZOOM_STEP = 1.5;

const box = document.querySelector("#history-chart-box");
const canvas = document.querySelector("#history-chart");
const news = document.querySelector("#chart-news");
const legend = document.querySelector("#chart-legend");
const resetButton = document.querySelector("#reset-zoom");
const pickButton = document.querySelector("#pick-runs");

let state = parseState(location.search);
let payload = null;
let lines = [];
let active = null;
let chart = null;
const hiddenLabels = new Set();
// The runs picked to be explained, oldest click first; null while a click opens a run.
let picked = null;

async function load() {
  try {
    const response = await fetch(`${box.dataset.url}${dataSearch(state)}`);
    if (!response.ok) {
      throw new Error(`HTTP ${response.status}`);
    }
    payload = await response.json();
  } catch {
    news.textContent = "The chart could not be loaded. The table below has the same figures.";
    return;
  }
  draw();
}

function draw() {
  const theme = readTheme();
  lines = linesOf(payload, state.metric).map((line) => ({
    ...line,
    isHidden: hiddenLabels.has(line.label),
  }));
  chart?.destroy();
  active = null;
  chart = new window.Chart(canvas, {
    type: "line",
    data: { datasets: historyDatasets(lines, theme) },
    options: {
      ...historyOptions(theme, {
        metricName: state.metric,
        isLog: state.scale === "log",
        versions: payload.versions,
        onZoomed: rememberZoom,
      }),
      onClick: openClicked,
      onHover: showHand,
    },
    plugins: [bandPlugin, versionMarkerPlugin],
  });
  lines.forEach((line, index) => chart.setDatasetVisibility(index, !line.isHidden));
  chart.update("none");
  applyZoom();
  drawLegend(theme);
  const hasPoints = lines.some(({ points }) => points.length > 0);
  news.textContent = hasPoints ? "\u00a0" : "Nothing was measured in this range.";
}

function applyZoom() {
  if (state.zoom) {
    chart.zoomScale("x", { min: state.zoom.from, max: state.zoom.to }, "none");
  }
  resetButton.hidden = !state.zoom;
}

// What else stands in the address now: the what-if below the chart writes there too.
function current() {
  return { ...state, kept: parseState(location.search).kept };
}

function rememberZoom() {
  const { min, max } = chart.scales.x;
  state = { ...current(), zoom: chart.isZoomedOrPanned() ? { from: min, to: max } : null };
  resetButton.hidden = !state.zoom;
  history.replaceState(null, "", toSearch(state) || location.pathname);
}

function startPicking() {
  picked = picked ? null : [];
  pickButton.setAttribute("aria-pressed", String(picked !== null));
  news.textContent = picked ? "Choose the two runs between which to explain the change." : "\u00a0";
}

function openRun(point) {
  if (picked) {
    picked.push(point.run);
    news.textContent = "Now the other run.";
    if (picked.length === 2) {
      location.assign(`${location.pathname}${toSearch(withRuns(current(), ...picked))}#why`);
    }
    return;
  }
  location.assign(box.dataset.runUrl.replace(NO_ID, point.run));
}

function openClicked(event) {
  const [hit] = chart.getElementsAtEventForMode(event, "nearest", { intersect: true }, true);
  if (hit) {
    openRun(lines[hit.datasetIndex].points[hit.index]);
  }
}

function showHand(event) {
  const hits = chart.getElementsAtEventForMode(event, "nearest", { intersect: true }, true);
  canvas.style.cursor = hits.length > 0 ? "pointer" : "";
}

function showActive() {
  const point = lines[active.line].points[active.index];
  const elements = [{ datasetIndex: active.line, index: active.index }];
  const { x, y } = chart.getDatasetMeta(active.line).data[active.index];
  chart.setActiveElements(elements);
  chart.tooltip.setActiveElements(elements, { x, y });
  chart.update("none");
  const when = new Date(point.x).toLocaleString("en-GB", { dateStyle: "medium", timeStyle: "short" });
  const { label } = lines[active.line];
  news.textContent = [when, ...describePoint(point, { metricName: state.metric, label })].join(" · ");
}

function zoomByKey(key) {
  if (key === "0") {
    chart.resetZoom("none");
  } else {
    chart.zoom(key === "-" ? 1 / ZOOM_STEP : ZOOM_STEP, "none");
  }
  rememberZoom();
}

function onKey(event) {
  if (!chart || event.ctrlKey || event.metaKey || event.altKey) {
    return;
  }
  if (event.key === "Enter" && active) {
    openRun(lines[active.line].points[active.index]);
  } else if (["+", "=", "-", "0"].includes(event.key)) {
    zoomByKey(event.key);
  } else {
    const next = neighbour(lines, active, event.key);
    if (!next) {
      return;
    }
    active = next;
    showActive();
  }
  event.preventDefault();
}

function sample(index, theme) {
  const svg = document.createElementNS(SVG, "svg");
  const line = document.createElementNS(SVG, "line");
  const attributes = { x1: 0, y1: 6, x2: 28, y2: 6, "stroke-width": 3, stroke: theme.series[index % 6] };
  Object.entries(attributes).forEach(([name, value]) => line.setAttribute(name, value));
  line.setAttribute("stroke-dasharray", DASHES[index % DASHES.length].join(" "));
  svg.setAttribute("width", 28);
  svg.setAttribute("height", 12);
  svg.setAttribute("aria-hidden", "true");
  svg.append(line);
  return svg;
}

function drawLegend(theme) {
  legend.replaceChildren(
    ...lines.map(({ label, isHidden }, index) => {
      const button = document.createElement("button");
      button.type = "button";
      button.className = "secondary small";
      button.setAttribute("aria-pressed", String(!isHidden));
      button.title = "Show or hide this line";
      button.append(sample(index, theme), ` ${label}`);
      button.addEventListener("click", () => toggleLine(index, button));
      const item = document.createElement("li");
      item.append(button);
      return item;
    }),
  );
}

function toggleLine(index, button) {
  const line = lines[index];
  line.isHidden = !line.isHidden;
  hiddenLabels[line.isHidden ? "add" : "delete"](line.label);
  button.setAttribute("aria-pressed", String(!line.isHidden));
  chart.setDatasetVisibility(index, !line.isHidden);
  chart.update("none");
}

function markChosen() {
  for (const name of ["metric", "range", "scale"]) {
    for (const link of document.querySelectorAll(`a[data-${name}]`)) {
      const value = link.dataset[name];
      link.href = toSearch({ ...state, zoom: null, [name]: value }) || location.pathname;
      if (value === state[name]) {
        link.setAttribute("aria-current", "true");
      } else {
        link.removeAttribute("aria-current");
      }
    }
  }
  const { title } = METRICS[state.metric];
  canvas.setAttribute("aria-label", canvas.getAttribute("aria-label").replace(/^.*? over time/, `${title} over time`));
  const csv = document.querySelector("#csv-link");
  csv.search = dataSearch(state);
}

function show(next) {
  const isOtherRange = next.range !== state.range;
  state = next;
  markChosen();
  if (isOtherRange || !payload) {
    load();
    window.htmx?.ajax("GET", location.href, { target: "#history-table", swap: "innerHTML" });
  } else {
    draw();
  }
}

function onChoice(event) {
  const link = event.target.closest("a[data-metric], a[data-range], a[data-scale]");
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey || event.button !== 0) {
    return;
  }
  event.preventDefault();
  const [name] = ["metric", "range", "scale"].filter((one) => one in link.dataset);
  const next = { ...current(), zoom: name === "range" ? null : state.zoom, [name]: link.dataset[name] };
  history.pushState(null, "", toSearch(next) || location.pathname);
  show(next);
}

if (canvas && window.Chart) {
  document.querySelector("#history").addEventListener("click", onChoice);
  canvas.addEventListener("keydown", onKey);
  resetButton.addEventListener("click", () => zoomByKey("0"));
  pickButton?.addEventListener("click", startPicking);
  if (pickButton) {
    pickButton.hidden = false;
  }
  window.addEventListener("popstate", () => show(parseState(location.search)));
  onThemeChange(() => payload && draw());
  markChosen();
  load();
}
