// What of a chart is in its address: the figure, the range, the scale, the zoom.

const METRICS = ["emission", "energy", "latency"];
const RANGES = ["7", "30", "90"];
// What this file writes anew; a page number belongs to the table as it was.
const OWN_NAMES = ["metric", "range", "scale", "from", "to", "page"];

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

// The query of the chart's data and of its file: the range, and the factors.
export function dataSearch({ range, kept }) {
  const query = new URLSearchParams();
  if (range) {
    query.set("range", range);
  }
  if (new URLSearchParams(kept).get("factors") === "today") {
    query.set("factors", "today");
  }
  const text = query.toString();
  return text ? `?${text}` : "";
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
  if (zoom) {
    query.set("from", Math.round(zoom.from));
    query.set("to", Math.round(zoom.to));
  }
  const text = query.toString();
  return text ? `?${text}` : "";
}
