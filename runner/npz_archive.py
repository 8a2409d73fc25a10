"""An ``.npz`` as an archive: opened and counted without trusting what it says of itself."""

import zipfile
import zlib
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from io import BufferedReader
from pathlib import Path

from runner.errors import InputProblem
from runner.given_files import open_given

FIELD = "inputs.values"
MAX_MEMBER_COUNT = 200
# All arrays together, unpacked: with it a zip bomb is no larger than honest data.
MAX_VALUES_BYTES = 256 * 2**20
# Many times what an archive's directory of so many arrays takes.
MAX_DIRECTORY_BYTES = 2**20
# How numpy packs arrays; what unpacks the others fails with errors of its own.
_PACKINGS = {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}
ZIP_ERRORS = (zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError)


class _Sparingly(BufferedReader):
    """A file of which only so much is read until ``left_bytes`` is None.

    Python makes an object of each entry of an archive's directory before anybody can count
    them: of two gigabytes of entries, forty million.
    """

    left_bytes: int | None = MAX_DIRECTORY_BYTES

    def read(self, size: int | None = -1, /) -> bytes:
        """Return up to ``size`` bytes; raises InputProblem when all that may be read was."""
        if self.left_bytes is None:
            return super().read(size)
        most_bytes = self.left_bytes + 1
        found = super().read(most_bytes if size is None or size < 0 else min(size, most_bytes))
        self.left_bytes -= len(found)
        if self.left_bytes < 0:
            raise _too_many_arrays()
        return found


@contextmanager
def opened(path: Path) -> Iterator[zipfile.ZipFile]:
    """Give the archive at ``path``; raises InputProblem when it is none, or far too large a one."""
    with ExitStack() as stack:
        try:
            file = stack.enter_context(_Sparingly(open_given(path)))
            archive = stack.enter_context(zipfile.ZipFile(file))
            file.left_bytes = None
        except FileNotFoundError as error:
            raise InputProblem(
                FIELD, f"There is no file {path.name}. Put the real inputs of this job there."
            ) from error
        except (OSError, ValueError, *ZIP_ERRORS) as error:
            raise _no_archive() from error
        yield archive


def _no_archive() -> InputProblem:
    return InputProblem(
        FIELD,
        "This is no .npz file. Save the arrays with "
        'numpy.savez("inputs.npz", NAME=array), each called like its input.',
    )


def _too_many_arrays() -> InputProblem:
    return InputProblem(
        FIELD, f"The file holds more than {MAX_MEMBER_COUNT} arrays. Leave some out."
    )


def check_members(members: Sequence[zipfile.ZipInfo]) -> None:
    """Raise InputProblem when ``members`` are no arrays as numpy packs them, or too many."""
    if len(members) > MAX_MEMBER_COUNT:
        raise _too_many_arrays()
    if any(member.compress_type not in _PACKINGS for member in members):
        raise InputProblem(
            FIELD,
            "The file is packed in a way that numpy does not write. Save the arrays with "
            "numpy.savez or numpy.savez_compressed.",
        )
    names = [member.filename for member in members]
    for name in names:
        if not name.endswith(".npy") or names.count(name) > 1:
            raise InputProblem(
                FIELD,
                f"The file holds “{name[:100]}”, which is no array or is there twice. "
                "Save the arrays with numpy.savez.",
            )
    total = sum(member.file_size for member in members)
    if total > MAX_VALUES_BYTES:
        raise InputProblem(
            FIELD,
            f"The arrays take {total / 1e6:,.0f} MB unpacked; {MAX_VALUES_BYTES / 1e6:,.0f} MB "
            "are allowed. Use fewer items.",
        )
