"""EfficientNet-Lite0 without its last, classifying layer, as an ONNX model.

The architecture is that of Tan and Le, "EfficientNet: Rethinking Model Scaling for Convolutional
Neural Networks" (ICML 2019), in its variant without squeeze-and-excitation and with ReLU6
(TensorFlow's EfficientNet-Lite). Batch normalisation is folded into the convolutions. Pads are
written out: TensorFlow pads an even side at its end only, and OpenCV 5.0 takes ONNX's
`auto_pad=SAME_UPPER` for something else without saying so.
"""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from loupe_local.vision.weights import Weights

FEATURES = 1280
EPSILON = 1e-3
"""Of batch normalisation."""
OPSET = 17
STRIDES = (1, 2, 1, 2, 1, 2, 1, 1, 1, 1, 1, 2, 1, 1, 1, 1)
"""Of the sixteen blocks."""

Array = NDArray[np.float32]


@dataclass
class _Graph:
    """Nodes and arrays so far; every node's output is named for the node."""

    nodes: list[Any] = field(default_factory=list)
    arrays: list[Any] = field(default_factory=list)

    def add(self, kind: str, name: str, inputs: list[str], **attributes: Any) -> str:
        self.nodes.append(helper.make_node(kind, inputs, [name], name, **attributes))
        return name

    def constant(self, name: str, values: Array) -> str:
        self.arrays.append(numpy_helper.from_array(np.array(values, order="C"), name))
        return name

    def convolve(self, name: str, source: str, kernel: Array, bias: Array, stride: int) -> str:
        """A convolution with TensorFlow's padding SAME of an even side; depthwise if it is thin."""
        inputs = [source, self.constant(f"{name}.w", kernel), self.constant(f"{name}.b", bias)]
        side = kernel.shape[2]
        pad = max(side - stride, 0)
        begin, end = pad // 2, pad - pad // 2
        return self.add(
            "Conv",
            name,
            inputs,
            kernel_shape=[side, side],
            strides=[stride, stride],
            pads=[begin, begin, end, end],
            group=kernel.shape[0] if kernel.shape[1] == 1 else 1,
        )

    def relu6(self, source: str) -> str:
        return self.add("Clip", f"{source}.relu6", [source, "zero", "six"])


def to_onnx(weights: Weights) -> bytes:
    """The model: float input `pixels` (n, 3, side, side) -> `features` (n, 1280).

    Pixels are RGB, (value - 127) / 128; the side is a multiple of 32.
    """
    graph = _Graph()
    graph.constant("zero", np.array(0, np.float32))
    graph.constant("six", np.array(6, np.float32))
    at = graph.relu6(graph.convolve("stem", "pixels", *_folded(weights, "_conv_stem", "_bn0"), 2))
    for index, stride in enumerate(STRIDES):
        at = _block(graph, weights, index, stride, at)
    at = graph.relu6(graph.convolve("head", at, *_folded(weights, "_conv_head", "_bn1"), 1))
    pooled = graph.add("GlobalAveragePool", "pool", [at])
    graph.add("Flatten", "features", [pooled], axis=1)
    return _serialised(graph)


def _block(graph: _Graph, weights: Weights, index: int, stride: int, source: str) -> str:
    """An inverted residual block: widen, convolve each channel, narrow; added to its input."""
    name = f"_blocks.{index}."
    at = source
    if f"{name}_expand_conv.weight" in weights:
        folded = _folded(weights, f"{name}_expand_conv", f"{name}_bn0")
        at = graph.relu6(graph.convolve(f"{index}.expand", at, *folded, 1))
    folded = _folded(weights, f"{name}_depthwise_conv", f"{name}_bn1")
    at = graph.relu6(graph.convolve(f"{index}.depthwise", at, *folded, stride))
    kernel, bias = _folded(weights, f"{name}_project_conv", f"{name}_bn2")
    at = graph.convolve(f"{index}.project", at, kernel, bias, 1)
    before = weights[f"_blocks.{index - 1}._project_conv.weight"].shape[0] if index else 0
    if stride == 1 and before == kernel.shape[0]:
        at = graph.add("Add", f"{index}.sum", [at, source])
    return at


def _folded(weights: Weights, convolution: str, norm: str) -> tuple[Array, Array]:
    """Kernel and bias of a convolution together with the batch normalisation that follows it."""
    scale = weights[f"{norm}.weight"] / np.sqrt(weights[f"{norm}.running_var"] + EPSILON)
    kernel = weights[f"{convolution}.weight"] * scale[:, None, None, None]
    bias = weights[f"{norm}.bias"] - weights[f"{norm}.running_mean"] * scale
    return kernel.astype(np.float32), bias.astype(np.float32)


def _serialised(graph: _Graph) -> bytes:
    pixels = helper.make_tensor_value_info("pixels", TensorProto.FLOAT, ["n", 3, "height", "width"])
    features = helper.make_tensor_value_info("features", TensorProto.FLOAT, ["n", FEATURES])
    whole = helper.make_graph(
        graph.nodes, "efficientnet-lite0", [pixels], [features], initializer=graph.arrays
    )
    opset = helper.make_operatorsetid("", OPSET)
    return bytes(helper.make_model(whole, opset_imports=[opset]).SerializeToString())
