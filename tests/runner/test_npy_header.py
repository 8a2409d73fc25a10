"""What an array file says of itself: read as numpy reads it, whoever wrote it."""

import io
import struct

import numpy as np
import pytest

from runner.npy_header import MAX_HEADER_BYTES, NpyHeader, read_header


def file_of(text, *, version=1):
    """The start of an array file with this header."""
    header = text.encode()
    length = struct.pack("<H" if version == 1 else "<I", len(header))
    return io.BytesIO(b"\x93NUMPY" + bytes((version, 0)) + length + header + bytes(64))


def read(text, **more):
    return read_header(file_of(text, **more))


@pytest.mark.parametrize(
    "array",
    [
        *(np.zeros((), np.float32), np.zeros(3, np.int64), np.zeros((2, 3, 4), ">i2")),
        *(np.zeros((0, 7), bool), np.asfortranarray(np.zeros((4, 5))), np.array(["ab", "c"])),
    ],
)
def test_what_numpy_writes_is_read_as_numpy_reads_it(array):
    file = io.BytesIO()
    np.save(file, array)
    file.seek(0)

    header = read_header(file)

    assert (np.dtype(header.code), header.shape) == (array.dtype, array.shape)
    assert header.is_by_columns == (array.flags.f_contiguous and not array.flags.c_contiguous)
    assert header.byte_count == file.tell() == len(file.getvalue()) - array.nbytes


@pytest.mark.parametrize(
    "text",
    [
        "{'shape': (2, 3), 'fortran_order': True, 'descr': '<f4'}",
        '{"descr":"<f4","fortran_order":False,"shape":(2,3)}',
        "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3,), }   \n",
    ],
)
def test_other_writers_spell_it_otherwise(text):
    assert read(text, version=2) == NpyHeader("<f4", (2, 3), 12 + len(text), "True" in text)


def test_an_array_of_records_has_no_code():
    text = "{'descr': [('a', '<f4'), ('b', [('c', 'O')])], 'fortran_order': False, 'shape': (2,), }"

    assert read(text).code is None


@pytest.mark.parametrize(
    "text",
    [
        *("", "{", "{}", "None", "__import__('os')"),
        "{'descr': '<f4', 'fortran_order': False}",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (3)}",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (-3,)}",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (3,,)}",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (1 2,)}",
        "{'descr': '<f4', 'fortran_order': False, 'shape': '3'}",
        "{'descr': True, 'fortran_order': False, 'shape': (3,)}",
        "{'descr': '<f4', 'fortran_order': 0, 'shape': (3,)}",
        "{'descr': '<f4', 'descr': '<f8', 'fortran_order': False, 'shape': (3,)}",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (3,)} or 1",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (3,), 'more': True}",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (%s,)}" % ("9" * 5_000),
        "{'descr': '<U%s', 'fortran_order': False, 'shape': (3,)}" % ("9" * 5_000),
        "(" * 5_000,
        " " * MAX_HEADER_BYTES,
    ],
)
def test_what_is_no_header_is_refused(text):
    with pytest.raises(ValueError):
        read(text)


@pytest.mark.parametrize(
    "start", [b"", b"\x93NUMP", b"\x93NUMPY\x09\x00", b"\x93NUMPY\x02\x00" + b"\xff" * 4 + b"{"]
)
def test_what_does_not_begin_as_an_array_file_is_refused(start):
    with pytest.raises(ValueError):
        read_header(io.BytesIO(start))
