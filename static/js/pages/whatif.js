// The what-if of a run: works out anew at each change, and keeps the question in the address.

import { replaceSelect } from "../combobox.js";
import {
  formatCount,
  formatEnergyKwh,
  formatNumber,
  formatPercent,
  formatQuantity,
  spellEnergyKwh,
  spellQuantity,
} from "../format.js";
import {
  amountSentence,
  answer,
  comparable,
  measureWords,
  readQuestion,
  scalesOf,
  toSearch,
} from "../whatif.js";

const NAMES = ["zone", "year", "pue", "profile", "inferences_per_day"];
const SUGGESTION_COUNT = 12;
const form = document.querySelector("#whatif-form");
const read = (id) => JSON.parse(document.getElementById(id).textContent);
const out = (name) => document.querySelector(`#whatif-answer [data-out="${name}"]`);
const fields = () => Object.fromEntries(NAMES.map((name) => [name, form.elements[name].value]));

function quantity(text, exact) {
  const span = document.createElement("span");
  span.className = "quantity";
  span.title = exact;
  span.tabIndex = 0;
  span.textContent = text;
  return span;
}

const grams = (value) => quantity(formatQuantity(value, "g"), spellQuantity(value, "g"));
const energy = (value) => quantity(formatEnergyKwh(value), spellEnergyKwh(value));

function showFigure(emissionG) {
  const figure = out("emission").firstElementChild;
  const [number, unit] = formatQuantity(emissionG, "g").split(" ");
  const symbol = document.createElement("span");
  symbol.className = "figure-unit";
  symbol.textContent = unit;
  figure.title = spellQuantity(emissionG, "g");
  figure.replaceChildren(`${number} `, symbol);
}

function showChange(found, base, isAsked) {
  const ratio = (found.emission_g - base.emission_g) / base.emission_g;
  const sign = ratio > 0 ? "+" : "";
  const stored = formatQuantity(base.emission_g, "g");
  const change = Number.isFinite(ratio) ? `${sign}${formatPercent(ratio)} b` : "B";
  out("change").textContent = isAsked ? `${change}eside the ${stored} as stored.` : "As measured.";
}

function showFactors(found, base, tables) {
  const { factors, figure, power_w: powerW, machine_name: machineName } = found;
  out("power").replaceChildren(quantity(formatQuantity(powerW, "W"), spellQuantity(powerW, "W")));
  out("pue").textContent = formatNumber(factors.pue);
  const missing = figure.is_fallback ? `: ${figure.asked_zone_name} has no figure of its own` : "";
  const amount = formatQuantity(factors.g_per_kwh, "g/kWh");
  const words = measureWords(tables, figure.measure);
  const origin = `${figure.zone_name} ${figure.year}, ${words}`;
  out("electricity").textContent = `${amount}, ${origin}${missing}`;
  out("measure").hidden = figure.measure === base.measure;
  out("measure").textContent =
    "The stored figure's electricity is counted otherwise " +
    `(${measureWords(tables, base.measure)}) than this one's (${words}): ` +
    "part of the change is the way of counting.";
  const latency = formatQuantity(base.latency_s, "s");
  out("machine").hidden = machineName === null;
  out("machine").textContent =
    `The time is still the ${latency} measured for ${base.profile_name}. ` +
    `On ${machineName} it would be another one.`;
}

function scaleLabel({ count }, index, perDay) {
  if (index === 3) {
    return `A day of ${formatCount(perDay)}`;
  }
  if (index === 4) {
    return `A year of ${formatCount(perDay)} a day`;
  }
  return `${formatNumber(count)} inference${count === 1 ? "" : "s"}`;
}

function scaleRow(scale, index, perDay) {
  const row = document.createElement("tr");
  const head = document.createElement("th");
  head.scope = "row";
  head.textContent = scaleLabel(scale, index, perDay);
  const cells = [energy(scale.energy_kwh), grams(scale.emission_g)].map((value) => {
    const cell = document.createElement("td");
    cell.className = "number";
    cell.append(value);
    return cell;
  });
  row.append(head, ...cells);
  return row;
}

function showScales(found, perDay, equivalents) {
  const scales = scalesOf(found, perDay);
  out("scales").replaceChildren(...scales.map((one, index) => scaleRow(one, index, perDay)));
  const last = scales.at(-1).emission_g;
  const items = comparable(equivalents, last).map((one) => {
    const item = document.createElement("li");
    item.title = one.source;
    item.textContent = amountSentence(one, last);
    return item;
  });
  const subject = perDay === null ? "A million inferences are" : "A year of it is";
  const isLike = items.length > 0;
  const words = isLike ? "like one of these:" : "too little to be like anything everyday.";
  out("like").textContent = `${subject} ${words}`;
  out("equivalents").replaceChildren(...items);
}

function showErrors(errors) {
  for (const name of NAMES) {
    const input = document.getElementById(`whatif-${name}`);
    const field = input.closest(".field");
    field.querySelector(".error, .errorlist")?.remove();
    field.classList.toggle("has-error", name in errors);
    if (name in errors) {
      const note = document.createElement("p");
      note.className = "error";
      note.setAttribute("role", "alert");
      note.textContent = errors[name];
      field.append(note);
    }
  }
}

function wire() {
  const base = read("whatif-base");
  const tables = read("whatif-tables");

  function show() {
    const { question, errors } = readQuestion(fields());
    const found = answer(base, tables, question);
    const problems = { ...errors, ...found.errors };
    showErrors(problems);
    if (Object.keys(problems).length > 0) {
      return;
    }
    const isAsked = Object.values(question).some((value) => value !== null);
    showFigure(found.emission_g);
    showChange(found, base, isAsked);
    out("energy").replaceChildren(energy(found.energy_kwh));
    showFactors(found, base, tables);
    showScales(found, question.inferences_per_day, tables.equivalents);
  }

  function remember() {
    const search = toSearch(location.search, fields());
    history.replaceState(history.state, "", `${location.pathname}${search}${location.hash}`);
    // The history chart of the same page shows every run under it.
    window.dispatchEvent(new Event("whatif-asked"));
    show();
  }

  const zones = [...form.elements.zone.options].map(({ value, text }) => ({ value, label: text }));
  const box = replaceSelect(form.elements.zone, {
    search: async (text) => {
      const wanted = text.trim().toLowerCase();
      return zones
        .filter(({ value, label }) => value && label.toLowerCase().includes(wanted))
        .slice(0, SUGGESTION_COUNT);
    },
    onChoose: remember,
  });
  form.addEventListener("input", ({ target }) => target !== box && remember());
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    remember();
  });
  document.querySelector("#whatif-reset").addEventListener("click", (event) => {
    event.preventDefault();
    for (const name of NAMES) {
      form.elements[name].value = "";
    }
    box.value = "";
    remember();
  });
  form.querySelector("button[type=submit]").hidden = true;
}

if (form) {
  wire();
}
