"""Whatever value a client sends, the answer is a sentence and never a 500."""

import json

import pytest

from tests.api.scripts import BASE, an_onnx_file, assert_problem, script_of
from tests.people import (
    a_done_run,
    a_processor,
    a_profile,
    a_ready_version,
    a_zone,
    owner,
)

pytestmark = pytest.mark.django_db

DEEP = "[" * 20_000 + "]" * 20_000
BAD_JSON = {
    "nothing": "",
    "not JSON": "{",
    "20,000 levels": DEEP,
    "20,000 levels inside": '{"name": ' + DEEP + "}",
    "500 levels": '{"inputs": ' + "[" * 500 + "]" * 500 + "}",
    "500 objects": '{"a":' * 500 + "1" + "}" * 500,
    "a NUL in a value": r'{"name": "a\u0000b", "zone": "IND", "cpu_tdp_w": 1, "ram_gb": 8}',
    "a NUL in a key": r'{"a\u0000b": 1}',
    "half a surrogate pair": r'{"name": "\ud800", "zone": "IND", "cpu_tdp_w": 1, "ram_gb": 8}',
    "NaN": '{"name": "x", "zone": "IND", "cpu_tdp_w": NaN}',
    "Infinity": '{"name": "x", "zone": "IND", "cpu_tdp_w": Infinity}',
    "more than a float": '{"name": "x", "zone": "IND", "cpu_tdp_w": 1, "ram_gb": 8e999}',
    "a huge integer": '{"name": "x", "zone": "IND", "cpu_tdp_w": 1, "ram_gb": 8, "cpu_count": 1'
    + "0" * 400
    + "}",
    "a huger integer": '{"cpu_count": 1' + "0" * 5000 + "}",
    "a list": "[]",
    "a text": '"x"',
    "null": "null",
    "a number": "1",
}
WRONG_VALUES = [
    None,
    True,
    -1,
    0,
    10**400,
    2**63,
    1e308,
    "NaN",
    "",
    " ",
    "x" * 10_000,
    "\ufeff",
    "../../etc/passwd",
    [],
    [1],
    {},
    {"a": 1},
    [[[[]]]],
    "00000000-0000-0000-0000-000000000000",
]


def send_json(client, method, address, text, content_type="application/json"):
    return client.generic(method, address, text, content_type=content_type)


@pytest.mark.parametrize("collection", ["profiles", "runs", "tokens"])
def test_json_that_is_none_or_worse_is_a_400(collection):
    a_zone()
    script = script_of(owner())

    for text in BAD_JSON.values():
        assert_problem(send_json(script, "POST", f"{BASE}/{collection}/", text), 400)


def test_json_that_is_not_utf8_is_a_400():
    answer = send_json(script_of(owner()), "POST", f"{BASE}/profiles/", b'{"name": "\xff"}')

    assert_problem(answer, 400)


def test_json_without_end_is_refused_before_it_fills_the_memory():
    answer = send_json(
        script_of(owner()), "POST", f"{BASE}/profiles/", json.dumps({"name": "x" * 3_000_000})
    )

    assert_problem(answer, 413)


@pytest.mark.parametrize(
    "field",
    [
        "name",
        "zone",
        "pue",
        "cpu",
        "cpu_name",
        "cpu_tdp_w",
        "cpu_count",
        "ram_gb",
        "ram_power_w",
        "gpu",
        "gpu_name",
        "gpu_tdp_w",
        "gpu_count",
        "visibility",
    ],
)
def test_no_value_of_a_profile_breaks_the_site(field):
    a_zone()
    profile = a_profile()
    script = script_of(owner())
    good = {"name": "Good", "zone": "IND", "cpu_tdp_w": 13, "ram_gb": 8}

    for value in WRONG_VALUES:
        for answer in (
            script.post(f"{BASE}/profiles/", {**good, field: value}, format="json"),
            script.patch(f"{BASE}/profiles/{profile.pk}/", {field: value}, format="json"),
        ):
            assert answer.status_code < 500, (value, answer.content)
            if answer.status_code >= 400:
                assert_problem(answer, 400)


@pytest.mark.parametrize(
    "field", ["version", "profile", "batch_size", "intra_op_threads", "effort"]
)
def test_no_setting_of_a_run_breaks_the_site(field):
    good = {"version": str(a_ready_version().pk), "profile": str(a_profile().pk)}
    script = script_of(owner())

    for value in WRONG_VALUES:
        answer = script.post(f"{BASE}/runs/", {**good, field: value}, format="json")
        assert answer.status_code in {201, 400}, (value, answer.content)


