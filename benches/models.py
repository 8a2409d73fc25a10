"""The models that the engine is compared on, from microseconds to hundreds of milliseconds."""

import subprocess
import sys
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import onnx
from onnx import TensorProto, helper

from runner.job import InputChoices
from runner.sample_models import lenet5, mlp

OPSET = 17
IR_VERSION = 8
SHIPPED = Path(onnx.__file__).parent / "backend" / "test" / "data" / "light"
SHIPPED_NAMES = ("shufflenet", "squeezenet", "resnet50", "vgg19")
SILERO_FILE = "silero_vad/data/silero_vad.onnx"
SILERO_INPUTS = InputChoices(
    shapes={"input": (1, 512), "state": (2, 1, 128)}, ranges={"sr": (16_000, 16_000)}
)


@dataclass(frozen=True, slots=True)
class Subject:
    """A model's file and what is chosen of its inputs."""

    name: str
    path: Path
    inputs: InputChoices


def subjects(folder: Path) -> Iterator[Subject]:
    """Yield the models that can be had, written below ``folder`` where they are made or fetched."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in (("multiply", _multiply()), ("mlp", mlp()), ("lenet5", lenet5())):
        path = folder / f"{name}.onnx"
        path.write_bytes(content)
        yield Subject(name, path, InputChoices())
    silero = _fetched_silero(folder)
    if silero is not None:
        yield Subject("silero-vad", silero, SILERO_INPUTS)
    for name in SHIPPED_NAMES:
        yield Subject(name, SHIPPED / f"light_{name}.onnx", InputChoices())


def _multiply() -> bytes:
    x, y = (helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, 4]) for name in "xy")
    graph = helper.make_graph([helper.make_node("Mul", ["x", "x"], ["y"])], "multiply", [x], [y])
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)])
    made.ir_version = IR_VERSION
    return made.SerializeToString()


def _fetched_silero(folder: Path) -> Path | None:
    path = folder / SILERO_FILE
    if path.exists():
        return path
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps"]
    try:
        subprocess.run([*command, "--dest", str(folder), "silero-vad"], check=True, timeout=120)
        wheel = next(folder.glob("silero_vad-*.whl"))
        with zipfile.ZipFile(wheel) as archive:
            archive.extract(SILERO_FILE, folder)
    except (subprocess.SubprocessError, StopIteration, KeyError) as error:
        print(f"SKIPPED silero-vad: it could not be fetched ({error}).")
        return None
    return path
