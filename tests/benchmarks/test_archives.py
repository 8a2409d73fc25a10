"""Zips that are uploaded: unpacked under limits, refused in a sentence, and nothing left behind."""

import io
import stat
import struct
import zipfile
from pathlib import Path

import pytest
from django.conf import settings as site_settings
from django.core.exceptions import ValidationError

from benchmarks import archives
from benchmarks.archives import unpacked
from benchmarks.received import NoRoom, UploadTooLarge, received_from_bytes
from tests.external import zipped

pytestmark = pytest.mark.one_back_end
PLAIN = {"model.onnx": b"a model", "weights.bin": b"its weights"}
ROOMY = 10 * 2**20


@pytest.fixture(autouse=True)
def nothing_is_left():
    """Whatever a test unpacked or had refused is gone once it is closed."""
    yield
    assert list(Path(site_settings.MEDIA_ROOT).rglob("*.part")) == []


def contents_of(content, *, limit_bytes=ROOMY):
    """What is unpacked of a zip, by paths; everything is closed again."""
    with received_from_bytes(content, "model.zip") as archive:
        files = unpacked(archive, limit_bytes=limit_bytes)
        contents = {path: file.read() for path, file in files.items()}
        for file in files.values():
            file.close()
    return contents


def refusal(content):
    with pytest.raises(ValidationError) as refused:
        contents_of(content)
    (sentence,) = refused.value.message_dict["file"]
    assert sentence.endswith(".")
    return sentence


def one_member(name="w", content=b"x", **changes):
    """A zip of one file, with what is said of it changed."""
    info = zipfile.ZipInfo(name)
    info.compress_type = zipfile.ZIP_DEFLATED
    for field, value in changes.items():
        setattr(info, field, value)
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr(info, content)
    return buffer.getvalue()


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_the_files_come_out_as_they_went_in(method):
    assert contents_of(zipped(PLAIN, method=method)) == PLAIN


def test_files_keep_their_folders_and_folders_are_no_files():
    buffer = io.BytesIO(zipped(PLAIN, folder="net/data/"))
    with zipfile.ZipFile(buffer, "a") as archive:
        archive.mkdir("net/empty")

    assert set(contents_of(buffer.getvalue())) == {"net/data/model.onnx", "net/data/weights.bin"}


def test_what_macos_adds_is_left_out():
    content = zipped({**PLAIN, "__MACOSX/._model.onnx": b"x", ".DS_Store": b"x"})

    assert contents_of(content) == PLAIN


def test_each_file_is_hashed_on_the_way():
    with received_from_bytes(zipped(PLAIN), "model.zip") as archive:
        files = unpacked(archive, limit_bytes=ROOMY)
        hashes = {path: file.sha256 for path, file in files.items()}
        for file in files.values():
            file.close()

    plain = {path: received_from_bytes(content, path) for path, content in PLAIN.items()}
    assert hashes == {path: file.sha256 for path, file in plain.items()}
    for file in plain.values():
        file.close()


@pytest.mark.parametrize(
    "name",
    [
        *("../w", "/w", "a/../../w", "..", "C:w", "a\\w", "*/_ORT_MEM_ADDR_/*", "w\x1b[2J"),
        *("\u202ew", "w" * 300),
    ],
)
def test_names_that_lead_elsewhere_are_refused(name):
    sentence = refusal(one_member(name))

    assert "leads outside of it, or is no readable name" in sentence


def test_a_name_with_a_nul_in_it_is_refused():
    content = one_member("weights.bin").replace(b"weights.bin", b"weig\0ts.bin")

    assert "no readable name" in refusal(content)


@pytest.mark.parametrize(
    "kind", [stat.S_IFLNK, stat.S_IFIFO, stat.S_IFCHR, stat.S_IFBLK, stat.S_IFSOCK]
)
def test_links_and_devices_are_refused(kind):
    sentence = refusal(one_member(external_attr=(kind | 0o777) << 16))

    assert "is a link or a device" in sentence


def test_two_files_of_one_name_are_refused():
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("a/w", b"one")
        archive.writestr("a/./w", b"two")

    assert "two files called “a/w”" in refusal(buffer.getvalue())


