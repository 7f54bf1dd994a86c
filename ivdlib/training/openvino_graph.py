"""Build OpenVINO's graph of a network from its layers and their numbers; no framework is started.

Each function here computes what the layer of that name does in `ivdlib.networks` (tests hold them
together). Maps are (batch, channels, height, width) within the graph, as OpenVINO likes them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from openvino import Model
from openvino import opset13 as ops

from ivdlib.training.layer_numbers import LayerNumbers

Layer = Mapping[str, Any]
Numbers = Mapping[str, np.ndarray]


def graph(layers: Sequence[Layer], numbers: Numbers) -> Model:
    """Build the graph.

    Parameters
    ----------
    layers : sequence of dict
        See `ivdlib.networks.structure.layers_of`.
    numbers : mapping of str to ndarray
        Arrays of the weights file by their names in it.

    Returns
    -------
    openvino.Model
        Tiles (1, AP, SI, channels), float32, to probabilities (1, AP, SI, 1); what the network pads
        inside is to be put round the tiles, see `openvino_model`.
    """
    image = ops.parameter([1, *layers[0]["shape"]], np.float32)
    results = [ops.transpose(image, [0, 3, 1, 2])]
    for layer in layers[1:]:
        inputs = [results[i] for i in layer["inputs"]]
        weights = LayerNumbers(numbers, layer.get("weights", ""))
        results.append(_KINDS[layer["kind"]](layer, weights, *inputs))
    return Model([ops.transpose(results[-1], [0, 2, 3, 1])], [image])


def _plus(x: Any, channels: np.ndarray) -> Any:
    return ops.add(x, channels.reshape(1, -1, 1, 1))


def _convolve(x: Any, kernel: np.ndarray, layer: Layer | None = None, grouped: bool = False) -> Any:
    """Convolution with a kernel (filters, channels, side, side), zeros around the map."""
    rate, stride = (layer["rate"], layer["stride"]) if layer else (1, 1)
    margin = [kernel.shape[-1] // 2 * rate] * 2
    convolution = ops.group_convolution if grouped else ops.convolution
    return convolution(x, kernel, [stride] * 2, margin, margin, [rate] * 2)


def _conv_norm(layer: Layer, weights: LayerNumbers, x: Any) -> Any:
    factor, summand = weights.normalisation(layer["epsilon"], "batch_norm")
    x = ops.relu(x) if layer["relu"] == "before" else x
    x = _plus(_convolve(x, (weights(0) * factor).transpose(3, 2, 0, 1), layer), summand)
    return ops.relu(x) if layer["relu"] == "after" else x


def _separable_conv(layer: Layer, weights: LayerNumbers, x: Any) -> Any:
    epsilon, relu = layer["epsilon"], layer["relu"]
    depthwise, pointwise = weights(0), weights(1)
    x = ops.relu(x) if relu == "before" else x
    kernel = depthwise.transpose(2, 3, 0, 1)[:, :, None]  # channels, filters of each, 1, 3, 3
    x = _convolve(x, np.ascontiguousarray(kernel), layer, grouped=True)
    if layer["norm_between"]:
        factor, summand = weights.normalisation(epsilon, "depthwise_norm")
        x = _plus(ops.multiply(x, factor.reshape(1, -1, 1, 1)), summand)
    x = ops.relu(x) if relu == "inside" else x
    factor, summand = weights.normalisation(epsilon, "pointwise_norm")
    x = _plus(_convolve(x, (pointwise * factor).transpose(3, 2, 0, 1)), summand)
    return ops.relu(x) if relu in ("inside", "after") else x


def _conv2d(layer: Layer, weights: LayerNumbers, x: Any) -> Any:
    return _plus(_convolve(x, np.ascontiguousarray(weights(0).transpose(3, 2, 0, 1))), weights(1))


def _conv2d_transpose(layer: Layer, weights: LayerNumbers, x: Any) -> Any:
    kernel = np.ascontiguousarray(weights(0).transpose(3, 2, 0, 1))
    none, side = [0, 0], list(kernel.shape[2:])
    x = ops.convolution_backprop_data(
        x, kernel, strides=side, pads_begin=none, pads_end=none, dilations=[1, 1]
    )
    return _plus(x, weights(1))


def _batch_norm(layer: Layer, weights: LayerNumbers, x: Any) -> Any:
    factor, summand = weights.normalisation(layer["epsilon"])
    return _plus(ops.multiply(x, factor.reshape(1, -1, 1, 1)), summand)


def _activation(layer: Layer, weights: LayerNumbers, x: Any) -> Any:
    if layer["function"] == "softmax":
        return ops.softmax(x, 1)
    return {"relu": ops.relu, "sigmoid": ops.sigmoid}[layer["function"]](x)


def _max_pooling2d(layer: Layer, weights: LayerNumbers, x: Any) -> Any:
    return ops.max_pool(x, [2, 2], [1, 1], [0, 0], [0, 0], [2, 2]).output(0)


def _bilinear_upsampling(layer: Layer, weights: LayerNumbers, x: Any) -> Any:
    factor = [float(layer["factor"])] * 2
    return ops.interpolate(
        x, np.float32(factor), "linear_onnx", "scales", axes=np.int64([2, 3]),
        coordinate_transformation_mode="asymmetric" if layer["aligned"] else "half_pixel",
    )  # fmt: skip


def _spread(layer: Layer, weights: LayerNumbers, x: Any) -> Any:
    height, width, channels = layer["shape"]  # of a map of one pixel
    return ops.broadcast(x, [1, channels, height, width])


_KINDS: dict[str, Callable[..., Any]] = {
    "SeparableConv": _separable_conv,
    "ConvNorm": _conv_norm,
    "Conv2D": _conv2d,
    "Conv2DTranspose": _conv2d_transpose,
    "BatchNorm": _batch_norm,
    "Activation": _activation,
    "MaxPooling2D": _max_pooling2d,
    "BilinearUpsampling": _bilinear_upsampling,
    "UpSampling2D": _spread,
    "GlobalAveragePooling2D": lambda _, __, x: ops.reduce_mean(x, [2, 3], keep_dims=True),
    "Concatenate": lambda _, __, *inputs: ops.concat([*inputs], 1),
    "Add": lambda _, __, a, b: ops.add(a, b),
    # The softmax's second channel, see `fds_cnn`.
    "GetItem": lambda _, __, x: ops.slice(x, [1], [2], [1], [1]),
}
