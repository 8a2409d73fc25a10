// The numbers a reader meets in the browser; tests/benchmarks/test_quantities.py holds them
// against Python over many more values.
import assert from "node:assert/strict";
import { test } from "node:test";

import {
  DASH,
  formatCount,
  formatEnergyKwh,
  formatNumber,
  formatPercent,
  formatQuantity,
  spellEnergyKwh,
  spellQuantity,
} from "../../static/js/format.js";

test("a quantity has three figures and the prefix that suits it", () => {
  assert.equal(formatQuantity(4.32e-8, "g"), "43.2 ng");
  assert.equal(formatQuantity(0.00187, "s"), "1.87 ms");
  assert.equal(formatQuantity(3e6, "g"), "3 t");
  assert.equal(formatQuantity(713.36, "g/kWh"), "713 g/kWh");
});

test("rounding carries into the next prefix and never writes 1000", () => {
  assert.equal(formatQuantity(999.6e-9, "g"), "1 µg");
  assert.equal(formatQuantity(119.96, "s"), "2 min");
});

test("nothing is ever rounded to zero, and zero is zero", () => {
  assert.equal(formatQuantity(1e-34, "g"), "<0.001 qg");
  assert.equal(formatQuantity(0, "g"), "0 g");
});

test("what is not known is a dash, never 0", () => {
  for (const missing of [null, undefined, NaN, Infinity]) {
    assert.equal(formatQuantity(missing, "g"), DASH);
    assert.equal(formatEnergyKwh(missing), DASH);
    assert.equal(formatCount(missing), DASH);
    assert.equal(formatPercent(missing), DASH);
  }
});

test("energy is held in kWh and read in watt-hours", () => {
  assert.equal(formatEnergyKwh(5.12e-10), "512 nWh");
  assert.equal(spellEnergyKwh(0.016), "16 watt-hours");
});

test("the exact value is spelt out", () => {
  assert.equal(spellQuantity(7.541955556e-8, "g"), "75.41955556 nanograms");
  assert.equal(spellQuantity(1e-9, "g"), "1 nanogram");
});

test("counts are shortened from a thousand on, plain numbers keep their digits", () => {
  assert.equal(formatCount(44_426), "44.4 k");
  assert.equal(formatNumber(1234.56), "1,235");
  assert.equal(formatPercent(0.0523), "5.23 %");
});
