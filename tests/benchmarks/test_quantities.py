"""Numbers as a reader meets them: the template filters, and their twin in the browser."""

import json
import random
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from django.template import Context, Template

from footprint import units

FORMAT_MODULE = Path(__file__).resolve().parents[2] / "static" / "js" / "format.js"
UNITS = ("g", "s", "Wh", "W", "B", "g/kWh", "km", "%")
EDGES = (0.0, 1.0, -4.32e-8, 0.5, 0.9995, 0.99949, 999.5, 999.4, 999.6e-9, 1000.0, 1e-30, 4e-35)
TIMES_S = (59.96, 119.4, 119.5, 119.96, 120.0, 7199.0, 7200.0, 172_800.0, 63_072_000.0, 1e12)

IN_THE_BROWSER = """
const format = await import(process.argv[1]);
const values = JSON.parse(process.argv[2]);
const units = JSON.parse(process.argv[3]);
const texts = values.map((value) => [
  ...units.flatMap((unit) => [
    format.formatQuantity(value, unit), format.spellQuantity(value, unit),
  ]),
  format.formatEnergyKwh(value), format.formatCount(value), format.formatNumber(value),
]);
process.stdout.write(JSON.stringify(texts));
"""


def rendered(expression, **values):
    return Template("{% load quantities %}{{ " + expression + " }}").render(Context(values))


def test_a_quantity_is_short_for_the_eye_and_exact_on_hover_and_focus():
    html = rendered('emission_g|quantity:"g"', emission_g=7.541955556e-08)

    assert html == (
        '<span class="quantity" title="75.41955556 nanograms" tabindex="0">75.4 ng</span>'
    )


def test_the_headline_sets_its_unit_apart():
    html = rendered('emission_g|figure:"g"', emission_g=4.32e-8)

    assert '43.2 <span class="figure-unit">ng</span>' in html
    assert 'title="43.2 nanograms"' in html


@pytest.mark.parametrize(
    "expression",
    ['x|quantity:"g"', 'x|figure:"g"', "x|energy", "x|count", "x|percent", "x|signed_percent"],
)
def test_what_is_not_known_is_a_dash_that_says_so(expression):
    html = rendered(expression, x=None)

    assert "—" in html
    assert "not known" in html
    assert "0" not in html


def test_zero_is_a_number_and_not_a_dash():
    assert rendered('x|plain_quantity:"g"', x=0) == "0 g"


@pytest.mark.parametrize(
    ("expression", "value", "text"),
    [
        ("x|energy", 5.12e-10, "512 nWh"),
        ("x|count", 44_426, "44.4 k"),
        ("x|percent", 0.0523, "5.23 %"),
        ("x|signed_percent", 0.05, "+5 %"),
        ("x|signed_percent", -0.05, "-5 %"),
        ('x|plain_quantity:"s"', 0.00187, "1.87 ms"),
        ("x|plain_energy", 0.016, "16 Wh"),
        ("x|plain_count", 281_640, "282 k"),
        ("x|plain_percent", 0.5, "50 %"),
        ('x|plain_quantity:"g"', None, "—"),
    ],
)
def test_every_filter_writes_its_kind_of_number(expression, value, text):
    assert text in rendered(expression, x=value)


def test_the_browser_writes_every_number_as_the_server_does():
    node = shutil.which("node") or shutil.which("node", path=Path(sys.executable).parent)
    if node is None:
        pytest.skip("node is not installed")
    values = sample_values()

    in_the_browser = written_by_node(node, values)

    for value, texts in zip(values, in_the_browser, strict=True):
        assert texts == written_by_python(value), value


def sample_values():
    chance = random.Random(20)
    spread = [
        round(chance.uniform(1, 10), chance.randint(0, 12)) * 10.0 ** chance.randint(-32, 20)
        for _ in range(400)
    ]
    return [*EDGES, *TIMES_S, *spread]


def written_by_node(node, values):
    command = [
        *(node, "--input-type=module", "--eval", IN_THE_BROWSER),
        *(FORMAT_MODULE.as_uri(), json.dumps(values), json.dumps(UNITS)),
    ]
    answer = subprocess.run(
        command, capture_output=True, check=True, text=True, encoding="utf-8", timeout=60
    )
    return json.loads(answer.stdout)


def written_by_python(value):
    quantities = [
        text
        for unit in UNITS
        for text in (units.format_quantity(value, unit), units.spell_quantity(value, unit))
    ]
    return [
        *quantities,
        units.format_energy_kwh(value),
        units.format_count(value),
        units.format_number(value),
    ]


def test_a_missing_number_is_a_dash_that_says_why_on_hover_and_focus():
    html = Template('{% load quantities %}{% unknown "Too few rounds to say" %}').render(Context())

    assert 'title="Too few rounds to say" tabindex="0"' in html
    assert "—" in html
    assert '<span class="visually-hidden">not known</span>' in html
