"""Attacks by models in several files, through the real web server: zips, and files that lie."""

import io
import os
import stat
import zipfile
from concurrent.futures import ThreadPoolExecutor

import pytest
from onnx import TensorProto

from benchmarks import inspection
from benchmarks.uploads import receive_model, received_from_bytes
from tests.attacks.conftest import MAX_UPLOAD_BYTES, QUOTA_BYTES
from tests.attacks.test_uploads import API, PAGE, hang_up
from tests.attacks.wire import form
from tests.composed import wait_for
from tests.external import MODEL, adding, apart, zipped
from tests.people import owner

pytestmark = pytest.mark.one_back_end


def send(door, who, *files, name="model"):
    """Upload files, each a name and its content, in one form."""
    parts = [("file", file_name, content) for file_name, content in files]
    body, kind = form(("name", None, name.encode()), *parts)
    return door.say("POST", API, who.bearer, f"Content-Type: {kind}", body=body)


def stored(insider, who):
    found = insider.ask("stored_by", name=who.name)
    return found["bytes"], found["models"]


def a_link(target=b"/etc/passwd"):
    """A zip in which the weights are a link out of it."""
    link = zipfile.ZipInfo("weights.bin")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    buffer = io.BytesIO(zipped({MODEL: b"x"}))
    with zipfile.ZipFile(buffer, "a") as archive:
        archive.writestr(link, target)
    return buffer.getvalue()


def nested(depth=8):
    content = zipped({"w": bytes(10**6)})
    for _ in range(depth):
        content = zipped({MODEL: b"x", "more.zip": content})
    return content


ZIPS = {
    "a bomb of a thousand to one": lambda: zipped({MODEL: b"x", "w": bytes(1_900_000)}),
    "a bomb in many files": lambda: zipped({MODEL: b"x", **{f"w{n}": bytes(10**6) for n in "ab"}}),
    "a bomb within zips": nested,
    "a way out": lambda: zipped({MODEL: b"x", "../../secret_key": b"y"}),
    "an absolute path": lambda: zipped({MODEL: b"x", "/etc/passwd": b"y"}),
    "an address in memory": lambda: zipped({MODEL: b"x", "*/_ORT_MEM_ADDR_/*": b"y"}),
    "a link": a_link,
    "two models": lambda: zipped({"a.onnx": b"x", "b.onnx": b"y"}),
    "no model": lambda: zipped({"a.bin": b"x"}),
    "ten thousand files": lambda: zipped({f"{n}": b"" for n in range(10_000)}),
    "nothing": lambda: zipped({}),
    "half of one": lambda: zipped({MODEL: os.urandom(5000)})[:3000],
    "no zip": lambda: os.urandom(5000),
}


@pytest.mark.parametrize("what", ZIPS)
def test_a23_a_hostile_zip_is_refused_and_leaves_nothing(door, newcomer, insider, what):
    who = newcomer()

    answer = send(door, who, ("net.zip", ZIPS[what]()))

    assert answer.status in {400, 413}
    assert stored(insider, who) == (0, 0)


def test_a24_what_a_zip_unpacks_to_is_held_to_the_limit(door, newcomer, insider):
    who = newcomer()
    # In proportion, and too much all the same.
    fold = os.urandom(10_000) * 21
    content = zipped({MODEL: b"x", **{f"w{n}": fold for n in range(12)}})

    answer = send(door, who, ("net.zip", content))

    assert len(content) < MAX_UPLOAD_BYTES
    assert answer.status == 413
    assert stored(insider, who) == (0, 0)


@pytest.mark.parametrize("pack", ["loose", "zip"])
def test_a25_files_at_once_do_not_pass_the_quota(door, newcomer, insider, pack):
    who = newcomer()
    part_bytes = QUOTA_BYTES // 12

    def one(number):
        files = {MODEL: os.urandom(part_bytes), "w": os.urandom(part_bytes)}
        if pack == "zip":
            files = {"net.zip": zipped(files, method=zipfile.ZIP_STORED)}
        return send(door, who, *files.items(), name=str(number)).status

    with ThreadPoolExecutor(12) as crowd:
        answers = list(crowd.map(one, range(12)))

    assert sorted(answers) == [201] * 6 + [413] * 6
    assert stored(insider, who) == (QUOTA_BYTES, 6)


