"""What somebody needs to repeat a run elsewhere: the job, the engine, how to start it."""

import io
import json
from collections.abc import Iterator
from dataclasses import asdict, replace
from functools import cache
from importlib.metadata import version as installed_version
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZIP_STORED, ZipFile, ZipInfo

from django.core.files.storage import default_storage
from django.template.loader import render_to_string

import runner
from benchmarks.execution import job_of
from benchmarks.models import Run

MODEL_NAME = "model.onnx"
ENGINE_FOLDER = Path(runner.__file__).parent
BLOCK_BYTES = 2**20
# The earliest date that a zip file can hold: the same run gives the same bytes every day.
NO_DATE = (1980, 1, 1, 0, 0, 0)
FILE_MODE = 0o100644


class _Sink(io.RawIOBase):
    """Where a zip file is written to and taken from at once, so that none lies on the disk."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []

    def writable(self) -> bool:
        return True

    def write(self, part) -> int:
        self._parts.append(bytes(part))
        return len(part)

    def take(self) -> bytes:
        """Return what was written since the last time."""
        taken = b"".join(self._parts)
        self._parts.clear()
        return taken


def job_plain(run: Run) -> dict:
    """Return the job file of ``run`` as plain values; the model is looked for beside it."""
    return asdict(replace(job_of(run), onnx_path=MODEL_NAME, progress_path=None))


def job_text(run: Run) -> str:
    """Return the job file of ``run``."""
    return json.dumps(job_plain(run), indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def may_have_model(run: Run, user) -> bool:
    """Whether ``user`` may take the model's file along: whoever uploaded it."""
    return user.is_authenticated and run.version.onnx_model.owner_id == user.pk


def bundle_name(run: Run) -> str:
    """Return the name of the bundle of ``run``, without what a file's name ends with."""
    return f"carbonsite-run-{run.pk.hex[-12:]}"


def onnxruntime_version(run: Run) -> str:
    """Return the onnxruntime that measured ``run``, or the one that would."""
    measurement = getattr(run, "measurement", None)
    found = measurement.software.get("onnxruntime") if measurement else None
    return found or installed_version("onnxruntime")


def bundle(run: Run, *, with_model: bool) -> Iterator[bytes]:
    """Yield a zip file, part by part: one folder with all that repeating ``run`` takes.

    The same run gives the same bytes as long as the engine is the same.
    """
    folder = bundle_name(run)
    sink = _Sink()
    with ZipFile(sink, "w") as archive:
        for name, content in sorted(_small_files(run, with_model=with_model).items()):
            archive.writestr(_entry(f"{folder}/{name}", ZIP_DEFLATED), content)
            yield sink.take()
        if with_model:
            # Weights hardly shrink, and shrinking them would keep a web worker busy.
            entry = _entry(f"{folder}/{MODEL_NAME}", ZIP_STORED)
            entry.file_size = run.version.size_bytes
            with (
                default_storage.open(run.version.file.name) as source,
                archive.open(entry, "w") as target,
            ):
                while block := source.read(BLOCK_BYTES):
                    target.write(block)
                    yield sink.take()
    yield sink.take()


def _small_files(run: Run, *, with_model: bool) -> dict[str, bytes]:
    onnxruntime = onnxruntime_version(run)
    context = {
        "run": run,
        "measurement": getattr(run, "measurement", None),
        "with_model": with_model,
        "onnxruntime": onnxruntime,
        "model_name": MODEL_NAME,
    }
    texts = {
        "README.md": render_to_string("benchmarks/reproduce.md", context),
        "job.json": job_text(run),
        "requirements.txt": f"onnxruntime=={onnxruntime}\nnumpy\n",
        f"{MODEL_NAME}.sha256": f"{run.version.sha256}  {MODEL_NAME}\n",
    }
    return {name: text.encode() for name, text in texts.items()} | _engine_files()


@cache
def _engine_files() -> dict[str, bytes]:
    """Return the engine's source by its path in the bundle, as it is installed here."""
    return {
        f"{ENGINE_FOLDER.name}/{path.relative_to(ENGINE_FOLDER).as_posix()}": path.read_bytes()
        for path in sorted(ENGINE_FOLDER.rglob("*.py"))
    }


def _entry(name: str, compression: int) -> ZipInfo:
    entry = ZipInfo(name, date_time=NO_DATE)
    entry.compress_type = compression
    entry.external_attr = FILE_MODE << 16
    return entry
