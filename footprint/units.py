"""Which units we count in, and how a number and its unit are written for a reader.

Inside the program there is one unit per dimension (s, g, kWh, W, bytes) and plain
floats. Prefixes exist only here, where a number meets eyes.
"""

import math
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Context, Decimal
from itertools import pairwise
from typing import Final

WATTS_PER_KW = 1000
WATT_HOURS_PER_KWH = 1000
GRAMS_PER_KG = 1000
SECONDS_PER_HOUR = 3600
# 365 days, as the Software Carbon Intensity examples count.
SECONDS_PER_YEAR = 365 * 24 * SECONDS_PER_HOUR

DIGITS_MAX = 17
# An amount so far below the smallest step that digits would no longer help a reader.
SMALLEST_SHOWN = Decimal("0.001")
# The largest float has 309 digits before the point.
LONGEST_NUMBER = Context(prec=400)

# Prefixes of the International System of Units (BIPM, 9th edition, with those of 2022).
SMALL_PREFIXES = (
    ("q", "quecto", -30),
    ("r", "ronto", -27),
    ("y", "yocto", -24),
    ("z", "zepto", -21),
    ("a", "atto", -18),
    ("f", "femto", -15),
    ("p", "pico", -12),
    ("n", "nano", -9),
    ("µ", "micro", -6),
    ("m", "milli", -3),
)
LARGE_PREFIXES = (
    ("k", "kilo", 3),
    ("M", "mega", 6),
    ("G", "giga", 9),
    ("T", "tera", 12),
    ("P", "peta", 15),
    ("E", "exa", 18),
    ("Z", "zetta", 21),
    ("Y", "yotta", 24),
    ("R", "ronna", 27),
    ("Q", "quetta", 30),
)


@dataclass(frozen=True, slots=True)
class Step:
    """One rung of a ladder: from ``starts_at`` on, amounts are written in ``symbol``.

    ``scale`` is how many base units one of it is.
    """

    starts_at: Decimal
    scale: Decimal
    symbol: str
    name: str

    @property
    def plural(self) -> str:
        """The unit's name for any amount but 1."""
        return f"{self.name}s" if self.name else ""


Ladder = tuple[Step, ...]


def _prefixed(
    symbol: str, name: str, prefixes: tuple[tuple[str, str, int], ...], *, shift: int = 0
) -> Ladder:
    scales = [Decimal(1).scaleb(exponent + shift) for _, _, exponent in prefixes]
    return tuple(
        Step(starts_at=scale, scale=scale, symbol=f"{prefix}{symbol}", name=f"{word}{name}")
        for (prefix, word, _), scale in zip(prefixes, scales, strict=True)
    )


def _base(symbol: str, name: str) -> Step:
    return Step(starts_at=Decimal(1), scale=Decimal(1), symbol=symbol, name=name)


def _si_ladder(symbol: str, name: str) -> Ladder:
    return (
        *_prefixed(symbol, name, SMALL_PREFIXES),
        _base(symbol, name),
        *_prefixed(symbol, name, LARGE_PREFIXES),
    )


