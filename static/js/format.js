// How a number is written for a reader: the same text as footprint/units.py gives.
//
// Decimal arithmetic on BigInt, so that rounding half up agrees with Python to the last digit.
// A decimal here is {coefficient, exponent}: coefficient * 10 ** exponent, never negative.

export const DASH = "—";
const DIGITS_MAX = 17;
// More digits than a double has, so that what is cut off cannot change a rounding.
const DIVISION_DIGITS = 40;

const SMALL_PREFIXES = [
  ["q", "quecto", -30],
  ["r", "ronto", -27],
  ["y", "yocto", -24],
  ["z", "zepto", -21],
  ["a", "atto", -18],
  ["f", "femto", -15],
  ["p", "pico", -12],
  ["n", "nano", -9],
  ["µ", "micro", -6],
  ["m", "milli", -3],
];
const LARGE_PREFIXES = [
  ["k", "kilo", 3],
  ["M", "mega", 6],
  ["G", "giga", 9],
  ["T", "tera", 12],
  ["P", "peta", 15],
  ["E", "exa", 18],
  ["Z", "zetta", 21],
  ["Y", "yotta", 24],
  ["R", "ronna", 27],
  ["Q", "quetta", 30],
];
const BASE = ["", "", 0];

const decimal = (coefficient, exponent = 0) => ({ coefficient: BigInt(coefficient), exponent });
const SMALLEST_SHOWN = decimal(1, -3);

function step(symbol, name, scale, startsAt = scale) {
  return { symbol, name, scale, startsAt };
}

function prefixed(symbol, name, prefixes, shift = 0) {
  return prefixes.map(([prefix, word, exponent]) =>
    step(`${prefix}${symbol}`, `${word}${name}`, decimal(1, exponent + shift)),
  );
}

const siLadder = (symbol, name) =>
  prefixed(symbol, name, [...SMALL_PREFIXES, BASE, ...LARGE_PREFIXES]);

const LADDER_BY_UNIT = {
  g: [
    ...prefixed("g", "gram", [...SMALL_PREFIXES, BASE, LARGE_PREFIXES[0]]),
    ...prefixed("t", "tonne", [BASE, ...LARGE_PREFIXES], 6),
  ],
  s: [
    ...prefixed("s", "second", [...SMALL_PREFIXES, BASE]),
    step("min", "minute", decimal(60), decimal(120)),
    step("h", "hour", decimal(3600), decimal(7200)),
    step("d", "day", decimal(86_400), decimal(172_800)),
    step("y", "year", decimal(31_536_000), decimal(63_072_000)),
  ],
  Wh: siLadder("Wh", "watt-hour"),
  W: siLadder("W", "watt"),
  B: prefixed("B", "byte", [BASE, ...LARGE_PREFIXES]),
};
const COUNT_LADDER = prefixed("", "", [BASE, ...LARGE_PREFIXES]);
const NAMES_BY_PLAIN_UNIT = {
  "g/kWh": ["gram per kilowatt-hour", "grams per kilowatt-hour"],
  "W/GB": ["watt per gigabyte", "watts per gigabyte"],
  km: ["kilometre", "kilometres"],
  "%": ["percent", "percent"],
  "1/s": ["per second", "per second"],
};

// "43.2 ng"; a dash where there is no number.
export function formatQuantity(value, unit, digits = 3) {
  if (!isKnown(value)) {
    return DASH;
  }
  const ladder = LADDER_BY_UNIT[unit];
  if (!ladder) {
    return joined(formatNumber(value, digits), unit);
  }
  const fitted = fit(value, ladder, digits);
  return joined(fitted.text, fitted.step.symbol);
}

// "43.2198 nanograms": as exact as the number is, its unit spelt out.
export function spellQuantity(value, unit, digits = 15) {
  if (!isKnown(value)) {
    return "not known";
  }
  const ladder = LADDER_BY_UNIT[unit];
  if (ladder) {
    const { text, step: rung } = fit(value, ladder, digits);
    return joined(text, text === "1" ? rung.name : `${rung.name}s`);
  }
  const text = formatNumber(value, digits);
  const [one, many] = NAMES_BY_PLAIN_UNIT[unit] ?? [unit, unit];
  return joined(text, text === "1" ? one : many);
}

export function formatEnergyKwh(energyKwh, digits = 3) {
  return formatQuantity(isKnown(energyKwh) ? energyKwh * 1000 : null, "Wh", digits);
}

