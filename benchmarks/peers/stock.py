"""FDS-CNN and the U-Net written with Keras' own layers alone, as a reader of the paper would.

The peer that `ivdlib` is timed against and tested equal to: no layer of `ivdlib.networks` is used,
only the lists of the configurations.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import keras
from keras import layers

from ivdlib.networks import FDSCNNConfig, UNetConfig, xception


def _norm(x: Any, config: Any, name: str) -> Any:
    return layers.BatchNormalization(
        momentum=config.bn_momentum, epsilon=config.bn_epsilon, name=name
    )(x)


def _conv(x: Any, filters: int, name: str, config: Any, stride: int = 1, relu: bool = True) -> Any:
    x = x[:, ::stride, ::stride] if stride > 1 else x
    x = layers.Conv2D(filters, 1, use_bias=False, name=f"{name}_kernel")(x)
    x = _norm(x, config, f"{name}_norm")
    return layers.ReLU()(x) if relu else x


def _separable(
    x: Any, filters: int, name: str, config: Any, relu: str,
    rate: int = 1, stride: int = 1, m: int = 1,
) -> Any:  # fmt: skip
    x = layers.ReLU()(x) if relu == "before" else x
    x = layers.ZeroPadding2D(1)(x) if stride > 1 else x
    x = layers.DepthwiseConv2D(
        3, stride, "valid" if stride > 1 else "same", m, dilation_rate=rate, use_bias=False,
        name=f"{name}_depthwise",
    )(x)  # fmt: skip
    x = _norm(x, config, f"{name}_depthwise_norm")
    x = layers.ReLU()(x) if relu == "inside" else x
    x = layers.Conv2D(filters, 1, use_bias=False, name=f"{name}_pointwise")(x)
    x = _norm(x, config, f"{name}_pointwise_norm")
    return x if relu == "before" else layers.ReLU()(x)


def fds_cnn(config: FDSCNNConfig, shape: tuple[int, int, int] = (112, 128, 1)) -> keras.Model:
    """FDS-CNN in its default form (separable, three skips, one stride); even sizes only."""
    image = x = keras.Input(shape)
    ends: dict[str, list[Any]] = {}
    lists = (
        xception.BLOCKS, xception.WIDTHS, config.strides, xception.SHORTCUTS, xception.RELUS
    )  # fmt: skip
    for block, widths, strides, shortcut, relu in zip(*lists, strict=True):
        for unit, rates in enumerate(config.rates_of(block), 1):
            name = f"middle{unit}" if block == "middle" else block
            start, ends[block] = x, []
            for i, (width, rate, stride) in enumerate(zip(widths, rates, strides, strict=True), 1):
                m = config.stem_depth_multiplier if block == "conv1" else 1
                label = name if block in ("conv1", "conv2") else f"{name}_sep{i}"
                x = _separable(x, config.channels(width), label, config, relu, rate, stride, m)
                ends[block].append(x)
            if shortcut == "conv":
                stride = math.prod(strides)
                start = _conv(start, x.shape[-1], f"{name}_shortcut", config, stride, relu=False)
            if shortcut != "none":
                x = ends[block][-1] = layers.Add()([x, start])
    width = config.channels(config.aspp_width)
    parts = [_conv(x, width, "aspp_1x1", config)]
    for i, rate in enumerate(config.aspp_rates, 1):
        parts.append(_separable(x, width, f"aspp_sep{i}", config, "inside", rate))
    pooled = _conv(layers.GlobalAveragePooling2D(keepdims=True)(x), width, "aspp_pool", config)
    parts.append(layers.UpSampling2D(x.shape[1:3])(pooled))
    x = _conv(layers.Concatenate()(parts), width, "aspp_project", config)
    x = layers.Dropout(config.dropout)(x)
    low = (ends["entry1"][config.first_skip - 1], ends["entry3"][-1], ends["middle"][-1])
    narrow = config.channels(config.skip_width)
    names = ("skip_third_layer", "skip_entry", "skip_middle")
    skips = [_conv(y, narrow, name, config) for y, name in zip(low, names, strict=True)]
    x = layers.Concatenate()([x, *skips])
    for i in (1, 2):
        x = _separable(x, config.channels(config.decoder_width), f"decoder{i}", config, "inside")
    x = layers.Conv2D(1, 1, name="logits")(x)
    x = layers.UpSampling2D(config.stride, interpolation="bilinear")(x)
    return keras.Model(image, layers.Activation("sigmoid", dtype="float32")(x))


def unet(config: UNetConfig, shape: tuple[int, int, int] = (112, 128, 1)) -> keras.Model:
    """U-Net; sizes that are multiples of ``2 ** levels`` only."""

    def twice(x: Any, width: int, name: str) -> Any:
        for i in (1, 2):
            x = layers.Conv2D(
                width, 3, padding="same", kernel_initializer="he_normal", name=f"{name}_conv{i}"
            )(x)
            x = layers.ReLU()(_norm(x, config, f"{name}_bn{i}"))
        return x

    image = x = keras.Input(shape)
    skips = []
    for level in range(config.levels):
        x = twice(x, config.base * 2**level, f"down{level}")
        skips.append(x)
        x = layers.MaxPooling2D()(x)
    x = twice(x, config.base * 2**config.levels, "bottom")
    for level in reversed(range(config.levels)):
        width = config.base * 2**level
        x = layers.Conv2DTranspose(width, 2, 2, name=f"up{level}_transposed")(x)
        x = twice(layers.Concatenate()([skips[level], x]), width, f"up{level}")
    x = layers.Conv2D(1, 1, name="logits")(x)
    return keras.Model(image, layers.Activation("sigmoid", dtype="float32")(x))


STOCK = {"fds_cnn": fds_cnn, "unet": unet}


def weights(model: keras.Model) -> dict[str, Any]:
    """Variables of a network of this file, or of the same one of ivdlib, by names both share."""
    found = {}
    for layer in model.layers:
        for variable in layer.weights:
            # ivdlib: "<model>/entry1_sep1/depthwise_norm/gamma"
            # stock: "entry1_sep1_depthwise_norm/gamma"
            words = variable.path.split("/")
            words = words[words.index(layer.name) :]
            if words[-1] == "kernel" and words[0].endswith(("_depthwise", "_pointwise", "_kernel")):
                words = words[:-1]
            found["_".join(words)] = variable
    return found


def copy_weights(have: Mapping[str, Any], target: keras.Model) -> None:
    """Give `target` the weights `have` by name; those of the same network in the other writing."""
    for name, variable in weights(target).items():
        if "seed_generator" not in name:
            variable.assign(have[name])
