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
from runner.sample_models import lenet5

OPSET = 17
IR_VERSION = 8
TREE_COUNT, TREE_DEPTH, FEATURE_COUNT = 100, 6, 16
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
    for name, content in (("multiply", _multiply()), ("trees", _trees()), ("lenet5", lenet5())):
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


def _trees() -> bytes:
    """100 full trees of depth 6 over 16 features; every threshold is hit half of the time."""
    inner_count = 2**TREE_DEPTH - 1
    inner = [(tree, node) for tree in range(TREE_COUNT) for node in range(inner_count)]
    leaves = [
        (tree, node)
        for tree in range(TREE_COUNT)
        for node in range(inner_count, 2 * inner_count + 1)
    ]
    nodes = sorted([(*place, True) for place in inner] + [(*place, False) for place in leaves])
    ensemble = helper.make_node(
        "TreeEnsembleRegressor",
        ["x"],
        ["y"],
        domain="ai.onnx.ml",
        n_targets=1,
        nodes_treeids=[tree for tree, _, _ in nodes],
        nodes_nodeids=[node for _, node, _ in nodes],
        nodes_modes=["BRANCH_LEQ" if is_inner else "LEAF" for _, _, is_inner in nodes],
        nodes_featureids=[(7 * tree + node) % FEATURE_COUNT for tree, node, _ in nodes],
        nodes_values=[0.5] * len(nodes),
        nodes_truenodeids=[2 * node + 1 if is_inner else 0 for _, node, is_inner in nodes],
        nodes_falsenodeids=[2 * node + 2 if is_inner else 0 for _, node, is_inner in nodes],
        target_treeids=[tree for tree, _ in leaves],
        target_nodeids=[node for _, node in leaves],
        target_ids=[0] * len(leaves),
        target_weights=[float(node) for _, node in leaves],
    )
    x = helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, FEATURE_COUNT])
    y = helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, 1])
    graph = helper.make_graph([ensemble], "trees", [x], [y])
    opsets = [helper.make_opsetid("", OPSET), helper.make_opsetid("ai.onnx.ml", 3)]
    made = helper.make_model(graph, opset_imports=opsets)
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
