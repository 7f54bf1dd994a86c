"""Lesson 03: `separable` and `xception_module`, of which the student's FDS-CNN is built.

Both are made of Keras layers, so a check builds a small network of them, gives it numbers that
depend on a layer's place alone, and compares what comes out. What is right are the library's own
layers. `take_weights` brings trained weights into a network of the student's layers.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import keras
import numpy as np
from scipy import ndimage

from ivdlib.course.exercises import WrongAnswer
from ivdlib.course.own import lesson03_mistakes as mistakes
from ivdlib.course.own.places import fill
from ivdlib.course.own.task import Arguments, Task
from ivdlib.networks import blocks, convolution

# --- a function on trial --------------------------------------------------------------------------


def _tried(function: Callable, arguments: Arguments) -> dict[str, Any] | None:
    """What `_built` gives; of the functions here, which never change, only once."""
    if not function.__module__.startswith(__package__):
        return _built(function, arguments)
    key = (function, *(a.tobytes() if isinstance(a, np.ndarray) else a for a in arguments))
    if key not in _known:
        _known[key] = _built(function, arguments)
    return _known[key]


_known: dict[tuple, Any] = {}


def _built(function: Callable, arguments: Arguments) -> dict[str, Any] | None:
    """Build a network of a function on one small map, and run it: what comes out, and its size."""
    maps, *how = arguments
    image = keras.Input(maps.shape)
    found = function(image, *how)
    if found is None:
        return None
    outputs = list(found) if isinstance(found, list | tuple) else [found]
    if not outputs or not all(isinstance(output, keras.KerasTensor) for output in outputs):
        raise WrongAnswer(
            "the function should return the result of its last layer: call each layer on the "
            "result of the one before, as in y = keras.layers.ReLU()(y)"
        )
    model = keras.Model(image, outputs)
    fill(model.layers)
    results = model(maps[np.newaxis], training=False)
    results = results if isinstance(results, list | tuple) else [results]
    learnt = sum(int(np.prod(weight.shape)) for weight in model.trainable_weights)
    return {"weights": learnt, "outputs": [keras.ops.convert_to_numpy(r)[0] for r in results]}


def _maps(rng: np.random.Generator, *shape: int) -> np.ndarray:
    return rng.normal(size=shape).astype(np.float32)


def _picture(rng: np.random.Generator, channels: int) -> np.ndarray:
    smooth = ndimage.gaussian_filter(rng.normal(size=(40, 32, channels)), (2, 2, 0))
    return (smooth / smooth.std()).astype(np.float32)


def _drawn(arguments: Arguments, found: Any) -> dict[str, np.ndarray]:
    """First channel of what went in and of what came out."""
    return {"image": arguments[0][..., 0], "result": found["outputs"][-1][..., 0]}


def _as_large(arguments: Arguments, found: Any) -> bool:
    return all(output.shape[:2] == arguments[0].shape[:2] for output in found["outputs"])


# --- separable ------------------------------------------------------------------------------------


def separable(x: Any, filters: int, rate: int) -> Any:
    """Depthwise 3x3, normalisation, pointwise 1x1, normalisation: the library's layer."""
    return convolution.SeparableConv(filters, "none", rate=rate)(x)


def _separable_inputs(rng: np.random.Generator) -> list[Arguments]:
    return [
        (_maps(rng, 6, 5, 2), 3, 1),
        (_maps(rng, 8, 9, 3), 5, 2),
        (_maps(rng, 13, 12, 4), 4, 5),
        (_picture(rng, 3), 6, 2),
    ]


def _separable_weights(arguments: Arguments, found: Any) -> bool:
    channels, filters = arguments[0].shape[-1], arguments[1]
    pairs = channels * filters
    return found["weights"] == 9 * channels + pairs + 2 * (channels + filters)


def _in_the_place_of_separable(function: Callable) -> Callable:
    """The student's function where the library makes a `SeparableConv`.

    Some of those have what `separable` has not: a stride, several filters a channel, or a ReLU
    within. They stay the library's.
    """

    def make(
        filters: int, relu: str = "before", depth_multiplier: int = 1, norm_between: bool = True,
        **how: Any,
    ) -> Callable:  # fmt: skip
        own = relu != "inside" and depth_multiplier == 1 and norm_between
        if not own or how.get("stride", 1) > 1:
            return convolution.SeparableConv(filters, relu, depth_multiplier, norm_between, **how)

        def apply(x: Any) -> Any:
            x = keras.layers.ReLU()(x) if relu == "before" else x
            with keras.name_scope(how["name"]):  # by which `take_weights` knows the place
                x = function(x, filters, how.get("rate", 1))
            return keras.layers.ReLU()(x) if relu == "after" else x

        return apply

    return make


