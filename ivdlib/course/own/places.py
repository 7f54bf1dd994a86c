"""Places of layers in a network: how to give a student's layers numbers, or trained weights.

A student names no layer, and may make them in any order. What tells them apart is the way that
leads to them: ``("depthwise", "norm", "conv")`` is the 1x1 convolution of the first separable one.
"""

from __future__ import annotations

import zlib
from collections import defaultdict
from collections.abc import Iterable
from typing import Any

import keras
import numpy as np

from ivdlib.course.exercises import WrongAnswer
from ivdlib.networks.convolution import ConvNorm, SeparableConv

Place = tuple[str, ...]
Variables = list[Any]

_KINDS = {
    keras.layers.DepthwiseConv2D: "depthwise",
    keras.layers.SeparableConv2D: "both",
    keras.layers.Conv2D: "conv",
    keras.layers.BatchNormalization: "norm",
}


def places(layers: Iterable[keras.Layer]) -> list[tuple[Place, Variables]]:
    """The place of each layer, which counts from the first of them, and its variables.

    Parameters
    ----------
    layers : iterable of keras.Layer
        Of a functional model. A layer of the library counts as the layers that it stands for.
    """
    members = {id(layer): layer for layer in layers if layer.variables}
    known: dict[int, Place] = {}

    def behind(operation: Any) -> Place:
        """Kinds of the layers on the longest way to what an operation gives, itself the last."""
        if id(operation) not in known:
            tensors = operation._inbound_nodes[0].input_tensors
            ways = [behind(tensor._keras_history.operation) for tensor in tensors]
            own = [kind for kind, _ in _parts(operation)] if id(operation) in members else []
            known[id(operation)] = (*max(ways, key=len, default=()), *own)
        return known[id(operation)]

    found = []
    for layer in members.values():
        parts = _parts(layer)
        before = behind(layer)[: -len(parts)]
        for n in range(len(parts)):
            found.append(((*before, *(kind for kind, _ in parts[: n + 1])), parts[n][1]))
    return found


def _parts(layer: Any) -> list[tuple[str, Variables]]:
    """Kinds and variables of what a layer does, one after the other."""
    if isinstance(layer, SeparableConv):
        first, second = layer.depthwise_norm, layer.pointwise_norm
        return [("depthwise", [layer.depthwise]), ("norm", first.variables),
                ("conv", [layer.pointwise]), ("norm", second.variables)]  # fmt: skip
    if isinstance(layer, ConvNorm):
        return [("conv", [layer.kernel]), ("norm", layer.batch_norm.variables)]
    kind = next((name for cls, name in _KINDS.items() if isinstance(layer, cls)), "other")
    return [(kind, layer.variables)]


def fill(layers: Iterable[keras.Layer]) -> None:
    """Give layers numbers that depend on their place and shape alone, none of them zero or one."""
    for place, variables in places(layers):
        for n, variable in enumerate(variables):
            seed = zlib.crc32(repr((place, n, tuple(variable.shape))).encode())
            drawn = np.random.default_rng(seed).uniform(0.3, 1.0, variable.shape)
            signs = np.random.default_rng(seed + 1).choice((-1.0, 1.0), variable.shape)
            is_kernel = len(variable.shape) > 1
            is_mean_or_offset = not is_kernel and n in (1, 2)
            variable.assign(drawn * signs if is_kernel or is_mean_or_offset else drawn)


def take_weights(mine: keras.Model, trained: keras.Model) -> int:
    """Bring the weights of a trained network into one that students' layers are part of.

    Layers that both have by name take theirs. The student's stand within the scope of the module,
    or of the convolution, that they replace, and take theirs by their places in it.

    Parameters
    ----------
    mine : keras.Model
        Built within `own.plugged`.
    trained : keras.Model
        The library's network of the same configuration.

    Returns
    -------
    int
        Numbers that went into the student's layers.

    Raises
    ------
    WrongAnswer
        If the student's layers are not those of the trained network.
    """
    names = {layer.name for layer in mine.layers}
    scopes: dict[str, list[keras.Layer]] = defaultdict(list)
    for layer in mine.layers:
        if layer.variables:
            scopes[layer.variables[0].path.split("/")[0]].append(layer)
    theirs: dict[str, list[keras.Layer]] = defaultdict(list)
    for layer in trained.layers:
        if layer.variables and layer.name in names:
            mine.get_layer(layer.name).set_weights(layer.get_weights())
        elif layer.variables:
            module = layer.name.rpartition("_")[0]
            theirs[layer.name if layer.name in scopes else module].append(layer)
    return sum(
        _copied(name, dict(places(scopes[name])), dict(places(layers)))
        for name, layers in theirs.items()
    )


def _copied(name: str, mine: dict[Place, Variables], trained: dict[Place, Variables]) -> int:
    """Copy the variables of one module; gives how many numbers."""
    shapes = [
        {place: [tuple(v.shape) for v in variables] for place, variables in of.items()}
        for of in (mine, trained)
    ]
    if shapes[0] != shapes[1]:
        raise WrongAnswer(
            f"❌ {name}: your layers are {' '.join('-'.join(p) for p in shapes[0]) or 'none'}, and "
            "the trained weights do not fit them."
        )
    for place, variables in trained.items():
        for ours, theirs in zip(mine[place], variables, strict=True):
            ours.assign(theirs)
    return sum(int(np.prod(v.shape)) for variables in trained.values() for v in variables)