# A megagram is called a tonne, and prefixes go on from there. Seconds up to two minutes
# are easier to compare than minutes, and so on up.
_KILOGRAM, _TONNE = Decimal(1000), Decimal(1_000_000)
_MINUTE, _HOUR, _DAY, _YEAR = (Decimal(seconds) for seconds in (60, 3600, 86_400, 31_536_000))
LADDER_BY_UNIT: Final[dict[str, Ladder]] = {
    "g": (
        *_prefixed("g", "gram", SMALL_PREFIXES),
        _base("g", "gram"),
        Step(starts_at=_KILOGRAM, scale=_KILOGRAM, symbol="kg", name="kilogram"),
        Step(starts_at=_TONNE, scale=_TONNE, symbol="t", name="tonne"),
        *_prefixed("t", "tonne", LARGE_PREFIXES, shift=6),
    ),
    "s": (
        *_prefixed("s", "second", SMALL_PREFIXES),
        _base("s", "second"),
        Step(starts_at=2 * _MINUTE, scale=_MINUTE, symbol="min", name="minute"),
        Step(starts_at=2 * _HOUR, scale=_HOUR, symbol="h", name="hour"),
        Step(starts_at=2 * _DAY, scale=_DAY, symbol="d", name="day"),
        Step(starts_at=2 * _YEAR, scale=_YEAR, symbol="y", name="year"),
    ),
    "Wh": _si_ladder("Wh", "watt-hour"),
    "W": _si_ladder("W", "watt"),
    "B": (_base("B", "byte"), *_prefixed("B", "byte", LARGE_PREFIXES)),
}
COUNT_LADDER: Final[Ladder] = (_base("", ""), *_prefixed("", "", LARGE_PREFIXES))
COUNT_WORDS: Final[Ladder] = (
    _base("", ""),
    *(
        Step(starts_at=scale, scale=scale, symbol=word, name=word)
        for word, scale in (
            ("thousand", Decimal("1e3")),
            ("million", Decimal("1e6")),
            ("billion", Decimal("1e9")),
            ("trillion", Decimal("1e12")),
        )
    ),
)
# Units that take no prefix: (one of it, many of it).
NAMES_BY_PLAIN_UNIT: Final[dict[str, tuple[str, str]]] = {
    "g/kWh": ("gram per kilowatt-hour", "grams per kilowatt-hour"),
    "W/GB": ("watt per gigabyte", "watts per gigabyte"),
    "km": ("kilometre", "kilometres"),
    "%": ("percent", "percent"),
    "1/s": ("per second", "per second"),
}
STEP_BY_SYMBOL: Final[dict[str, Step]] = {
    step.symbol: step for ladder in LADDER_BY_UNIT.values() for step in ladder
}


def format_quantity(value: float, unit: str, digits: int = 3) -> str:
    """Return ``value`` to ``digits`` significant figures, with the prefix that suits it.

    1 to 999 stands before the unit, trailing zeros are dropped, and 0 is written for a
    true zero only. Prefixes go with s, g, Wh, W and B (decimal: 1 kB is 1000 bytes);
    from two minutes on, seconds become min, h, d, y. Any other unit is kept as it is.

    Raises ValueError when ``value`` is not finite or ``digits`` is not within 1 to 17.

    >>> format_quantity(4.32e-8, "g"), format_quantity(0.00187, "s"), format_quantity(3e6, "g")
    ('43.2 ng', '1.87 ms', '3 t')
    >>> format_quantity(999.6e-9, "g"), format_quantity(713.36, "g/kWh")
    ('1 µg', '713 g/kWh')
    """
    return _joined(*split_quantity(value, unit, digits))


def split_quantity(value: float, unit: str, digits: int = 3) -> tuple[str, str]:
    """Return the number and the unit of ``format_quantity`` apart, for markup between them."""
    if unit not in LADDER_BY_UNIT:
        return format_number(value, digits), unit
    text, step = _fit(value, LADDER_BY_UNIT[unit], digits)
    return text, step.symbol


def spell_quantity(value: float, unit: str, digits: int = 15) -> str:
    """Return ``value`` as exactly as ``digits`` allow, with the unit's name spelt out.

    >>> spell_quantity(7.541955556e-08, "g"), spell_quantity(1e-9, "g")
    ('75.41955556 nanograms', '1 nanogram')
    """
    if unit in LADDER_BY_UNIT:
        text, step = _fit(value, LADDER_BY_UNIT[unit], digits)
        return _joined(text, step.name if text == "1" else step.plural)
    text = format_number(value, digits)
    one, many = NAMES_BY_PLAIN_UNIT.get(unit, (unit, unit))
    return _joined(text, one if text == "1" else many)


