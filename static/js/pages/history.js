// The page of a model: wires the history chart to its tools, its address, keys and table.

import {
  bandPlugin,
  historyDatasets,
  historyOptions,
  lineSample,
  onThemeChange,
  readTheme,
  versionMarkerPlugin,
} from "../chart.js";
import {
  METRICS,
  closerLook,
  counted,
  describeChart,
  describePoint,
  describeTime,
  linesOf,
  neighbour,
} from "../history_points.js";
import { dataSearch, parseState, toSearch, withRuns } from "../view_state.js";

const NO_ID = "00000000-0000-0000-0000-000000000000";
const ZOOM_STEP = 1.5;
// How long nobody types before the chart follows.
const QUESTION_PAUSE_MS = 400;

const box = document.querySelector("#history-chart-box");
const canvas = document.querySelector("#history-chart");
const news = document.querySelector("#chart-news");
const legend = document.querySelector("#chart-legend");
const chartKey = document.querySelector("#chart-key");
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
let questionTimer = null;

// The query of what was asked for last: an older answer is thrown away.
let asked = null;

async function load() {
  const search = dataSearch(state);
  asked = search;
  box.setAttribute("aria-busy", "true");
  try {
    const response = await fetch(`${box.dataset.url}${search}`);
    if (!response.ok) {
      throw new Error(`HTTP ${response.status}`);
    }
    const answer = await response.json();
    if (asked !== search) {
      return;
    }
    payload = answer;
  } catch {
    asked = null;
    news.textContent = "The chart could not be loaded. The table below has the same figures.";
    return;
  } finally {
    box.removeAttribute("aria-busy");
  }
  draw();
}

// Load what the state asks for, where that is not what is there.
function refresh() {
  if (dataSearch(state) === asked) {
    return false;
  }
  load();
  window.htmx?.ajax("GET", location.href, { target: "#history-table", swap: "innerHTML" });
  return true;
}

function draw() {
  const theme = readTheme();
  lines = linesOf(payload, state.metric).map((line) => ({
    ...line,
    isHidden: hiddenLabels.has(line.label),
  }));
  chart?.destroy();
  active = null;
  const { from_ms: from, to_ms: to } = payload;
  chart = new window.Chart(canvas, {
    type: "line",
    data: { datasets: historyDatasets(lines, theme) },
    options: {
      ...historyOptions(theme, {
        metricName: state.metric,
        isLog: state.scale === "log",
        versions: payload.versions,
        onZoomed: rememberZoom,
        extent: { from, to },
        zoom: state.zoom,
      }),
      onClick: openClicked,
      onHover: showHand,
    },
    plugins: [bandPlugin, versionMarkerPlugin],
  });
  lines.forEach((line, index) => chart.setDatasetVisibility(index, !line.isHidden));
  chart.update("none");
  resetButton.hidden = !state.zoom;
  drawLegend(theme);
  chartKey.textContent = describeChart({ ...payload, lines });
  const hasPoints = lines.some(({ points }) => points.length > 0);
  news.textContent = hasPoints ? "\u00a0" : "Nothing was measured in this range.";
}

// What else stands in the address now: the what-if below the chart writes there too.
function current() {
  return { ...state, kept: parseState(location.search).kept };
}

function rememberZoom() {
  const { min, max } = chart.scales.x;
  const isWhole = min <= payload.from_ms && max >= payload.to_ms;
  setZoom(isWhole ? null : { from: min, to: max });
}

function setZoom(zoom) {
  state = { ...current(), zoom };
  history.replaceState(null, "", toSearch(state) || location.pathname);
  markChosen();
  if (!refresh()) {
    draw();
  }
}

function startPicking() {
  picked = picked ? null : [];
  pickButton.setAttribute("aria-pressed", String(picked !== null));
  news.textContent = picked ? "Choose the two runs between which to explain the change." : "\u00a0";
}

function openPoint(point) {
  if (point.runCount) {
    setZoom(closerLook(point));
    return;
  }
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
    openPoint(lines[hit.datasetIndex].points[hit.index]);
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
  const when = describeTime(point);
  const { label } = lines[active.line];
  news.textContent = [when, ...describePoint(point, { metricName: state.metric, label })].join(" · ");
}

function zoomByKey(key) {
  if (key === "0") {
    setZoom(null);
    return;
  }
  chart.zoom(key === "-" ? 1 / ZOOM_STEP : ZOOM_STEP, "none");
  rememberZoom();
}

function onKey(event) {
  if (!chart || event.ctrlKey || event.metaKey || event.altKey) {
    return;
  }
  if (event.key === "Enter" && active) {
    openPoint(lines[active.line].points[active.index]);
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

function drawLegend(theme) {
  legend.replaceChildren(
    ...lines.map(({ label, isHidden, isSummedUp, runCount }, index) => {
      const button = document.createElement("button");
      button.type = "button";
      button.className = "secondary small";
      button.setAttribute("aria-pressed", String(!isHidden));
      button.title = "Show or hide this line";
      const count = isSummedUp ? ` (${counted(runCount, "run")})` : "";
      button.append(lineSample(index, theme), ` ${label}${count}`);
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
      const zoom = name === "range" ? null : state.zoom;
      link.href = toSearch({ ...state, zoom, [name]: value }) || location.pathname;
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
  document.querySelector("#chart-table-link").search = toSearch(state);
}

function show(next) {
  state = next;
  markChosen();
  if (!refresh() && payload) {
    draw();
  }
}

// A what-if is asked below the chart: it writes its question into the address.
function followQuestion() {
  clearTimeout(questionTimer);
  questionTimer = setTimeout(() => {
    state = current();
    markChosen();
    refresh();
  }, QUESTION_PAUSE_MS);
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
  window.addEventListener("whatif-asked", followQuestion);
  onThemeChange(() => payload && draw());
  markChosen();
  load();
}
