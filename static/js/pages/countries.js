// The ranking of countries: a search that answers while one types, and the chart of the years.

import { onThemeChange, readTheme, yearsConfig } from "../chart.js";
import { matches } from "../ranking.js";

const canvas = document.querySelector("#years-chart");
const search = document.querySelector("#ranking-q");
const form = document.querySelector("#ranking-form");
const rows = [...document.querySelectorAll(".ranking tbody tr")];
const count = document.querySelector("#ranking-count");

function showFound() {
  let found = 0;
  for (const row of rows) {
    row.hidden = !matches(row.querySelector("th a").textContent, search.value);
    found += row.hidden ? 0 : 1;
  }
  count.firstChild.textContent = `${found} of ${rows.length} places. `;
  const address = new URL(location.href);
  if (search.value.trim()) {
    address.searchParams.set("q", search.value.trim());
  } else {
    address.searchParams.delete("q");
  }
  history.replaceState(history.state, "", address);
}

// A page that was asked for with a search has only what was found: typing asks for the rest.
if (rows.length > 0 && !search.value) {
  search.addEventListener("input", showFound);
}
form.addEventListener("change", ({ target }) => target !== search && form.submit());

if (canvas && window.Chart) {
  const points = JSON.parse(document.querySelector("#years-points").textContent);
  let chart = new window.Chart(canvas, yearsConfig(points, readTheme()));
  onThemeChange(() => {
    chart.destroy();
    chart = new window.Chart(canvas, yearsConfig(points, readTheme()));
  });
}