def spell_unit(symbol: str) -> str:
    """Return the plural name of a unit as ``split_quantity`` gives it, for screen readers.

    A symbol that is not ours is taken to be a word already and comes back as it is.

    >>> spell_unit("ng"), spell_unit("nWh"), spell_unit("g/kWh")
    ('nanograms', 'nanowatt-hours', 'grams per kilowatt-hour')
    """
    if symbol in STEP_BY_SYMBOL:
        return STEP_BY_SYMBOL[symbol].plural
    return NAMES_BY_PLAIN_UNIT.get(symbol, (symbol, symbol))[1]


def format_energy_kwh(energy_kwh: float, digits: int = 3) -> str:
    """Return an energy held in kWh with the prefix of watt-hours that suits it.

    >>> format_energy_kwh(5.12e-10)
    '512 nWh'
    """
    return format_quantity(energy_kwh * WATT_HOURS_PER_KWH, "Wh", digits)


def spell_energy_kwh(energy_kwh: float, digits: int = 15) -> str:
    """Return an energy held in kWh, exact and spelt out.

    >>> spell_energy_kwh(0.016)
    '16 watt-hours'
    """
    return spell_quantity(energy_kwh * WATT_HOURS_PER_KWH, "Wh", digits)


def format_count(value: float, digits: int = 3) -> str:
    """Return a count of things, shortened from a thousand on.

    >>> format_count(10), format_count(44_426), format_count(281_640, digits=4)
    ('10', '44.4 k', '281.6 k')
    """
    text, step = _fit(value, COUNT_LADDER, digits)
    return _joined(text, step.symbol)


def spell_count(value: float, digits: int = 3) -> str:
    """Return a count of things in words that need no key.

    >>> spell_count(2_320_300_000)
    '2.32 billion'
    """
    text, step = _fit(value, COUNT_WORDS, digits)
    return _joined(text, step.symbol)


def format_number(value: float, digits: int = 3) -> str:
    """Return ``value`` without unit; whole numbers keep all their digits.

    >>> format_number(1234.56), format_number(0.04321)
    ('1,235', '0.0432')
    """
    amount = _amount(value)
    return _sign(value) + _text(_rounded(amount, digits, whole_kept=True))


def _fit(value: float, ladder: Ladder, digits: int) -> tuple[str, Step]:
    amount = _amount(value)
    if amount == 0:
        return "0", next(step for step in ladder if step.scale == 1)
    mantissa, step = _mantissa_and_step(amount, ladder, digits)
    if mantissa < SMALLEST_SHOWN:
        return f"{_sign(value)}<{SMALLEST_SHOWN}", step
    return _sign(value) + _text(mantissa), step


def _mantissa_and_step(amount: Decimal, ladder: Ladder, digits: int) -> tuple[Decimal, Step]:
    # Compared after rounding, so that 999.6 ng is carried to 1 µg and never "1000 ng".
    for step, following in pairwise(ladder):
        mantissa = _rounded(amount / step.scale, digits)
        if mantissa * step.scale < following.starts_at:
            return mantissa, step
    return _rounded(amount / ladder[-1].scale, digits), ladder[-1]


def _amount(value: float) -> Decimal:
    if not math.isfinite(value):
        raise ValueError(f"value must be finite, got {value!r}")
    # By way of repr, so that 0.1 is one tenth and not the binary number beside it.
    return abs(Decimal(repr(float(value))))


def _rounded(amount: Decimal, digits: int, *, whole_kept: bool = False) -> Decimal:
    if not 1 <= digits <= DIGITS_MAX:
        raise ValueError(f"digits must lie between 1 and {DIGITS_MAX}, got {digits!r}")
    exponent = amount.adjusted() - digits + 1
    if whole_kept:
        exponent = min(0, exponent)
    return amount.quantize(Decimal(1).scaleb(exponent), ROUND_HALF_UP, LONGEST_NUMBER)


def _text(amount: Decimal) -> str:
    return f"{amount.normalize():,f}"


def _sign(value: float) -> str:
    return "-" if value < 0 else ""


def _joined(text: str, unit: str) -> str:
    return f"{text} {unit}" if unit else text