def test_an_encrypted_zip_is_refused():
    content = bytearray(one_member())
    for mark, at in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        content[content.index(mark) + at] |= 1

    assert "is encrypted" in refusal(bytes(content))


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_other_ways_of_packing_are_refused(method):
    assert "packed in a way that is not read here" in refusal(zipped(PLAIN, method=method))


def test_a_bomb_is_refused_by_its_ratio_before_it_goes_off():
    content = zipped({"w": bytes(2 * 2**20)})

    assert len(content) < 4096
    assert "more than 50 times larger" in refusal(content)


def test_a_small_file_may_be_all_zeros():
    assert contents_of(zipped({"w": bytes(2**20)})) == {"w": bytes(2**20)}


def test_more_than_may_be_stored_is_refused_before_it_is_unpacked():
    content = zipped({"a": b"x" * 600, "b": b"y" * 600}, method=zipfile.ZIP_STORED)

    with pytest.raises(UploadTooLarge):
        contents_of(content, limit_bytes=1000)


def test_a_disk_without_room_for_what_comes_out_refuses_it(settings):
    settings.FREE_DISK_FLOOR_BYTES = 10**18

    with pytest.raises(NoRoom):
        contents_of(zipped(PLAIN))


def with_stated_size(content, size_bytes):
    """A zip whose list of contents and headers state another size for its one file."""
    changed = bytearray(content)
    for mark, at in ((b"PK\x03\x04", 22), (b"PK\x01\x02", 24)):
        start = changed.index(mark) + at
        changed[start : start + 4] = struct.pack("<I", size_bytes)
    return bytes(changed)


@pytest.mark.parametrize("size_bytes", [0, 1, 999, 1001, 50_000])
def test_a_stated_size_that_is_a_lie_is_found_out(size_bytes):
    content = with_stated_size(one_member(content=bytes(range(250)) * 4), size_bytes)

    assert "is damaged" in refusal(content)


def test_a_bomb_that_states_a_small_size_never_grows_beyond_it():
    content = with_stated_size(one_member(content=bytes(100 * 2**20)), 1000)

    assert "is damaged" in refusal(content)


def test_files_that_share_their_bytes_are_refused():
    """As in David Fifield's zip bombs, all of whose files are one (WOOT 2019)."""
    content = zipped({"a": b"1" * 100, "b": b"2" * 100}, method=zipfile.ZIP_STORED)
    second = content.rindex(b"PK\x01\x02")
    offset = second + 42
    overlapping = content[:offset] + struct.pack("<I", 0) + content[offset + 4 :]

    assert "overlap" in refusal(overlapping)


def test_a_file_that_runs_into_the_list_of_contents_is_refused():
    content = bytearray(one_member(compress_type=zipfile.ZIP_STORED, content=b"x" * 10))
    start = content.index(b"PK\x01\x02") + 20
    content[start : start + 4] = struct.pack("<I", 5000)

    assert "is damaged" in refusal(bytes(content))


def test_too_many_files_are_refused(monkeypatch):
    monkeypatch.setattr(archives, "MAX_MEMBER_COUNT", 3)

    assert "more than 3 files" in refusal(zipped({f"w{n}": b"x" for n in range(4)}))


def test_a_list_of_contents_that_would_fill_memory_is_not_read(monkeypatch):
    monkeypatch.setattr(archives, "CHUNK_BYTES", 4096)
    content = zipped({f"{n}-{'x' * 200}": b"x" for n in range(50)})

    assert "is damaged" in refusal(content)


@pytest.mark.parametrize(
    "content",
    [
        *(b"", b"PK", b"PK\x03\x04", b"not a zip" * 100),
        *(zipped(PLAIN)[:-30], zipped(PLAIN)[:60], b"PK\x05\x06" + b"\xff" * 18),
    ],
    ids=range(7),
)
def test_what_is_no_whole_zip_is_refused(content):
    assert "is damaged, or no zip at all" in refusal(content)


def test_no_damage_of_one_byte_breaks_anything():
    content = zipped(PLAIN)
    for place in range(len(content)):
        damaged = bytearray(content)
        damaged[place] ^= 0xFF
        try:
            found = contents_of(bytes(damaged))
        except (ValidationError, UploadTooLarge):
            continue
        assert all(one in PLAIN.values() for one in found.values())