SEPARABLE = Task(
    name="separable",
    right=separable,
    inputs=_separable_inputs,
    mistakes=mistakes.SEPARABLE,
    rules={
        "the result should be as high and as wide as x (padding, and no stride)": _as_large,
        "the result should have as many channels as filters says": (
            lambda arguments, found: found["outputs"][-1].shape[-1] == arguments[1]
        ),
        "the number of its weights is not right: 9 for each channel that comes in, one for each "
        "pair of a channel in and one out, a scale and an offset for each channel of a "
        "normalisation, and no others": _separable_weights,
    },
    hints=(
        "four layers, each called on the result of the one before: DepthwiseConv2D, "
        "BatchNormalization, Conv2D, BatchNormalization.",
        'DepthwiseConv2D(3, padding="same", dilation_rate=rate, use_bias=False) comes first, and '
        "then Conv2D has filters channels, kernel size 1, and no offset either.",
    ),
    call=_tried,
    picture=_drawn,
    seams=("ivdlib.networks.blocks:SeparableConv",),
    adapt=_in_the_place_of_separable,
)


# --- xception_module ------------------------------------------------------------------------------


def xception_module(
    x: Any, widths: Sequence[int], rates: Sequence[int], shortcut: str
) -> list[Any]:
    """Three dilated separable convolutions and a way around them: the library's."""
    return blocks.xception_block(
        x, widths, "module", blocks.Convolutions(), rates=rates, strides=(1,) * len(rates),
        shortcut=shortcut,
    )  # fmt: skip


def _module_inputs(rng: np.random.Generator) -> list[Arguments]:
    # As many channels out as in with "conv" too: a module without it runs, and can be told so.
    return [
        (_maps(rng, 6, 5, 2), (3, 3, 2), (1, 1, 1), "conv"),
        (_maps(rng, 9, 8, 3), (3, 3, 3), (1, 2, 1), "sum"),
        (_maps(rng, 12, 14, 4), (3, 5, 4), (1, 2, 5), "conv"),
        (_picture(rng, 3), (3, 3, 3), (1, 2, 5), "sum"),
    ]


def _in_the_place_of_a_module(function: Callable) -> Callable:
    """The student's function where the library makes a module with a shortcut."""

    def make(
        x: Any, widths: Sequence[int], name: str, convolutions: blocks.Convolutions, **how: Any
    ) -> list[Any]:
        if how["shortcut"] == "none":  # no module: three convolutions one after the other
            return blocks.xception_block(x, widths, name, convolutions, **how)
        with keras.name_scope(name):
            return list(function(x, tuple(widths), tuple(how["rates"]), how["shortcut"]))

    return make


XCEPTION_MODULE = Task(
    name="xception_module",
    right=xception_module,
    inputs=_module_inputs,
    mistakes=mistakes.XCEPTION_MODULE,
    rules={
        "return a list of three: the result of each convolution, the last one with the shortcut "
        "added": lambda arguments, found: len(found["outputs"]) == 3,
        "each result should be as high and as wide as x": _as_large,
        "the results should have as many channels as widths says": (
            lambda arguments, found: (
                tuple(output.shape[-1] for output in found["outputs"]) == arguments[1]
            )
        ),
    },
    hints=(
        "in a loop over zip(widths, rates), call a ReLU and then your separable, and append its "
        "result to the list; keep x for the way around.",
        'if shortcut is "conv", x goes through a Conv2D with kernel size 1, without an offset, '
        "and a BatchNormalization; then keras.layers.Add()([y, x]) takes the place of the last "
        "result.",
    ),
    call=_tried,
    picture=_drawn,
    seams=("ivdlib.networks.xception:xception_block",),
    adapt=_in_the_place_of_a_module,
)

TASKS = {task.name: task for task in (SEPARABLE, XCEPTION_MODULE)}
