"""The two models of the article behind this project, built here so that no file is shipped."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from onnx import ModelProto, NodeProto, TensorProto, helper, numpy_helper

# Old enough for every runtime in use, and new enough for all that these models need.
OPSET = 13
IR_VERSION = 8
SEED = 20_240_101
MLP_SIZES = (784, 512, 256, 120, 84, 10)


class _Builder:
    """Strings layers together, each fed by the one before."""

    def __init__(self) -> None:
        self._random = np.random.default_rng(SEED)
        self.nodes: list[NodeProto] = []
        self.weights: list[TensorProto] = []
        self.last = "image"

    def layer(self, operator: str, *weights: str, **attributes: Any) -> None:
        name = f"{operator.lower()}_{len(self.nodes)}"
        node = helper.make_node(operator, [self.last, *weights], [name], name=name, **attributes)
        self.nodes.append(node)
        self.last = name

    def convolution(self, *, inputs: int, outputs: int, kernel: int) -> None:
        weight = self._weight((outputs, inputs, kernel, kernel))
        self.layer("Conv", weight, self._weight((outputs,)), kernel_shape=[kernel, kernel])
        self.layer("Relu")

    def pool(self) -> None:
        self.layer("MaxPool", kernel_shape=[2, 2], strides=[2, 2])

    def dense(self, *, inputs: int, outputs: int) -> None:
        self.layer("Gemm", self._weight((outputs, inputs)), self._weight((outputs,)), transB=1)

    def dense_stack(self, sizes: Sequence[int]) -> None:
        """Add dense layers of these sizes, with a Relu between each two."""
        for place, (inputs, outputs) in enumerate(zip(sizes, sizes[1:], strict=False)):
            if place:
                self.layer("Relu")
            self.dense(inputs=inputs, outputs=outputs)

    def model(self, name: str, image_shape: Sequence[int]) -> bytes:
        """Return the file: an image in, ten scores out, a free batch dimension."""
        self.nodes[-1].output[0] = "scores"
        graph = helper.make_graph(
            self.nodes,
            name,
            [helper.make_tensor_value_info("image", TensorProto.FLOAT, ["batch", *image_shape])],
            [helper.make_tensor_value_info("scores", TensorProto.FLOAT, ["batch", 10])],
            self.weights,
        )
        model: ModelProto = helper.make_model(
            graph, producer_name="carbonsite", opset_imports=[helper.make_opsetid("", OPSET)]
        )
        model.ir_version = IR_VERSION
        return bytes(model.SerializeToString(deterministic=True))

    def _weight(self, shape: tuple[int, ...]) -> str:
        name = f"weight_{len(self.weights)}"
        values: NDArray[np.float32] = self._random.normal(0, 0.1, shape).astype(np.float32)
        self.weights.append(numpy_helper.from_array(values, name))
        return name


def lenet5() -> bytes:
    """Return LeNet-5 for 28x28 pictures: 44,426 parameters, 281,640 multiply-accumulates."""
    builder = _Builder()
    builder.convolution(inputs=1, outputs=6, kernel=5)
    builder.pool()
    builder.convolution(inputs=6, outputs=16, kernel=5)
    builder.pool()
    builder.layer("Flatten", axis=1)
    builder.dense_stack((256, 120, 84, 10))
    return builder.model("lenet5", (1, 28, 28))


def mlp() -> bytes:
    """Return the MLP 784-512-256-120-84-10: 575,102 parameters, 574,120 multiply-accumulates."""
    builder = _Builder()
    builder.dense_stack(MLP_SIZES)
    return builder.model("mlp", (MLP_SIZES[0],))
