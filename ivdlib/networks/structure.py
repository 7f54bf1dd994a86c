"""The layers of a network as plain values, so that others than Keras can compute it.

They are written into each weights file; `training.openvino_graph` builds a graph from them, and
starts no framework for it.
"""

from __future__ import annotations

import re
from collections import Counter
from typing import Any

import keras

_KEPT = {
    "SeparableConv": ("rate", "stride", "relu", "depth_multiplier", "norm_between"),
    "ConvNorm": ("rate", "stride", "relu"),
    "BilinearUpsampling": ("factor", "aligned"),
    "Conv2D": (),
    "Conv2DTranspose": (),
    "BatchNorm": ("epsilon",),
    "Activation": (),
    "MaxPooling2D": (),
    "GlobalAveragePooling2D": (),
    "UpSampling2D": (),
    "Concatenate": (),
    "Add": (),
    "InputLayer": (),
}
"""What a layer's result depends on besides its weights and inputs, by the layer's class."""

_AS_WRITTEN = {
    "Conv2D": {"strides": (1, 1), "dilation_rate": (1, 1), "groups": 1, "use_bias": True},
    "Conv2DTranspose": {"strides": (2, 2), "kernel_size": (2, 2), "padding": "valid",
                        "use_bias": True},
    "BatchNorm": {"axis": -1, "center": True, "scale": True},
    "MaxPooling2D": {"pool_size": (2, 2), "strides": (2, 2), "padding": "valid"},
    "GlobalAveragePooling2D": {"keepdims": True},
    "Concatenate": {"axis": -1},
}  # fmt: skip
"""Arguments that the networks here never change, and that nobody else is told of therefore."""

_PASSED = {"ZeroPadding2D", "Cropping2D", "Dropout"}
"""Layers that are left out: margins are put round the tiles by hand, nothing is dropped."""


def layers_of(model: keras.Model) -> list[dict[str, Any]]:
    """List the layers of a network in the order of computing.

    Parameters
    ----------
    model : keras.Model
        From `networks.build`.

    Returns
    -------
    list of dict
        `kind`, the class; `inputs`, places in this list; `weights`, the group of its weights in a
        weights file, for layers that have some; `shape`, of the result without the batch; and the
        arguments that matter. The last layer's result is that of the network.

    Raises
    ------
    TypeError
        If there is a layer that is not known here.
    """
    groups, found, place = _groups(model), [], {}
    for operation in model.operations:
        node = operation._inbound_nodes[0]
        inputs = [place[id(t._keras_history.operation)] for t in node.input_tensors]
        kind = type(operation).__name__
        if kind in _PASSED:
            place[id(operation)] = inputs[0]
            if kind == "ZeroPadding2D":
                found[inputs[0]]["shape"] = [*operation.output.shape[1:]]
            continue
        place[id(operation)] = len(found)
        found.append({"kind": kind, "inputs": inputs} | _rest(operation, kind, groups))
    return found


def _rest(operation: Any, kind: str, groups: dict[int, str]) -> dict[str, Any]:
    """What else is to be said of a layer."""
    said: dict[str, Any] = {"shape": [*operation.output.shape[1:]]}
    if kind == "GetItem":  # the softmax's second channel, see `fds_cnn`
        return said
    if kind not in _KEPT:
        raise TypeError(f"{kind} is not known to ivdlib.networks.structure.")
    for name, value in _AS_WRITTEN.get(kind, {}).items():
        if getattr(operation, name) != value:
            raise TypeError(f"{operation.name}: {name} = {getattr(operation, name)} is not known "
                            "to ivdlib.networks.structure.")  # fmt: skip
    said |= {name: getattr(operation, name) for name in _KEPT[kind]}
    if kind in ("SeparableConv", "ConvNorm"):
        said["epsilon"] = float((operation.norm or {}).get("epsilon", 1e-3))
    if kind == "Activation":
        said["function"] = operation.activation.__name__
    if operation.weights:
        said["weights"] = groups[id(operation)]
    return said


def _groups(model: keras.Model) -> dict[int, str]:
    """Group of each layer in a weights file: Keras numbers the layers of a class."""
    seen: Counter[str] = Counter()
    groups = {}
    for layer in model.layers:
        name = re.sub("(.)([A-Z][a-z]+)", r"\1_\2", type(layer).__name__).lower()
        groups[id(layer)] = f"layers/{name}" + (f"_{seen[name]}" if seen[name] else "")
        seen[name] += 1
    return groups
