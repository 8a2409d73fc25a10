// What a run comes to under other factors: the same arithmetic, in the same order, as on the
// server (footprint/estimate.py, benchmarks/whatif.py), so that the last digit agrees.

import { formatNumber } from "./format.js";

const WATTS_PER_KW = 1000;
const SECONDS_PER_HOUR = 3600;
const DAYS_PER_YEAR = 365;
// As footprint/equivalents.py has them.
const SMALLEST_AMOUNT = 0.01;
const SMALLEST_FRACTION = 1e-9;
export const MAX_PUE = 5;
export const MAX_INFERENCES_PER_DAY = 1e15;
export const STANDARD_COUNTS = [1, 1_000, 1_000_000];

// Energy and emission of one inference.
export function estimate({ latency_s: latencyS, cpu_w, ram_w, gpu_w, pue, g_per_kwh: gPerKwh }) {
  const [cpu, ram, gpu] = [cpu_w, ram_w, gpu_w].map(
    (powerW) => ((powerW / WATTS_PER_KW) * latencyS) / SECONDS_PER_HOUR,
  );
  const energyKwh = (cpu + ram + gpu) * pue;
  return { energy_kwh: energyKwh, emission_g: energyKwh * gPerKwh };
}

// A zone's figures, newest first: {year, g_per_kwh, measure}.
export function figuresOf(tables, code) {
  const [newest, values, measure] = tables.figures[code] ?? [0, [], 0];
  return values.flatMap((gPerKwh, index) => {
    const kind = Array.isArray(measure) ? measure[index] : measure;
    const row = { year: newest - index, g_per_kwh: gPerKwh, measure: tables.measures[kind] };
    return gPerKwh === null ? [] : [row];
  });
}

// What a figure counts, in the middle of a sentence.
export function measureWords(tables, measure) {
  return tables.measure_words[tables.measures.indexOf(measure)];
}

// The figure that stands for a zone, in a year or now; an error names what there is.
export function figureFor(tables, code, year) {
  const isFallback = !(code in tables.figures);
  const zone = isFallback ? tables.world : code;
  const rows = figuresOf(tables, zone);
  const row = year === null ? rows[0] : rows.find((one) => one.year === year);
  if (!row) {
    const span = rows.length > 1 ? `${rows.at(-1).year} to ${rows[0].year}` : `only ${rows[0]?.year}`;
    const whose = isFallback ? "the world, which stands in for it" : tables.names[code];
    return { error: `There is no figure for that year. The years of ${whose}: ${span}.` };
  }
  return { ...row, zone, zone_name: tables.names[zone], is_fallback: isFallback };
}

// What is typed in the form, as values: null where it is left as it is.
export function readQuestion(fields) {
  const errors = {};
  const number = (name, low, high) => {
    const text = (fields[name] ?? "").trim();
    const value = Number(text);
    if (text === "") {
      return null;
    }
    if (!Number.isFinite(value) || value < low || value > high) {
      errors[name] = `Type a number from ${formatNumber(low)} to ${formatNumber(high)}.`;
      return null;
    }
    return value;
  };
  const question = {
    zone: fields.zone || null,
    year: number("year", 1990, 2100),
    pue: number("pue", 1, MAX_PUE),
    profile: fields.profile || null,
    inferences_per_day: number("inferences_per_day", 0, MAX_INFERENCES_PER_DAY),
  };
  return { question, errors };
}

// The estimate under the question's factors; {errors} where there is none.
export function answer(base, tables, question) {
  const machine = question.profile ? tables.profiles[question.profile] : null;
  if (question.profile && !machine) {
    return { errors: { profile: "There is no such machine that you may see." } };
  }
  const asked = question.zone ?? machine?.zone ?? base.asked_zone;
  const isElsewhere = question.zone !== null || question.year !== null || machine !== null;
  const figure = isElsewhere ? figureFor(tables, asked, question.year) : storedFigure(base);
  if (figure.error) {
    return { errors: { year: figure.error } };
  }
  const { cpu_w, ram_w, gpu_w } = machine ?? base;
  const factors = {
    latency_s: base.latency_s,
    cpu_w,
    ram_w,
    gpu_w,
    pue: question.pue ?? machine?.pue ?? base.pue,
    g_per_kwh: figure.g_per_kwh,
  };
  return {
    ...estimate(factors),
    factors,
    figure: { ...figure, asked_zone_name: tables.names[asked] ?? base.asked_zone_name },
    machine_name: machine?.name ?? null,
    power_w: cpu_w + ram_w + gpu_w,
  };
}

function storedFigure({ year, g_per_kwh, measure, zone, zone_name, asked_zone }) {
  return { year, g_per_kwh, measure, zone, zone_name, is_fallback: zone !== asked_zone };
}

// [count, words] of each row of the table: the usual three, then a day and a year.
export function scalesOf({ energy_kwh: energyKwh, emission_g: emissionG }, perDay) {
  const times = (count) => ({
    count,
    energy_kwh: energyKwh * count,
    emission_g: emissionG * count,
  });
  const scales = STANDARD_COUNTS.map(times);
  return perDay === null ? scales : [...scales, times(perDay), times(perDay * DAYS_PER_YEAR)];
}

// "12.3 km by car", or "1/3,846 of one flight from Paris to London".
export function amountSentence({ singular, plural, emission_g: oneG }, emissionG) {
  const amount = emissionG / oneG;
  if (amount < SMALLEST_AMOUNT) {
    return `1/${formatNumber(oneG / emissionG)} of one ${singular}`;
  }
  const counted = formatNumber(amount);
  return `${counted} ${counted === "1" ? singular : plural}`;
}

// Those of which it is a hundredth or more; else the smallest alone; none for next to nothing.
export function comparable(equivalents, emissionG) {
  const atLeast = (share) => (one) => emissionG / one.emission_g >= share;
  const whole = equivalents.filter(atLeast(SMALLEST_AMOUNT));
  const smallest = equivalents.toSorted((one, other) => one.emission_g - other.emission_g);
  return whole.length > 0 ? whole : smallest.slice(0, 1).filter(atLeast(SMALLEST_FRACTION));
}

// The address that asks this: what else is in it stays, what is left as it is goes.
export function toSearch(search, fields) {
  const query = new URLSearchParams(search);
  for (const [name, value] of Object.entries(fields)) {
    if (value === "") {
      query.delete(name);
    } else {
      query.set(name, value);
    }
  }
  const text = query.toString();
  return text ? `?${text}` : "";
}
