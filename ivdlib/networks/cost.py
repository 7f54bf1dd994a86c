"""What a network costs and sees, read off the built network: nothing is typed in.

Multiply–adds are those of the convolutions; normalisation, ReLU and interpolation add 1–2 % and are
not counted. A separable convolution with F filters needs ``9 F / (9 + F)`` times fewer than a
standard 3x3 one: the "8 to 9 times" of the paper (Sect. 2.2) holds from 72 filters on.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import keras
import pandas as pd

from ivdlib.networks import receptive_field
from ivdlib.networks.by_name import build, config_of
from ivdlib.networks.convolution import ConvNorm, SeparableConv
from ivdlib.options import SIZE_NAMES
from ivdlib.profiles import FAIR, TITLES, title

BYTES = 4
"""Of a number in float32."""


def layer_table(model: keras.Model) -> pd.DataFrame:
    """List the convolutions of a network in order, with what each costs and sees.

    Parameters
    ----------
    model : keras.Model
        From `networks.build`.

    Returns
    -------
    DataFrame
        `name`; `kind` (separable, standard or transposed); `output` (height, width, channels);
        `stride`, `rate`; `receptive_field`, the side in input pixels (on an unlimited image);
        `whole_image`, true where a mean over the image is seen as well; `parameters` (trainable)
        and `multiply_adds` (one tile) of the layer, and their running totals `all_parameters` and
        `all_multiply_adds`.

    Raises
    ------
    ConfigError
        If the network holds a layer whose reach is not known here.
    """
    rows = []
    for layer in model.layers:
        if not layer.weights or isinstance(layer, keras.layers.Dropout):
            continue
        weights = parameters(layer)
        if not isinstance(
            layer, receptive_field.WEIGHTED
        ):  # normalisation, of the convolution before it
            rows[-1]["parameters"] += weights
            continue
        _, *shape = layer.output.shape
        rows.append({
            "name": layer.name, "kind": _kind(layer), "output": tuple(shape),
            "stride": receptive_field.stride(layer), "rate": receptive_field.rate(layer),
            **receptive_field.field_of_model(model, layer), "parameters": weights,
            "multiply_adds": multiply_adds(layer),
        })  # fmt: skip
    found = pd.DataFrame(rows)
    for column in ("parameters", "multiply_adds"):
        found[f"all_{column}"] = found[column].cumsum()
    return found


def parameters(layer: keras.layers.Layer) -> int:
    """How many numbers a layer, or a network, learns."""
    return sum(math.prod(w.shape) for w in layer.trainable_weights)


def _kind(layer: Any) -> str:
    if isinstance(layer, SeparableConv):
        return "separable"
    return "transposed" if isinstance(layer, keras.layers.Conv2DTranspose) else "standard"


def multiply_adds(layer: Any) -> int:
    """Multiply–adds of a convolution for one tile."""
    _, height, width, filters = layer.output.shape
    channels = layer.input.shape[-1]
    if isinstance(layer, SeparableConv):
        inner = channels * layer.depth_multiplier
        return height * width * inner * (9 + filters)
    if isinstance(layer, keras.layers.Conv2DTranspose):  # each input pixel is spread over a kernel
        height, width = layer.input.shape[1:3]
    return height * width * receptive_field.side(layer) ** 2 * channels * filters


def savings(model: keras.Model) -> pd.DataFrame:
    """Compare each separable convolution with the standard 3x3 one in its place (Sect. 2.2).

    Returns
    -------
    DataFrame
        `name`, `filters`, `multiply_adds`, `standard` (multiply–adds of the standard one) and
        `times`, their ratio.
    """
    rows = []
    for layer in model.layers:
        if isinstance(layer, SeparableConv):
            ours, (_, height, width, filters) = multiply_adds(layer), layer.output.shape
            standard = height * width * 9 * layer.input.shape[-1] * filters
            rows.append((layer.name, filters, ours, standard, standard / ours))
    return pd.DataFrame(rows, columns=["name", "filters", "multiply_adds", "standard", "times"])


def memory(model: keras.Model) -> dict[str, int]:
    """Bytes of the feature maps of one tile in float32, in the plain form of each layer.

    Returns
    -------
    dict
        `training`: all maps, which the gradient needs; `inference`: the most that are needed at one
        time when layers run one after the other.
    """
    operations = model.operations
    last = {}
    for i, operation in enumerate(operations):
        for tensor in operation._inbound_nodes[0].input_tensors if i else ():
            last[id(tensor._keras_history.operation)] = i
    alive: dict[int, tuple[int, int]] = {}
    kept = most = 0
    for i, operation in enumerate(operations):
        sizes = _maps(operation)
        kept += sum(sizes)
        now = sum(size for size, _ in alive.values())
        most = max(most, now + sum(sorted(sizes)[-2:]))
        alive[id(operation)] = (sizes[-1], last.get(id(operation), i))
        alive = {key: item for key, item in alive.items() if item[1] > i}
    return {"training": BYTES * kept, "inference": BYTES * most}


def _maps(operation: Any) -> list[int]:
    """Sizes of the maps that an operation writes, its output last."""
    output = math.prod(operation.output.shape[1:])
    if not isinstance(operation, (SeparableConv, ConvNorm)):
        return [output]
    sizes = [math.prod(operation.input.shape[1:])] if operation.relu == "before" else []
    if isinstance(operation, SeparableConv):
        pixels = math.prod(operation.output.shape[1:3])
        inner = pixels * operation.input.shape[-1] * operation.depth_multiplier
        sizes += [inner] * (1 + operation.norm_between + (operation.relu == "inside"))
    return sizes + [output] * (2 + (operation.relu in ("inside", "after")))


def comparison(tile: Sequence[int] = (112, 128), sizes: Sequence[str] = ()) -> pd.DataFrame:
    """Set the three networks beside each other, and U-Net in the sizes that compare fairly.

    Parameters
    ----------
    tile : (height, width)
        Input in pixels, one channel.
    sizes : sequence of str
        Default: tiny, laptop and paper, and DeepLabv3+ in its published width.

    Returns
    -------
    DataFrame
        `network`, `size`, `parameters`, `multiply_adds` (one tile), `training_bytes` and
        `inference_bytes` (see `memory`).
    """
    chosen = [
        (title(name), size, network, config_of(network, size, variant or None))
        for size in sizes or SIZE_NAMES
        for name in (*TITLES, *FAIR)
        for network, _, variant in [name.partition(":")]
    ]
    if not sizes:
        published = replace(config_of("deeplabv3plus", "whole"), classes=1)
        chosen.append((TITLES["deeplabv3plus"], "as published", "deeplabv3plus", published))
    rows = []
    for called, size, name, config in chosen:
        model = build(name, config, (*tile, 1))
        bytes_ = memory(model)
        convolutions = [
            layer for layer in model.layers if isinstance(layer, receptive_field.WEIGHTED)
        ]
        rows.append({
            "network": called, "size": size,
            "parameters": parameters(model),
            "multiply_adds": sum(multiply_adds(layer) for layer in convolutions),
            "training_bytes": bytes_["training"], "inference_bytes": bytes_["inference"],
        })  # fmt: skip
    return pd.DataFrame(rows)
