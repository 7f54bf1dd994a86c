"""Lesions: a part of a trained network is cut, and the rest answers without it.

A lesion is no ablation. In an ablation a network is trained without the part and learns to do
without it; here the other layers still expect what is no longer there.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ivdlib.errors import ConfigError
from ivdlib.training import weights_file
from ivdlib.training.openvino_graph import graph
from ivdlib.training.openvino_model import OpenVINOModel
from ivdlib.training.weights import Network

LESIONS = {
    "dilation": "every dilation rate is set to 1",
    "skips": "what the skips bring is set to zero",
    "pyramid": "every branch of the pyramid but the 1 × 1 convolution is set to zero",
}
"""What can be cut, and what is done to the network."""

Layers = Sequence[Mapping[str, Any]]
"""See `networks.structure.layers_of`."""


def lesions_of(weights: str | os.PathLike) -> tuple[str, ...]:
    """Names of `LESIONS` that the network of a weights file has the part for.

    Parameters
    ----------
    weights : path
        One with its layers in it, as all that come with the package.
    """
    layers = weights_file.read_numbers(weights)[0] or []
    there = {
        "dilation": any(layer.get("rate", 1) > 1 for layer in layers),
        "skips": bool(_stacks(layers, pyramid=False)),
        "pyramid": bool(_stacks(layers, pyramid=True)),
    }
    return tuple(name for name in LESIONS if there[name])


def load_with_lesion(weights: str | os.PathLike, lesion: str) -> Network:
    """Load a network for OpenVINO, with a part cut.

    Parameters
    ----------
    weights : path
        One with its layers in it.
    lesion : str
        One of `lesions_of(weights)`.

    Returns
    -------
    Network
        As `engines.load_network` gives it; the passport is that of the whole network.

    Raises
    ------
    ConfigError
        If the network has no such part.
    DataError
        As `weights.load_model`.
    """
    card, _ = weights_file.read_passport(weights)
    if lesion not in (able := lesions_of(weights)):
        raise ConfigError(
            f"{Path(weights).parent.name} has no part {lesion!r} that could be cut; it has "
            f"{', '.join(able) or 'none'}."
        )
    layers, numbers = weights_file.read_numbers(weights)
    if lesion == "dilation":
        layers = [layer | {"rate": 1} if "rate" in layer else layer for layer in layers]
    for stack in _stacks(layers, lesion == "pyramid") if lesion != "dilation" else ():
        _silence(layers, stack, lesion, numbers)
    shape = (*card["tile"], card.get("channels", 1))
    return Network(OpenVINOModel(graph(layers, numbers), shape, "float32"), card)


def _stacks(layers: Layers, pyramid: bool) -> list[int]:
    """Layers that stack maps: of the pyramid, which has a mean among them, or of skips."""
    found = [i for i, layer in enumerate(layers) if layer["kind"] == "Concatenate"]
    return [i for i in found if pyramid == any(
        layers[j]["kind"] == "UpSampling2D" for j in layers[i]["inputs"])]  # fmt: skip


def _silence(layers: Layers, stack: int, lesion: str, numbers: dict[str, np.ndarray]) -> None:
    """Make the maps zero that a stack gets from its cut part."""
    inputs = layers[stack]["inputs"]
    if lesion == "pyramid":
        first = [layers[j]["kind"] for j in inputs].index("ConvNorm")  # the 1 x 1 convolution
        cut = [j for j in inputs if j != inputs[first]]
    elif layers[inputs[0]]["kind"] == "Activation":
        # U-Net: the map goes on downwards, too, so it is the next kernel that takes nothing of it.
        after = next(layer for layer in layers if layer["inputs"] == [stack])
        kernel = numbers[f"{after['weights']}/vars/0"]
        kernel[:, :, : layers[inputs[0]]["shape"][-1]] = 0
        return
    else:
        cut = inputs[1:]
    for j in cut:
        while "weights" not in layers[j]:  # what enlarges a map
            (j,) = layers[j]["inputs"]
        norm = "batch_norm" if layers[j]["kind"] == "ConvNorm" else "pointwise_norm"
        for scale_or_offset in "01":
            numbers[f"{layers[j]['weights']}/{norm}/vars/{scale_or_offset}"][:] = 0
