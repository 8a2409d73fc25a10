import io
import struct
import subprocess
import sys
import tracemalloc
import zipfile

import numpy as np
import pytest

from runner.descriptions import InputHint, TensorDescription
from runner.errors import InputProblem
from runner.job import Job
from runner.npz_archive import MAX_VALUES_BYTES
from runner.real_inputs import (
    batch_size_of,
    check_values,
    describe_values,
    real_values,
)

TOKENS = TensorDescription("tokens", "int64", ("batch", "sequence"))
MASK = TensorDescription("mask", "bool", ("batch", "sequence"))
TEXTS = TensorDescription("texts", "string", (None,))


def saved(folder, **arrays):
    path = folder / "inputs.npz"
    np.savez(path, **arrays)
    return path


def packed(folder, members):
    """A ZIP file of these contents by name, whatever they are."""
    path = folder / "inputs.npz"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return path


def npy(array):
    file = io.BytesIO()
    np.save(file, array)
    return file.getvalue()


def refusal(call):
    with pytest.raises(InputProblem) as refused:
        call()
    return refused.value


def checked(descriptions, folder, **arrays):
    return refusal(lambda: check_values(descriptions, describe_values(saved(folder, **arrays))))


def job(path, batch_size=1):
    return Job("measure", "model.onnx", values_path=str(path), batch_size=batch_size)


@pytest.mark.parametrize(
    "dtype",
    ["int8", "uint8", "int16", "int64", "uint64", "float16", "float32", "float64", "bool"],
)
def test_type_and_shape_are_read_from_the_header(tmp_path, dtype):
    (found,) = describe_values(saved(tmp_path, x=np.zeros((2, 3), dtype)))

    assert found == TensorDescription("x", dtype, (2, 3))


def test_texts_scalars_and_other_orders_are_read_too(tmp_path):
    path = saved(
        tmp_path,
        texts=np.array(["ab", "c"]),
        rate=np.array(8000),
        big=np.arange(4, dtype=">i4").reshape(2, 2).T,
    )

    found = {one.name: (one.dtype, one.shape) for one in describe_values(path)}

    assert found == {"texts": ("string", (2,)), "rate": ("int64", ()), "big": ("int32", (2, 2))}


def test_arrays_are_used_as_they_are(tmp_path):
    tokens = np.arange(6, dtype=">i8").reshape(2, 3)
    path = saved(tmp_path, tokens=tokens, texts=np.array(["a", "b"]))

    values = real_values(job(path, batch_size=2), [TOKENS, TEXTS])

    assert values["tokens"].dtype == np.dtype("int64")
    assert values["tokens"].tolist() == tokens.tolist()
    assert values["texts"].tolist() == ["a", "b"]


def test_a_job_without_a_file_has_no_real_values():
    assert real_values(Job("measure", "model.onnx"), [TOKENS]) is None


def test_a_name_that_the_model_does_not_have_is_refused(tmp_path):
    problem = checked([TOKENS], tmp_path, token=np.zeros((1, 2), np.int64))

    assert problem.field == "inputs.values.token"
    assert "“tokens”" in problem.message


def test_another_type_is_refused_with_what_to_do(tmp_path):
    problem = checked([TOKENS], tmp_path, tokens=np.zeros((1, 2), np.int32))

    assert problem.field == "inputs.values.tokens"
    assert "array.astype(numpy.int64)" in problem.message


@pytest.mark.parametrize("shape", [(2,), (1, 2, 3), (1, 0)])
def test_a_shape_that_does_not_fit_is_refused(tmp_path, shape):
    problem = checked([TOKENS], tmp_path, tokens=np.zeros(shape, np.int64))

    assert problem.field == "inputs.values.tokens"


def test_a_declared_size_is_kept(tmp_path):
    image = TensorDescription("image", "float32", ("n", 3, 8, 8))

    problem = checked([image], tmp_path, image=np.zeros((1, 1, 8, 8), np.float32))

    assert "[1, 1, 8, 8]" in problem.message
    assert "[n, 3, 8, 8]" in problem.message


def test_the_past_may_be_empty(tmp_path):
    hint = InputHint(sizes=(None, 0), size_whys=("", "an empty past"), kinds=("", "past"))
    past = TensorDescription("past", "float32", ("n", "past"), hint)

    check_values([past], describe_values(saved(tmp_path, past=np.zeros((1, 0), np.float32))))


def test_a_shared_dimension_has_one_size(tmp_path):
    problem = checked(
        [TOKENS, MASK], tmp_path, tokens=np.zeros((1, 2), np.int64), mask=np.ones((1, 3), bool)
    )

    assert problem.field == "inputs.values.mask"
    assert "sequence" in problem.message


def test_the_batch_size_is_the_number_of_items_in_the_file(tmp_path):
    path = saved(tmp_path, tokens=np.zeros((4, 2), np.int64))

    problem = refusal(lambda: real_values(job(path), [TOKENS]))

    assert problem.field == "batch_size"
    assert "Set the batch size to 4" in problem.message
    assert batch_size_of([TOKENS], describe_values(path)) == 4
    assert real_values(job(path, batch_size=4), [TOKENS])["tokens"].shape == (4, 2)


