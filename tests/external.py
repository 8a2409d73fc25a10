"""Models that keep their weights in files beside them, in the ways in which they are written."""

import io
import math
import tempfile
import zipfile
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from runner.onnx_files import OnnxFiles
from tests.runner.builders import light_model, model, value

MODEL = "model.onnx"
# How onnx.save may write one.
WAYS = {
    "all in one file": {"location": "weights.bin", "size_threshold": 0},
    "the large ones in one file": {"location": "model.onnx.data"},
    "a file for each": {"all_tensors_to_one_file": False, "size_threshold": 0},
    "attributes too": {"location": "w", "size_threshold": 0, "convert_attribute": True},
}


def parsed(made):
    """A model, which may be given as its bytes."""
    return onnx.load_from_string(made) if isinstance(made, bytes) else made


def saved_apart(made, **how) -> dict[str, bytes]:
    """What onnx.save makes of a model with external data: contents by the files' names."""
    how = how or WAYS["all in one file"]
    copy = onnx.ModelProto()
    copy.CopyFrom(parsed(made))
    with tempfile.TemporaryDirectory() as folder:
        onnx.save(copy, f"{folder}/{MODEL}", save_as_external_data=True, **how)
        return {path.name: path.read_bytes() for path in Path(folder).iterdir()}


def laid_out(contents, folder) -> OnnxFiles:
    """These files in a folder, under names of ours, as a job has them."""
    folder.mkdir(parents=True, exist_ok=True)
    data = {}
    for number, (name, content) in enumerate(sorted(contents.items())):
        path = folder / (MODEL if name == MODEL else f"data-{number}.bin")
        path.write_bytes(content)
        if name != MODEL:
            data[name] = path
    return OnnxFiles(folder / MODEL, data)


def data_paths(files: OnnxFiles) -> dict[str, str]:
    """The data files as a job names them."""
    return {name: str(path) for name, path in files.data.items()}


def zipped(contents, *, method=zipfile.ZIP_DEFLATED, folder="") -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as archive:
        for name, content in contents.items():
            archive.writestr(f"{folder}{name}", content)
    return buffer.getvalue()


def with_numbers(name):
    """One of the onnx package's models with weights of its own, which fit the layers.

    As shipped, its weights are filled in by nodes, and no file could hold them.
    """
    made = onnx.load(light_model(name))
    graph, random = made.graph, np.random.default_rng(0)
    shapes = {one.name: one for one in graph.initializer}
    kept = []
    for node in graph.node:
        if node.op_type != "ConstantOfShape" or node.input[0] not in shapes:
            kept.append(node)
            continue
        shape = tuple(int(size) for size in numpy_helper.to_array(shapes[node.input[0]]))
        numbers = random.normal(0, math.sqrt(2 / max(1, math.prod(shape[1:]))), shape)
        # Variances, which are among those of one dimension, are above 0.
        numbers = np.abs(numbers) / 100 + 0.5 if len(shape) == 1 else numbers
        graph.initializer.append(
            numpy_helper.from_array(numbers.astype(np.float32), node.output[0])
        )
    del graph.node[:]
    graph.node.extend(kept)
    return made


def apart(name, dims, dtype=TensorProto.FLOAT, **entries):
    """A tensor whose numbers lie elsewhere, as ``entries`` say."""
    tensor = TensorProto(name=name, dims=dims, data_type=dtype)
    tensor.data_location = TensorProto.EXTERNAL
    for key, text in entries.items():
        tensor.external_data.add(key=key, value=str(text))
    return tensor


def adding(weight, *, dtype=TensorProto.FLOAT):
    """x + w, for a weight of four numbers."""
    node = helper.make_node("Add", ["x", weight.name], ["y"])
    return model([node], [value("x", [4], dtype)], [value("y", [4], dtype)], [weight])