@pytest.mark.parametrize("part", ["dims", "shapes", "ranges", "input", "batch"])
def test_no_description_of_inputs_breaks_the_site(part):
    good = {"version": str(a_ready_version().pk), "profile": str(a_profile().pk)}
    script = script_of(owner())

    for value in WRONG_VALUES:
        for inputs in (
            value,
            {part: value},
            {"dims": {part: value}},
            {"shapes": {part: value}},
            {"shapes": {"input": [1, 1, 28, value]}},
            {"ranges": {part: value}},
            {"ranges": {"input": [0, value]}},
        ):
            answer = script.post(f"{BASE}/runs/", {**good, "inputs": inputs}, format="json")
            assert answer.status_code in {201, 400}, (inputs, answer.content)


@pytest.mark.parametrize("field", ["username", "password", "name", "scope", "expires_at"])
def test_no_value_of_a_token_request_breaks_the_site(field):
    good = {"username": "nobody", "password": "x", "name": "ci"}

    for value in [*WRONG_VALUES, "9999-12-31T23:59:59+14:00", "0001-01-01T00:00:00-14:00"]:
        answer = script_of().post(f"{BASE}/tokens/", {**good, field: value}, format="json")
        assert answer.status_code in {400, 429}, (value, answer.content)


BAD_QUERIES = [
    "name=%00",
    "search=%00",
    "%00=1",
    "search=%ff%fe",
    "search=" + "a+" * 3000,
    "search=" + "a" * 60_000,
    "search=%25%5C%27%22%3B--",
    "ordering=%00",
    "ordering=;drop",
    "ordering=,,-",
    "page=0",
    "page=-1",
    "page=99999999999999999999999999",
    "page=1e5",
    "page=%D9%A1",
    "page=last",
    "page=x",
    "per_page=0",
    "per_page=-5",
    "per_page=99999999999999999999999",
    "per_page=x",
    "cursor=x",
    "cursor=cD0lMDA%3D",
    "cursor=cD14",
    "cursor=bz05OTk5OTk5OTk5OTk5OTk5OTk5OTk%3D",
    "cursor=%ff",
    "kind=x",
    "status=x",
    "model=x",
    "version=" + "9" * 400,
    "profile=00000000-0000-0000-0000-000000000000",
    "visibility=x",
    "parent=x",
    "zone=x",
    "format=xml",
    "&".join(f"a{number}=1" for number in range(1500)),
]


@pytest.mark.parametrize("collection", ["zones", "processors", "profiles", "models", "runs"])
def test_no_question_breaks_a_list(collection):
    a_done_run()
    a_processor()
    script = script_of(owner())

    for query in BAD_QUERIES:
        answer = script.get(f"{BASE}/{collection}/?{query}")
        assert answer.status_code in {200, 400, 404}, query
        if answer.status_code != 200:
            assert_problem(answer, answer.status_code)


@pytest.mark.parametrize(
    "name", ["", "%00", "%ff", "x" * 300, "AMD+EPYC", "1", "(((((1", "%F0%9F%92%A9"]
)
def test_no_processor_name_breaks_the_match(name):
    a_processor("EPYC 7763", vendor="AMD")

    answer = script_of().get(f"{BASE}/processors/match/?name={name}")

    assert answer.status_code in {200, 400}
    if answer.status_code == 200:
        assert answer.json() == {"results": []}


@pytest.mark.parametrize(
    "name", ["", " ", "x" * 121, "a\x00b", "LeNet-5", "<script>", "..", "\u202eevil"]
)
def test_no_name_of_a_model_breaks_the_site(name):
    a_ready_version()

    answer = script_of(owner()).post(
        f"{BASE}/models/", {"name": name, "file": an_onnx_file()}, format="multipart"
    )

    assert answer.status_code in {201, 400}


@pytest.mark.parametrize("value", ["x", "-1", "2", "nan", "inf", "1e999", "\x00", "9" * 2000])
@pytest.mark.parametrize("field", ["accuracy_ratio", "training_time_s"])
def test_no_detail_of_a_version_breaks_the_site(field, value):
    onnx_model = a_ready_version().onnx_model

    answer = script_of(owner()).post(
        f"{BASE}/models/{onnx_model.pk}/versions/",
        {"file": an_onnx_file(b"other"), field: value},
        format="multipart",
    )

    assert answer.status_code in {201, 400}


def test_mass_assignment_changes_nothing_that_is_not_offered():
    version = a_ready_version()
    address = f"{BASE}/models/{version.onnx_model_id}/"

    answer = script_of(owner()).patch(
        address,
        {"id": str(version.pk), "owner": "x", "created_at": "2000-01-01T00:00:00Z", "versions": []},
        format="json",
    )

    assert answer.status_code == 200
    assert answer.json()["id"] == str(version.onnx_model_id)
    assert len(answer.json()["versions"]) == 1