def test_a_first_dimension_that_is_no_batch_says_no_batch_size(tmp_path):
    hint = InputHint(sizes=(16_000,), size_whys=("audio samples",), kinds=("audio",))
    sound = TensorDescription("sound", "float32", ("samples",), hint)
    path = saved(tmp_path, sound=np.zeros(800, np.float32))

    assert batch_size_of([sound], describe_values(path)) is None
    assert real_values(job(path), [sound])["sound"].shape == (800,)


def test_python_objects_are_never_unpickled(tmp_path):
    path = saved(tmp_path, texts=np.array(["a", "b"], dtype=object))

    problem = refusal(lambda: describe_values(path))

    assert problem.field == "inputs.values.texts"
    assert "dtype=str" in problem.message


def test_a_file_that_is_no_archive_is_refused(tmp_path):
    path = tmp_path / "inputs.npz"
    path.write_bytes(npy(np.zeros(3)))

    assert "numpy.savez" in refusal(lambda: describe_values(path)).message
    assert (
        "There is no file none.npz"
        in refusal(lambda: describe_values(tmp_path / "none.npz")).message
    )


def test_an_archive_without_arrays_is_refused(tmp_path):
    path = packed(tmp_path, {})

    assert "no arrays" in refusal(lambda: check_values([TOKENS], describe_values(path))).message


def test_a_bomb_is_refused_before_it_is_unpacked(tmp_path):
    path = packed(tmp_path, {"x.npy": bytes(MAX_VALUES_BYTES + 1)})

    assert path.stat().st_size < 10**6
    assert "MB are allowed" in refusal(lambda: describe_values(path)).message


@pytest.mark.parametrize(
    "members",
    [
        {"readme.txt": b"hello"},
        {f"x{place}.npy": npy(np.zeros(1)) for place in range(201)},
        {"x.npy": b"not an array"},
        {"x.npy": npy(np.zeros(3))[:-8]},
        {"x.npy": npy(np.zeros(3)) + bytes(8)},
        {"x.npy": npy(np.zeros(3)).replace(b"(3,)", b"(-3)")},
        {"x.npy": npy(np.zeros(3)).replace(b"(3,)", b"'xx'")},
        {"x.npy": npy(np.zeros(3)).replace(b"'shape'", b"((((((")},
        {"x.npy": b"\x93NUMPY\x02\x00" + struct.pack("<I", 2**31) + b"{"},
        {"x.npy": npy(np.zeros(3, np.complex64))},
    ],
)
def test_a_damaged_or_strange_file_ends_in_a_sentence(tmp_path, members):
    problem = refusal(lambda: describe_values(packed(tmp_path, members)))

    assert problem.field.startswith("inputs.values")
    assert problem.message.endswith(".")


def texts_of(digit_count):
    """An array of one text whose type says its length in so many digits."""
    told = "{'descr': '<U%s', 'fortran_order': False, 'shape': (1,)}\n" % ("9" * digit_count)
    return b"\x93NUMPY\x02\x00" + struct.pack("<I", len(told)) + told.encode()


@pytest.mark.parametrize("digit_count", [9, 10, 5_000])
def test_texts_of_an_absurd_length_end_in_a_sentence(tmp_path, digit_count):
    path = packed(tmp_path, {"x.npy": texts_of(digit_count)})

    assert refusal(lambda: describe_values(path)).field == "inputs.values.x"


def test_an_archive_packed_as_numpy_never_does_is_refused(tmp_path):
    path = tmp_path / "inputs.npz"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_LZMA) as archive:
        archive.writestr("x.npy", npy(np.zeros(3)))
    # The properties of LZMA, which begin after the length that is told here, are none.
    content = path.read_bytes()
    assert content.count(b"\x09\x04\x05\x00") == 1
    path.write_bytes(content.replace(b"\x09\x04\x05\x00\x5d", b"\x09\x04\x05\x00\xff"))

    assert "numpy does not write" in refusal(lambda: describe_values(path)).message


def a_directory_of(entry_count):
    """A ZIP file that is nothing but its list of so many files (PKWARE, APPNOTE 4.3.12)."""
    entry = struct.pack("<4s4B4HL2L5H2L", b"PK\x01\x02", 20, 3, 20, *[0] * 8, 1, *[0] * 6) + b"x"
    count, listed = entry_count & 0xFFFF, entry * entry_count
    return listed + struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, count, count, len(listed), 0, 0)


def test_an_archive_of_a_hundred_thousand_entries_is_refused_before_they_are_read(tmp_path):
    path = tmp_path / "inputs.npz"
    path.write_bytes(a_directory_of(100_000))
    tracemalloc.start()

    problem = refusal(lambda: describe_values(path))

    _, peak_bytes = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert "more than 200 arrays" in problem.message
    assert peak_bytes < 10 * 2**20


def test_a_damaged_payload_is_noticed_when_it_is_read(tmp_path):
    path = saved(tmp_path, tokens=np.arange(4_000).reshape(1, 4_000))
    content = bytearray(path.read_bytes())
    content[9_000] ^= 0xFF
    path.write_bytes(content)

    problem = refusal(lambda: real_values(job(path), [TOKENS]))

    assert problem.field == "inputs.values.tokens"


def test_a_check_needs_no_numpy(tmp_path):
    path = saved(tmp_path, tokens=np.zeros((1, 2), np.int64))
    code = (
        "import sys; from pathlib import Path; from runner.real_inputs import describe_values; "
        f"print(len(describe_values(Path({str(path)!r}))), 'numpy' in sys.modules)"
    )

    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert told.stdout.split() == ["1", "False"]
