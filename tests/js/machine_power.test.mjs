import assert from "node:assert/strict";
import { test } from "node:test";

import {
  barShares,
  memoryPowerW,
  numberOrNull,
  processorPowerW,
} from "../../static/js/machine_power.js";

test("a typed TDP goes before the table's", () => {
  assert.equal(processorPowerW({ typedTdpW: 13, tableTdpW: 10, count: 2 }), 26);
});

test("a processor without any TDP has no known power, never a guessed one", () => {
  assert.equal(processorPowerW({ typedTdpW: null, tableTdpW: null, count: 1 }), null);
});

test("RAM draws 3 W for every 8 GB unless its power is typed", () => {
  assert.equal(memoryPowerW({ ramGb: 64, typedPowerW: null }), 24);
  assert.equal(memoryPowerW({ ramGb: 64, typedPowerW: 5 }), 5);
});

test("the shares fill the bar, and an unknown power takes no room", () => {
  assert.deepEqual(barShares([null, 3, 1]), [
    { start: 0, width: 0 },
    { start: 0, width: 75 },
    { start: 75, width: 25 },
  ]);
});

test("an empty, negative or unreadable field is no number", () => {
  assert.deepEqual(["", " ", "-1", "abc", "2.5"].map(numberOrNull), [null, null, null, null, 2.5]);
});