@pytest.mark.parametrize("path", [API, PAGE])
def test_a26_files_that_break_off_leave_none_of_them(door, newcomer, insider, path):
    who = newcomer()
    halves = [("file", MODEL, bytes(900_000)), ("file", "w", bytes(900_000))]
    body, kind = form(("name", None, b"m"), ("csrfmiddlewaretoken", None, b"a" * 32), *halves)

    with door.wire() as wire:
        auth = who.bearer if path == API else who.cookie
        lines = (auth, f"Content-Type: {kind}", f"Content-Length: {len(body)}")
        wire.send(door.head("POST", path, *lines, "Origin: https://" + door.host), body[:1_700_000])
        wait_for(lambda: insider.ask("part_bytes") > 900_000, "the second file", within_s=20)
        hang_up(wire)

    wait_for(lambda: insider.ask("part_bytes") == 0, "the rest to go", within_s=10)
    assert stored(insider, who) == (0, 0)


def test_a27_many_small_files_in_one_form_are_refused(door, newcomer, insider):
    who = newcomer()

    answer = send(door, who, *[(f"{number}", b"x") for number in range(500)])

    assert answer.status == 400
    assert stored(insider, who) == (0, 0)


def test_a28_nobody_learns_whether_others_have_the_same_data(door, newcomer, insider):
    first, second = newcomer(), newcomer()
    files = [(MODEL, os.urandom(1000)), ("w", os.urandom(1000))]
    send(door, first, *files)

    answer = send(door, second, *files)

    assert answer.status == 201
    assert stored(insider, second) == (2000, 1)
    assert first.id.encode() not in answer.body


HOSTILE_NAMES = ["../../etc/passwd", "/etc/cron.d/x", "<img src=x onerror=alert(1)>", "w\u202egnp"]


@pytest.mark.parametrize("name", HOSTILE_NAMES, ids=range(len(HOSTILE_NAMES)))
def test_a29_the_name_of_a_data_file_is_no_path(door, newcomer, insider, name):
    who = newcomer()

    answer = send(door, who, (MODEL, os.urandom(100)), (name, os.urandom(100)))

    # Some are cleaned to a plain name, and some refused.
    assert answer.status in {201, 400}
    assert stored(insider, who) == ((200, 1) if answer.status == 201 else (0, 0))


def four(**entries):
    return adding(apart("w", [4], **{"location": "w", **entries}))


LIES = {
    "a66 an address in memory": (lambda: four(location="*/_ORT_MEM_ADDR_/*"), "external_data"),
    "a67 beyond the end": (lambda: four(offset=2**40, length=16), "external_data_misfit"),
    "a68 a length of its own": (lambda: four(length=2**40), "external_data_misfit"),
    "a69 a terabyte of numbers": (
        lambda: adding(apart("w", [2**20, 2**18], location="w")),
        "external_data_misfit",
    ),
    "a90 an offset of 5,000 digits": (lambda: four(offset="9" * 5000), "external_data_misfit"),
    "a91 texts elsewhere": (
        lambda: adding(apart("w", [4], TensorProto.STRING, location="w")),
        "external_data_misfit",
    ),
    "a92 a way out beside the file": (lambda: four(location="x/../../w"), "external_data"),
}


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("case", LIES)
def test_a_model_that_lies_about_its_data_is_refused_with_one_sentence(case, settings, tmp_path):
    settings.DATA_DIR = tmp_path
    build, code = LIES[case]
    files = {MODEL: build().SerializeToString(), "w": bytes(16)}
    uploaded = [received_from_bytes(content, name) for name, content in files.items()]
    version = receive_model(owner=owner(), name="liar", visibility="private", uploaded=uploaded)

    inspection.inspect(version.pk)
    version.refresh_from_db()

    assert (version.status, version.rejection_code) == ("rejected", code)
    assert version.rejection_reason.endswith(".")
    assert version.rejection_reason.isprintable()