export function spellEnergyKwh(energyKwh, digits = 15) {
  return spellQuantity(isKnown(energyKwh) ? energyKwh * 1000 : null, "Wh", digits);
}

// "44.4 k"
export function formatCount(value, digits = 3) {
  if (!isKnown(value)) {
    return DASH;
  }
  const fitted = fit(value, COUNT_LADDER, digits);
  return joined(fitted.text, fitted.step.symbol);
}

// "5 %" for 0.05
export function formatPercent(ratio, digits = 3) {
  return formatQuantity(isKnown(ratio) ? ratio * 100 : null, "%", digits);
}

// "1,234": no unit; whole numbers keep all their digits.
export function formatNumber(value, digits = 3) {
  if (!isKnown(value)) {
    return DASH;
  }
  return sign(value) + textOf(rounded(amountOf(value), digits, { wholeKept: true }));
}

function isKnown(value) {
  return typeof value === "number" && Number.isFinite(value);
}

function fit(value, ladder, digits) {
  const amount = amountOf(value);
  if (amount.coefficient === 0n) {
    return { text: "0", step: ladder.find(({ scale }) => compare(scale, decimal(1)) === 0) };
  }
  const { mantissa, step: rung } = mantissaAndStep(amount, ladder, digits);
  if (compare(mantissa, SMALLEST_SHOWN) < 0) {
    return { text: `${sign(value)}<0.001`, step: rung };
  }
  return { text: sign(value) + textOf(mantissa), step: rung };
}

// Compared after rounding, so that 999.6 ng is carried to 1 µg and never "1000 ng".
function mantissaAndStep(amount, ladder, digits) {
  for (const [index, rung] of ladder.entries()) {
    const mantissa = rounded(divided(amount, rung.scale), digits);
    const following = ladder[index + 1];
    if (!following || compare(multiplied(mantissa, rung.scale), following.startsAt) < 0) {
      return { mantissa, step: rung };
    }
  }
  throw new RangeError("a ladder has at least one step");
}

function amountOf(value) {
  const [significand, exponent = "0"] = String(Math.abs(value)).split("e");
  const [whole, fraction = ""] = significand.split(".");
  return decimal(whole + fraction, Number(exponent) - fraction.length);
}

function rounded({ coefficient, exponent }, digits, { wholeKept = false } = {}) {
  if (!(Number.isInteger(digits) && digits >= 1 && digits <= DIGITS_MAX)) {
    throw new RangeError(`digits must lie between 1 and ${DIGITS_MAX}, got ${digits}`);
  }
  const leading = String(coefficient).length - 1 + exponent;
  const wanted = leading - digits + 1;
  const dropped = (wholeKept ? Math.min(0, wanted) : wanted) - exponent;
  if (dropped <= 0) {
    return { coefficient, exponent };
  }
  const divisor = 10n ** BigInt(dropped);
  return { coefficient: (coefficient + divisor / 2n) / divisor, exponent: exponent + dropped };
}

function divided(amount, scale) {
  if (scale.coefficient === 1n) {
    return { coefficient: amount.coefficient, exponent: amount.exponent - scale.exponent };
  }
  const coefficient = (amount.coefficient * 10n ** BigInt(DIVISION_DIGITS)) / scale.coefficient;
  return { coefficient, exponent: amount.exponent - DIVISION_DIGITS - scale.exponent };
}

function multiplied(one, other) {
  return {
    coefficient: one.coefficient * other.coefficient,
    exponent: one.exponent + other.exponent,
  };
}

function compare(one, other) {
  const exponent = Math.min(one.exponent, other.exponent);
  const difference = raised(one, exponent) - raised(other, exponent);
  return difference === 0n ? 0 : difference < 0n ? -1 : 1;
}

const raised = ({ coefficient, exponent }, to) => coefficient * 10n ** BigInt(exponent - to);

function textOf({ coefficient, exponent }) {
  const digits = String(coefficient);
  const padded = exponent >= 0 ? digits + "0".repeat(exponent) : digits.padStart(1 - exponent, "0");
  const point = padded.length + Math.min(0, exponent);
  const whole = padded.slice(0, point).replace(/\B(?=(\d{3})+$)/g, ",");
  const fraction = padded.slice(point).replace(/0+$/, "");
  return fraction ? `${whole}.${fraction}` : whole;
}

const sign = (value) => (value < 0 ? "-" : "");
const joined = (text, unit) => (unit ? `${text} ${unit}` : text);
