// What of a chart is in its address: the figure, the range, the scale, the zoom.

const METRICS = ["emission", "energy", "latency"];
const RANGES = ["7", "30", "90"];

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
  };
}

// Write a query string that says only what is not at its default.
export function toSearch({ metric, range, scale, zoom }) {
  const query = new URLSearchParams();
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
