// What of a chart is in its address: the figure, the range, the scale, the zoom.

const METRICS = ["emission", "energy", "latency"];
const RANGES = ["1", "7", "30", "90", "365"];
// What this file writes anew; a page number belongs to the table as it was.
const OWN_NAMES = ["metric", "range", "scale", "from", "to", "page"];
// What of a what-if changes the figures of a run.
const QUESTION_NAMES = ["zone", "year", "pue", "profile"];

// Read a query string; whatever it doesn't say, or says wrongly, is at its default.
export function parseState(search) {
  const query = new URLSearchParams(search);
  const from = Number(query.get("from"));
  const to = Number(query.get("to"));
  return {
    metric: METRICS.includes(query.get("metric")) ? query.get("metric") : "emission",
    range: RANGES.includes(query.get("range")) ? query.get("range") : "",
    scale: query.get("scale") === "log" ? "log" : "",
    zoom: from > 0 && to > from ? { from, to } : null,
    kept: others(query),
  };
}

// What else the address says: the factors, the what-if.
function others(query) {
  const kept = new URLSearchParams(query);
  OWN_NAMES.forEach((name) => kept.delete(name));
  return kept.toString();
}

// The state in which the change between two runs is explained.
export function withRuns(state, before, after) {
  const kept = new URLSearchParams(state.kept);
  kept.set("before", before);
  kept.set("after", after);
  return { ...state, kept: kept.toString() };
}

// The query of the chart's data and of its file: the time, the factors, the what-if.
export function dataSearch({ range, zoom, kept }) {
  const query = new URLSearchParams();
  if (range) {
    query.set("range", range);
  }
  setZoom(query, zoom);
  const asked = new URLSearchParams(kept);
  if (asked.get("factors") === "today") {
    query.set("factors", "today");
  }
  for (const name of QUESTION_NAMES.filter((one) => asked.get(one))) {
    query.set(name, asked.get(name));
  }
  const text = query.toString();
  return text ? `?${text}` : "";
}

function setZoom(query, zoom) {
  if (zoom) {
    query.set("from", Math.round(zoom.from));
    query.set("to", Math.round(zoom.to));
  }
}

// Write a query string that says only what is not at its default.
export function toSearch({ metric, range, scale, zoom, kept = "" }) {
  const query = new URLSearchParams(kept);
  if (metric !== "emission") {
    query.set("metric", metric);
  }
  if (range) {
    query.set("range", range);
  }
  if (scale) {
    query.set("scale", scale);
  }
  setZoom(query, zoom);
  const text = query.toString();
  return text ? `?${text}` : "";
}
