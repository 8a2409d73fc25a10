"""What somebody needs to repeat a run elsewhere: the job, the engine, how to start it."""

import io
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from functools import cache
from importlib.metadata import version as installed_version
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZIP_STORED, ZipFile, ZipInfo

from django.core.files.storage import default_storage
from django.template.loader import render_to_string

import runner
from benchmarks.data_files import DataFile
from benchmarks.execution import MODEL_NAME, VALUES_NAME, job_of, named_data_files
from benchmarks.exports import markdown_text
from benchmarks.models import InputSet, ModelVersion, Run
from runner.providers import CUDA_NAME

ENGINE_FOLDER = Path(runner.__file__).parent
BLOCK_BYTES = 2**20
# The earliest date that a zip file can hold: the same run gives the same bytes every day.
NO_DATE = (1980, 1, 1, 0, 0, 0)
FILE_MODE = 0o100644
# A release as pip knows it (PEP 440), and nothing else that a line of requirements may say.
VERSION = re.compile(r"[0-9]+(\.[0-9]+){1,3}([.+]?[a-z]{1,8}[0-9]{0,8})?")

Stored = ModelVersion | DataFile | InputSet


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
    """Return the job file of ``run`` as plain values; the files it names lie beside it."""
    return asdict(job_of(run))


def job_text(run: Run) -> str:
    """Return the job file of ``run``."""
    return json.dumps(job_plain(run), indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def files_for(run: Run, user) -> dict[str, Stored]:
    """Return the stored files that ``user`` may take along, by their names in the bundle.

    The model goes to whoever uploaded it, real inputs to those who may download them.
    """
    files: dict[str, Stored] = {}
    if user.is_authenticated and run.version.onnx_model.owner_id == user.pk:
        files |= {MODEL_NAME: run.version, **named_data_files(run)}
    if run.input_set_id is not None:
        for input_set in InputSet.objects.visible_to(user).filter(pk=run.input_set_id):
            files[VALUES_NAME] = input_set
    return files


def bundle_name(run: Run) -> str:
    """Return the name of the bundle of ``run``, without what a file's name ends with."""
    return f"carbonsite-run-{run.pk.hex[-12:]}"


def onnxruntime_version(run: Run) -> str:
    """Return the onnxruntime that measured ``run``, or the one that would."""
    measurement = getattr(run, "measurement", None)
    found = measurement.software.get("onnxruntime") if measurement else None
    # The child says it, whom a model may have taken over; somebody will install it.
    is_known = found is not None and VERSION.fullmatch(found)
    return found if is_known else installed_version("onnxruntime")


def bundle(run: Run, files: Mapping[str, Stored], *, is_told: bool) -> Iterator[bytes]:
    """Yield a zip file, part by part: one folder with all that repeating ``run`` takes.

    ``files`` are those of ``files_for``; ``is_told`` is whether name and hash of the real inputs
    are for whoever asks. The same run gives the same bytes as long as the engine is the same.
    """
    folder = bundle_name(run)
    sink = _Sink()
    with ZipFile(sink, "w") as archive:
        for name, content in sorted(_small_files(run, files, is_told=is_told).items()):
            archive.writestr(_entry(f"{folder}/{name}", ZIP_DEFLATED), content)
            yield sink.take()
        for name, row in files.items():
            # Weights hardly shrink, and shrinking them would keep a web worker busy.
            entry = _entry(f"{folder}/{name}", ZIP_STORED)
            entry.file_size = row.size_bytes
            with (
                default_storage.open(row.file.name) as source,
                archive.open(entry, "w") as target,
            ):
                while block := source.read(BLOCK_BYTES):
                    target.write(block)
                    yield sink.take()
    yield sink.take()


def _small_files(run: Run, files: Mapping[str, Stored], *, is_told: bool) -> dict[str, bytes]:
    onnxruntime, onnx = onnxruntime_version(run), installed_version("onnx")
    measurement = getattr(run, "measurement", None)
    data_files = named_data_files(run)
    package = _runtime_package(run)
    context = {
        "run": run,
        # Whoever follows the instructions must not be led by somebody's names.
        "title": markdown_text(str(run.version)),
        "values_label": markdown_text(run.values_name) if is_told else "",
        "cpu": markdown_text(measurement.machine.get("cpu", "")) if measurement else "",
        "measurement": measurement,
        "with_model": MODEL_NAME in files,
        "with_values": VALUES_NAME in files,
        "onnxruntime": onnxruntime,
        "model_name": MODEL_NAME,
        "values_name": VALUES_NAME,
        "data_files": {name: markdown_text(row.name) for name, row in data_files.items()},
    }
    texts = {
        "README.md": render_to_string("benchmarks/reproduce.md", context),
        "job.json": job_text(run),
        # What stands in for open sizes and values is read from the model's file with onnx.
        "requirements.txt": f"{package}=={onnxruntime}\nonnx=={onnx}\nnumpy\n",
        f"{MODEL_NAME}.sha256": "".join(
            f"{row.sha256}  {name}\n"
            for name, row in {MODEL_NAME: run.version, **data_files}.items()
        ),
    }
    if run.values_name and is_told:
        texts[f"{VALUES_NAME}.sha256"] = f"{run.values_sha256}  {VALUES_NAME}\n"
    return {name: text.encode() for name, text in texts.items()} | _engine_files()


def _runtime_package(run: Run) -> str:
    """The package that brings the provider which measured: the plain one knows no GPU."""
    measurement = getattr(run, "measurement", None)
    provider = measurement.software.get("provider") if measurement else None
    return "onnxruntime-gpu" if provider == CUDA_NAME else "onnxruntime"


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
