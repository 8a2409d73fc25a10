// The form of a machine: search boxes for its country and processors, and a live sum of watts.

import { attachCombobox, replaceSelect } from "../combobox.js";
import { formatQuantity } from "../format.js";
import { agrees, fieldsOf } from "../picked_figures.js";
import { barShares, memoryPowerW, numberOrNull, processorPowerW } from "../machine_power.js";

const form = document.getElementById("profile-form");
const byName = (name) => form.elements.namedItem(name);
const byId = (id) => document.getElementById(id);
const COMPONENTS = ["cpu", "ram", "gpu"];
// The table's power of the processor named in the form; null while it is not in the table.
const tableTdpW = { cpu: null, gpu: null };

// A line below a field that says what the page found out about its value.
function noteBelow(control) {
  const note = document.createElement("p");
  note.className = "help";
  note.setAttribute("role", "status");
  control.closest(".field").append(note);
  return note;
}

async function results(address, parameters) {
  const answer = await fetch(`${address}?${new URLSearchParams(parameters)}`, {
    headers: { Accept: "application/json" },
  });
  if (!answer.ok) throw new Error(`${address} answered ${answer.status}`);
  return (await answer.json()).results;
}

const notes = Object.fromEntries(
  ["zone", "cpu_name", "gpu_name", "ram_gb"].map((name) => [name, noteBelow(byName(name))]),
);

const findProcessors = (kind, text) =>
  results(form.dataset.processorSearch, { kind, q: text });
const findZones = (text) => results(form.dataset.zoneSearch, { q: text });

// --- watts --------------------------------------------------------------------------------------

function powersW() {
  const isNamed = (kind) =>
    [`${kind}_name`, `${kind}_tdp_w`].some((name) => byName(name).value.trim() !== "");
  const processor = (kind) =>
    processorPowerW({
      typedTdpW: numberOrNull(byName(`${kind}_tdp_w`).value),
      tableTdpW: tableTdpW[kind],
      count: numberOrNull(byName(`${kind}_count`).value),
    });
  const ramW = memoryPowerW({
    ramGb: numberOrNull(byName("ram_gb").value),
    typedPowerW: numberOrNull(byName("ram_power_w").value),
  });
  return [processor("cpu"), ramW, isNamed("gpu") ? processor("gpu") : 0];
}

function showPower() {
  const powers = powersW();
  const live = byId("live-power");
  const rects = live.querySelectorAll("rect");
  barShares(powers).forEach(({ start, width }, index) => {
    rects[index].setAttribute("x", `${start}%`);
    rects[index].setAttribute("width", `${width}%`);
  });
  powers.forEach((powerW, index) => {
    const place = live.querySelector(`[data-power=${COMPONENTS[index]}]`);
    place.textContent = powerW === null ? "not known yet" : formatQuantity(powerW, "W");
  });
  const totalW = powers.reduce((sum, powerW) => sum + (powerW ?? 0), 0);
  byId("live-total").textContent = formatQuantity(totalW, "W");
  byId("live-missing").textContent = missing(powers);
  showRamRule();
}

function missing(powers) {
  if (!byName("cpu_name").value.trim() && !byName("cpu_tdp_w").value.trim()) {
    return "The CPU is still to come: choose it, or type its TDP.";
  }
  const unknown = COMPONENTS.filter((_, index) => powers[index] === null);
  return unknown.length ? `Not counted yet: ${unknown.join(", ").toUpperCase()}.` : "";
}

function showRamRule() {
  const ramGb = numberOrNull(byName("ram_gb").value);
  const isTyped = byName("ram_power_w").value.trim() !== "";
  const ruleW = ramGb === null ? null : memoryPowerW({ ramGb, typedPowerW: null });
  notes.ram_gb.textContent =
    ruleW === null || isTyped ? "" : `${ramGb} GB × 3 W / 8 GB = ${formatQuantity(ruleW, "W")}`;
}

// --- processors ---------------------------------------------------------------------------------

function showProcessor(kind, option) {
  const name = byName(`${kind}_name`).value.trim();
  const tdp = byName(`${kind}_tdp_w`);
  tableTdpW[kind] = option?.tdp_w ?? null;
  const amount = option ? formatQuantity(option.tdp_w, "W") : "";
  tdp.placeholder = amount;
  tdp.required = Boolean(name) && !option;
  notes[`${kind}_name`].textContent = foundSentence({ kind, name, option, amount });
  showPower();
}

function foundSentence({ kind, name, option, amount }) {
  if (option) return `In the table: ${amount} each (${option.source}).`;
  if (!name) return "";
  return `“${name}” is not in the table: type the TDP of one ${kind.toUpperCase()} in watts.`;
}

async function lookUp(kind) {
  const name = byName(`${kind}_name`).value.trim();
  const wanted = name.toLowerCase();
  const options = name ? await findProcessors(kind, name).catch(() => []) : [];
  if (byName(`${kind}_name`).value.trim() !== name) return;
  const exact = options.filter((option) =>
    [option.label, option.name].some((each) => each.toLowerCase() === wanted),
  );
  showProcessor(kind, exact.length === 1 ? exact[0] : null);
}

function wireProcessor(kind) {
  const input = byName(`${kind}_name`);
  attachCombobox(input, {
    search: (text) => (text.trim() ? findProcessors(kind, text) : Promise.resolve([])),
    onChoose: (option) => showProcessor(kind, option),
    onType: () => {
      tableTdpW[kind] = null;
      showPower();
    },
  });
  input.addEventListener("blur", () => lookUp(kind));
  lookUp(kind);
}

// --- country ------------------------------------------------------------------------------------

function showZone(option) {
  notes.zone.textContent = option?.sentence ?? "";
  notes.zone.className = option?.is_fallback ? "note is-warn" : "help";
}

async function lookUpZone(code) {
  const options = code ? await findZones(code).catch(() => []) : [];
  showZone(options.find((option) => option.value === code));
}

function wireZone() {
  const select = byName("zone");
  replaceSelect(select, {
    search: findZones,
    onChoose: (option) => (option.sentence ? showZone(option) : lookUpZone(option.value)),
  });
  lookUpZone(select.value);
}

// --- figures picked from a table ----------------------------------------------------------------

// Choosing a row fills in its fields; typing over the first, its figure, undoes the choice. For how
// long a machine is used is its owner's to say.
function wirePicker(selectName) {
  const select = byName(selectName);
  const note = noteBelow(select);
  const fields = fieldsOf(picked[selectName]);
  const tellSource = () => {
    note.textContent = picked[selectName][select.value]?.note ?? "";
  };
  select.addEventListener("change", () => {
    const row = picked[selectName][select.value];
    for (const name of row ? fields : []) byName(name).value = row[name] ?? "";
    tellSource();
  });
  for (const name of fields.slice(0, 1)) {
    byName(name).addEventListener("input", () => {
      if (agrees(picked[selectName][select.value], name, byName(name).value)) return;
      select.value = "";
      tellSource();
    });
  }
  tellSource();
}

const picked = JSON.parse(byId("picked-figures").textContent);
wirePicker("pue_figure");
wirePicker("embodied_figure");
wireZone();
wireProcessor("cpu");
wireProcessor("gpu");
byId("live-power").hidden = false;
form.addEventListener("input", showPower);
showPower();
