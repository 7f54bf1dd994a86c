"""Write a network as an ONNX file from its layers and their numbers; no framework is started.

The course's live page runs such a file in the browser. Keras' own export brings TensorFlow and
tf2onnx, and its graph takes half as long again there: it lays maps as TensorFlow does, and turns
them round 54 times. Each function here computes what the layer of that name does in
`ivdlib.networks`, as in `openvino_graph`. Maps are (1, channels, height, width).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from ivdlib.training.layer_numbers import LayerNumbers

OPSET, IR = 15, 8
"""Versions of ONNX that older runtimes read, too."""

Layer = Mapping[str, Any]


def onnx_file(layers: Sequence[Layer], numbers: Mapping[str, np.ndarray]) -> bytes:
    """Bytes of an ONNX file that gives probabilities for one tile.

    Parameters
    ----------
    layers, numbers
        Of a weights file, see `weights_file.read_numbers`.

    Returns
    -------
    bytes
        Its input ``image`` is float32, (1, AP, SI, 1), what the network pads inside included, see
        `structure.layers_of`; its output ``probability`` is float32,
        (1, 1, AP, SI).
    """
    from onnx import TensorProto, checker, helper

    height, width, channels = layers[0]["shape"]
    nodes = _Nodes()
    turned = nodes.constant(np.int64([1, channels, height, width]))  # of one channel: no transpose
    results = [nodes("Reshape", "image", turned)]
    for layer in layers[1:]:
        weights = LayerNumbers(numbers, layer.get("weights", ""))
        inputs = [results[i] for i in layer["inputs"]]
        results.append(_KINDS[layer["kind"]](nodes, layer, weights, *inputs))
    nodes.listed.append(helper.make_node("Identity", [results[-1]], ["probability"]))
    ends = [
        helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)
        for name, shape in (
            ("image", [1, height, width, channels]),
            ("probability", [1, 1, *layers[-1]["shape"][:2]]),
        )
    ]
    graph = helper.make_graph(nodes.listed, "ivdlib", ends[:1], ends[1:], nodes.constants)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR)
    checker.check_model(model, full_check=True)
    return model.SerializeToString()


class _Nodes:
    """What is computed, in order, and the numbers for it; a call adds a node, gives its name."""

    def __init__(self) -> None:
        self.listed: list[Any] = []
        self.constants: list[Any] = []

    def __call__(self, kind: str, *inputs: str, **how: Any) -> str:
        from onnx import helper

        name = f"map_{len(self.listed)}"
        self.listed.append(helper.make_node(kind, inputs, [name], **how))
        return name

    def constant(self, array: np.ndarray) -> str:
        from onnx import numpy_helper

        name = f"numbers_{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(np.ascontiguousarray(array), name))
        return name

    def convolve(self, x: str, kernel: np.ndarray, summand: np.ndarray, groups: int = 1,
                 rate: int = 1, stride: int = 1) -> str:  # fmt: skip
        """Convolution with a kernel (filters, channels, side, side), zeros around the map."""
        return self(
            "Conv", x, self.constant(kernel), self.constant(summand), group=groups,
            pads=[kernel.shape[-1] // 2 * rate] * 4, dilations=[rate] * 2, strides=[stride] * 2,
        )  # fmt: skip

    def relu(self, x: str, wanted: bool) -> str:
        return self("Relu", x) if wanted else x


def _conv_norm(nodes: _Nodes, layer: Layer, weights: LayerNumbers, x: str) -> str:
    factor, summand = weights.normalisation(layer["epsilon"], "batch_norm")
    kernel = (weights(0) * factor).transpose(3, 2, 0, 1)
    x = nodes.relu(x, layer["relu"] == "before")
    x = nodes.convolve(x, kernel, summand, rate=layer["rate"], stride=layer["stride"])
    return nodes.relu(x, layer["relu"] == "after")


def _separable_conv(nodes: _Nodes, layer: Layer, weights: LayerNumbers, x: str) -> str:
    epsilon, relu = layer["epsilon"], layer["relu"]
    depthwise, pointwise = weights(0), weights(1)
    groups = depthwise.shape[2]
    kernel = depthwise.transpose(2, 3, 0, 1).reshape(-1, 1, *depthwise.shape[:2])
    factor, summand = np.ones(len(kernel), np.float32), np.zeros(len(kernel), np.float32)
    if layer["norm_between"]:
        factor, summand = weights.normalisation(epsilon, "depthwise_norm")
    x = nodes.relu(x, relu == "before")
    kernel = kernel * factor.reshape(-1, 1, 1, 1)
    x = nodes.convolve(x, kernel, summand, groups, layer["rate"], layer["stride"])
    x = nodes.relu(x, relu == "inside")
    factor, summand = weights.normalisation(epsilon, "pointwise_norm")
    x = nodes.convolve(x, (pointwise * factor).transpose(3, 2, 0, 1), summand)
    return nodes.relu(x, relu in ("inside", "after"))


def _conv2d_transpose(nodes: _Nodes, layer: Layer, weights: LayerNumbers, x: str) -> str:
    kernel = weights(0).transpose(3, 2, 0, 1)
    both = nodes.constant(kernel), nodes.constant(weights(1))
    return nodes("ConvTranspose", x, *both, strides=kernel.shape[2:])


def _batch_norm(nodes: _Nodes, layer: Layer, weights: LayerNumbers, x: str) -> str:
    both = weights.normalisation(layer["epsilon"])
    factor, summand = (nodes.constant(part.reshape(1, -1, 1, 1)) for part in both)
    return nodes("Add", nodes("Mul", x, factor), summand)


def _bilinear_upsampling(nodes: _Nodes, layer: Layer, weights: LayerNumbers, x: str) -> str:
    scales = nodes.constant(np.float32([1, 1, layer["factor"], layer["factor"]]))
    places = "asymmetric" if layer["aligned"] else "half_pixel"
    return nodes("Resize", x, "", scales, mode="linear", coordinate_transformation_mode=places)


def _spread(nodes: _Nodes, layer: Layer, weights: LayerNumbers, x: str) -> str:
    height, width, channels = layer["shape"]  # of a map of one pixel
    return nodes("Expand", x, nodes.constant(np.int64([1, channels, height, width])))


_KINDS: dict[str, Callable[..., str]] = {
    "SeparableConv": _separable_conv,
    "ConvNorm": _conv_norm,
    "Conv2D": lambda n, _, w, x: n.convolve(x, w(0).transpose(3, 2, 0, 1), w(1)),
    "Conv2DTranspose": _conv2d_transpose,
    "BatchNorm": _batch_norm,
    "Activation": lambda n, layer, _, x: n(layer["function"].capitalize(), x),
    "MaxPooling2D": lambda n, _, __, x: n("MaxPool", x, kernel_shape=[2, 2], strides=[2, 2]),
    "BilinearUpsampling": _bilinear_upsampling,
    "UpSampling2D": _spread,
    "GlobalAveragePooling2D": lambda n, _, __, x: n("GlobalAveragePool", x),
    "Concatenate": lambda n, _, __, *inputs: n("Concat", *inputs, axis=1),
    "Add": lambda n, _, __, a, b: n("Add", a, b),
}
