// The what-if in the browser: the server's arithmetic to the last digit, and its manners.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import { matches } from "../../static/js/ranking.js";
import {
  amountSentence,
  answer,
  comparable,
  estimate,
  figureFor,
  figuresOf,
  measureWords,
  readQuestion,
  scalesOf,
  toSearch,
} from "../../static/js/whatif.js";

const CASES = JSON.parse(readFileSync(new URL("../data/whatif_cases.json", import.meta.url)));
const TABLES = {
  world: "WORLD",
  measures: ["life_cycle", "operational", "co2_only"],
  measure_words: ["life cycle", "operational", "CO2 only"],
  names: { WORLD: "World", IND: "India", FRA: "France", AND: "Andorra", "US-CA": "California" },
  figures: {
    WORLD: [2025, [458.4, 470.1], 0],
    IND: [2023, [713.36], 0],
    FRA: [2025, [41.33, null, 56.02], 0],
    "US-CA": [2024, [200, 210], [1, 0]],
  },
  profiles: { p1: { name: "Server", zone: "FRA", pue: 1.5, cpu_w: 200, ram_w: 12, gpu_w: 0 } },
};
const BASE = {
  profile_name: "Laptop",
  latency_s: 3600,
  cpu_w: 13,
  ram_w: 3,
  gpu_w: 0,
  pue: 1,
  asked_zone: "IND",
  asked_zone_name: "India",
  zone: "IND",
  zone_name: "India",
  year: 2020,
  measure: "life_cycle",
  g_per_kwh: 713,
  emission_g: 11.408,
};
const NOTHING = { zone: null, year: null, pue: null, profile: null, inferences_per_day: null };
const ask = (question) => answer(BASE, TABLES, { ...NOTHING, ...question });

for (const one of CASES) {
  test(`as on the server, exactly: ${one.name}`, () => {
    const found = estimate(one.factors);

    assert.equal(found.energy_kwh, one.energy_kwh);
    assert.equal(found.emission_g, one.emission_g);
    assert.equal(scalesOf(found, 1e6).at(-1).emission_g, one.year_of_a_million_a_day_g);
  });
}

test("nothing asked is the stored result, though the table has moved on", () => {
  assert.equal(ask({}).emission_g, 11.408);
  assert.equal(ask({}).figure.year, 2020);
});

test("another country counts with its newest figure", () => {
  const found = ask({ zone: "FRA" });

  assert.equal(found.emission_g, 0.016 * 41.33);
  assert.deepEqual([found.figure.zone_name, found.figure.year], ["France", 2025]);
});

test("a year alone is of the run's own country", () => {
  assert.equal(ask({ year: 2023 }).factors.g_per_kwh, 713.36);
});

test("a year without a figure names the years there are", () => {
  assert.match(ask({ zone: "FRA", year: 2024 }).errors.year, /years of France: 2023 to 2025/);
  assert.match(ask({ year: 1999 }).errors.year, /India: only 2023/);
});

test("a country without figures gets the world's, and it is said", () => {
  const { figure } = ask({ zone: "AND" });

  assert.deepEqual(
    [figure.g_per_kwh, figure.zone_name, figure.is_fallback, figure.asked_zone_name],
    [458.4, "World", true, "Andorra"],
  );
  assert.match(figureFor(TABLES, "AND", 1950).error, /the world, which stands in for it/);
});

test("another machine brings its power, PUE and country, and keeps the time", () => {
  const found = ask({ profile: "p1" });

  assert.equal(found.factors.latency_s, 3600);
  assert.deepEqual([found.factors.pue, found.factors.g_per_kwh, found.power_w], [1.5, 41.33, 212]);
  assert.equal(ask({ profile: "p1", pue: 1, zone: "IND" }).factors.g_per_kwh, 713.36);
  assert.ok(ask({ profile: "gone" }).errors.profile);
});

test("gaps and mixed measures of a zone are unpacked", () => {
  assert.deepEqual(figuresOf(TABLES, "FRA").map(({ year }) => year), [2025, 2023]);
  assert.deepEqual(
    figuresOf(TABLES, "US-CA").map(({ measure }) => measure),
    ["operational", "life_cycle"],
  );
});

test("a figure says what it counts", () => {
  assert.equal(measureWords(TABLES, ask({ zone: "US-CA" }).figure.measure), "operational");
  assert.equal(measureWords(TABLES, ask({}).figure.measure), "life cycle");
});

test("what is typed becomes a question, or an error beside its field", () => {
  const typed = { zone: "FRA", year: "2023", pue: "1.2", profile: "", inferences_per_day: "1e6" };
  assert.deepEqual(readQuestion(typed), {
    question: { zone: "FRA", year: 2023, pue: 1.2, profile: null, inferences_per_day: 1e6 },
    errors: {},
  });

  const wrong = readQuestion({ pue: "0.5", year: "soon", inferences_per_day: "-1" });
  assert.deepEqual(Object.keys(wrong.errors).toSorted(), ["inferences_per_day", "pue", "year"]);
  assert.equal(wrong.errors.pue, "Type a number from 1 to 5.");
});

test("the address keeps what else it says", () => {
  assert.equal(toSearch("?metric=energy&zone=IND", { zone: "FRA", pue: "" }), "?metric=energy&zone=FRA");
  assert.equal(toSearch("?zone=IND", { zone: "" }), "");
});

test("equivalents are counted in words", () => {
  const car = { singular: "km by car", plural: "km by car", emission_g: 175 };
  const charge = { singular: "charge", plural: "charges", emission_g: 12.4 };
  assert.equal(amountSentence(car, 350), "2 km by car");
  assert.equal(amountSentence(charge, 12.4), "1 charge");
});

test("what is less than a hundredth of something is a fraction of it", () => {
  const flight = { singular: "flight", plural: "flights", emission_g: 50_000 };
  assert.equal(amountSentence(flight, 500), "0.01 flights");
  assert.equal(amountSentence(flight, 13), "1/3,846 of one flight");
});

test("only what gives an idea of the amount is named", () => {
  const [flight, charge] = [{ emission_g: 50_000 }, { emission_g: 12.4 }];
  const both = [flight, charge];
  assert.deepEqual(comparable(both, 1_000), both);
  assert.deepEqual(comparable(both, 13), [charge]);
  assert.deepEqual(comparable(both, 0.075), [charge]);
  assert.deepEqual([comparable(both, 0), comparable(both, 1e-9), comparable([], 1)], [[], [], []]);
});

test("a search finds a place by words, whatever the accents", () => {
  assert.ok(matches("Côte d'Ivoire", "cote iv"));
  assert.ok(!matches("France", "germ"));
  assert.ok(matches("France", "  "));
});
