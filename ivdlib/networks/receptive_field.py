"""How much of the image an output pixel of a network sees, followed back through its graph."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import keras

from ivdlib.errors import ConfigError
from ivdlib.networks.convolution import ConvNorm, SeparableConv
from ivdlib.networks.resize import BilinearUpsampling

WEIGHTED = (
    SeparableConv,
    ConvNorm,
    keras.layers.Conv2D,
    keras.layers.Conv2DTranspose,
)
"""Layers with a kernel."""

Span = tuple[int, int]
"""First and last pixel along one axis."""


def stride(layer: Any) -> int:
    """Stride of a layer with a kernel, alike along both axes."""
    return layer.stride if hasattr(layer, "stride") else layer.strides[0]


def rate(layer: Any) -> int:
    """Dilation rate of a layer with a kernel."""
    return layer.rate if hasattr(layer, "rate") else layer.dilation_rate[0]


def side(layer: Any) -> int:
    """Side of the kernel in pixels."""
    if isinstance(layer, SeparableConv):
        return 3
    return layer.side if isinstance(layer, ConvNorm) else layer.kernel_size[0]


def field_of_model(model: keras.Model, layer: Any) -> dict[str, Any]:
    """Find how much of the image one pixel of a layer's output sees.

    Returns
    -------
    dict
        `field_of_model`: side in input pixels, the largest where it depends on the pixel;
        `whole_image`: whether a mean over the image is seen as well.
    """
    # 16 neighbouring pixels: enlarged maps repeat with a period of at most 16 in these networks.
    sides, whole = zip(*(_seen(model, layer, pixel) for pixel in range(16)), strict=True)
    return {"receptive_field": max(sides), "whole_image": any(whole)}


def _seen(model: keras.Model, layer: Any, pixel: int) -> tuple[int, bool]:
    need: dict[int, Span] = {id(layer): (pixel, pixel)}
    whole, image = False, None
    for operation in reversed(model.operations):
        span = need.get(id(operation))
        if span is None:
            continue
        if isinstance(operation, keras.layers.InputLayer):
            image = span
            continue
        if isinstance(operation, keras.layers.GlobalAveragePooling2D):
            whole = True
            continue
        low, high = _back(operation, *span)
        for tensor in operation._inbound_nodes[0].input_tensors:
            source = id(tensor._keras_history.operation)
            a, b = need.get(source, (low, high))
            need[source] = (min(a, low), max(b, high))
    return (image[1] - image[0] + 1 if image else 0), whole


def _back(operation: Any, low: int, high: int) -> Span:
    """Input pixels, along one axis, that the output pixels from `low` to `high` are made of."""
    for kind, rule in _RULES:
        if isinstance(operation, kind):
            return rule(operation, low, high)
    raise ConfigError(f"{operation.name}: no rule for the reach of a {type(operation).__name__}.")


def _convolution(layer: Any, low: int, high: int) -> Span:
    reach = (side(layer) // 2) * rate(layer)
    return low * stride(layer) - reach, high * stride(layer) + reach


def _enlargement(layer: BilinearUpsampling, low: int, high: int) -> Span:
    f = layer.factor
    if layer.aligned:
        return low // f, -(-high // f)
    # Half-pixel centres: output pixel o lies at (o + 1/2) / f - 1/2, between two input pixels.
    return (2 * low + 1 - f) // (2 * f), -(-(2 * high + 1 - f) // (2 * f))


def _shifted(sign: int, field: str) -> Callable[[Any, int, int], Span]:
    def rule(layer: Any, low: int, high: int) -> Span:
        before = getattr(layer, field)[0][0]
        return low + sign * before, high + sign * before

    return rule


def _same(_: Any, low: int, high: int) -> Span:
    return low, high


_RULES: Sequence[tuple[Any, Callable[[Any, int, int], Span]]] = (
    # Kernel 2, stride 2: each output pixel comes from one input pixel, or from two in pooling.
    (keras.layers.Conv2DTranspose, lambda layer, low, high: (low // 2, high // 2)),
    (keras.layers.MaxPooling2D, lambda layer, low, high: (2 * low, 2 * high + 1)),
    (WEIGHTED, _convolution),
    (BilinearUpsampling, _enlargement),
    (keras.layers.ZeroPadding2D, _shifted(-1, "padding")),
    (keras.layers.Cropping2D, _shifted(1, "cropping")),
    (
        (
            keras.layers.Add,
            keras.layers.Concatenate,
            keras.layers.Activation,
            keras.layers.ReLU,
            keras.layers.Dropout,
            keras.layers.BatchNormalization,
            keras.layers.UpSampling2D,  # of a mean over the image, which was followed before
        ),
        _same,
    ),
)
