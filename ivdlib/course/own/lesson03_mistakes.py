"""What students get wrong in `separable` and `xception_module`: the functions, by their sentence.

Each is built from the same few steps as a student would take, with one of them changed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from keras import layers

Map = Any


def _depthwise(x: Map, rate: int = 1, **how: Any) -> Map:
    usual = {"padding": "same", "dilation_rate": rate, "use_bias": False}
    return layers.DepthwiseConv2D(3, **(usual | how))(x)


def _pointwise(x: Map, filters: int, **how: Any) -> Map:
    return layers.Conv2D(filters, 1, **({"use_bias": False} | how))(x)


def _norm(x: Map) -> Map:
    return layers.BatchNormalization()(x)


def _relu(x: Map) -> Map:
    return layers.ReLU()(x)


# --- separable ------------------------------------------------------------------------------------


def _separable(
    x: Map,
    filters: int,
    rate: int,
    depthwise: dict[str, Any] | None = None,
    pointwise: dict[str, Any] | None = None,
    between: Callable[[Map], Map] = _norm,
    last: Callable[[Map], Map] = _norm,
) -> Map:
    """A separable convolution one of whose steps may be another."""
    x = between(_depthwise(x, rate, **(depthwise or {})))
    return last(_pointwise(x, filters, **(pointwise or {})))


def _as_it_is(x: Map) -> Map:
    return x


def _plain(x: Map, filters: int, rate: int, bias: bool = False) -> Map:
    how = {"padding": "same", "dilation_rate": rate, "use_bias": bias}
    return _norm(layers.Conv2D(filters, 3, **how)(x))


def _by_keras(x: Map, filters: int, rate: int, bias: bool) -> Map:
    how = {"padding": "same", "dilation_rate": rate, "use_bias": bias}
    return _norm(layers.SeparableConv2D(filters, 3, **how)(x))


def _other_way_round(x: Map, filters: int, rate: int) -> Map:
    return _norm(_depthwise(_norm(_pointwise(x, filters)), rate))


BIAS = {"use_bias": True}

SEPARABLE: dict[str, Callable[[Map, int, int], Map]] = {
    "the batch normalisation between the depthwise and the 1 × 1 convolution is missing; each of "
    "the two convolutions has its own": lambda x, f, r: _separable(x, f, r, between=_as_it_is),
    "the batch normalisation after the 1 × 1 convolution is missing; each of the two convolutions "
    "has its own": (lambda x, f, r: _separable(x, f, r, last=_as_it_is)),
    "there is no batch normalisation in it: one comes after each of the two convolutions": (
        lambda x, f, r: _separable(x, f, r, between=_as_it_is, last=_as_it_is)
    ),
    "that is a plain 3 × 3 convolution, which looks at all channels at once; separable takes two "
    "steps, first each channel alone, then all channels at one place": _plain,
    "that is a plain 3 × 3 convolution with offsets; separable takes two steps, first each channel "
    "alone, then all channels at one place": lambda x, f, r: _plain(x, f, r, bias=True),
    "keras.layers.SeparableConv2D does both steps at once and leaves no place for a normalisation "
    "between them; take DepthwiseConv2D and Conv2D": lambda x, f, r: _by_keras(x, f, r, False),
    "keras.layers.SeparableConv2D does both steps at once, has offsets, and leaves no place for a "
    "normalisation between them; take DepthwiseConv2D and Conv2D": (
        lambda x, f, r: _by_keras(x, f, r, True)
    ),
    "you took the rate for a stride, which leaves out pixels of the result; a rate pulls the nine "
    "places apart: dilation_rate=rate": (
        lambda x, f, r: _separable(x, f, r, {"dilation_rate": 1, "strides": r})
    ),
    "the rate has no effect: it belongs to the depthwise convolution, dilation_rate=rate (a 1 × 1 "
    "convolution has nothing that could be pulled apart)": (
        lambda x, f, r: _separable(x, f, r, {"dilation_rate": 1})
    ),
    'your result is smaller than x: padding="same" puts zeros around it': (
        lambda x, f, r: _separable(x, f, r, {"padding": "valid"})
    ),
    "both convolutions have offsets, which Keras adds unless you say use_bias=False; the "
    "normalisation after each already has one": lambda x, f, r: _separable(x, f, r, BIAS, BIAS),
    "the depthwise convolution has offsets, which Keras adds unless you say use_bias=False; the "
    "normalisation after it already has one": lambda x, f, r: _separable(x, f, r, BIAS),
    "the 1 × 1 convolution has offsets, which Keras adds unless you say use_bias=False; the "
    "normalisation after it already has one": lambda x, f, r: _separable(x, f, r, None, BIAS),
    "there is a ReLU at the beginning; separable has none, because the module puts one there": (
        lambda x, f, r: _separable(_relu(x), f, r)
    ),
    "there is a ReLU between the two convolutions; separable has none": (
        lambda x, f, r: _separable(x, f, r, between=lambda y: _relu(_norm(y)))
    ),
    "there is a ReLU at the end; separable has none": (
        lambda x, f, r: _separable(x, f, r, last=lambda y: _relu(_norm(y)))
    ),
    "your 1 × 1 convolution comes first; first treat each channel alone, then mix the "
    "channels": _other_way_round,
    "the 1 × 1 convolution is missing, so the channels are never mixed": (
        lambda x, f, r: _norm(_depthwise(x, r))
    ),
    "each channel gets several kernels of its own; leave depth_multiplier at 1, because the 1 × 1 "
    "convolution decides how many channels come out": (
        lambda x, f, r: _separable(x, f, r, {"depth_multiplier": f})
    ),
}

# --- xception_module ------------------------------------------------------------------------------


def _module(
    x: Map,
    widths: Sequence[int],
    rates: Sequence[int],
    shortcut: str,
    unit: Callable[[Map, int, int], Map] = lambda x, f, r: _separable(_relu(x), f, r),
    around: Callable[[Map, int, str], Map] | None = None,
    join: Callable[[Map, Map], Map] = lambda y, x: layers.Add()([y, x]),
) -> list[Map]:
    """A module one of whose steps may be another."""
    y, outputs = x, []
    for width, rate in zip(widths, rates, strict=True):
        y = unit(y, width, rate)
        outputs.append(y)
    outputs[-1] = join(y, (around or _around)(x, widths[-1], shortcut))
    return outputs


def _around(x: Map, filters: int, shortcut: str) -> Map:
    return _norm(_pointwise(x, filters)) if shortcut == "conv" else x


def _side_by_side(x: Map, widths: Sequence[int], rates: Sequence[int], shortcut: str) -> list[Map]:
    pairs = zip(widths, rates, strict=True)
    outputs = [_separable(_relu(x), width, rate) for width, rate in pairs]
    outputs[-1] = layers.Add()([outputs[-1], _around(x, widths[-1], shortcut)])
    return outputs


def _not_first(x: Map, widths: Sequence[int], rates: Sequence[int], shortcut: str) -> list[Map]:
    start = x
    return _module(
        x, widths, rates, shortcut,
        unit=lambda y, f, r: _separable(y if y is start else _relu(y), f, r),
    )  # fmt: skip


def _lost(x: Map, widths: Sequence[int], rates: Sequence[int], shortcut: str) -> list[Map]:
    outputs = []
    for width, rate in zip(widths, rates, strict=True):
        x = _separable(_relu(x), width, rate)
        outputs.append(x)
    outputs[-1] = layers.Add()([outputs[-1], _around(x, widths[-1], shortcut)])
    return outputs


def _only_around(change: Callable[[Map, int], Map]) -> Callable:
    """A module with another 1x1 convolution on the way around."""
    return lambda x, w, r, s: _module(
        x, w, r, s, around=lambda x, f, s: change(x, f) if s == "conv" else x
    )


XCEPTION_MODULE: dict[str, Callable[..., Any]] = {
    "the ReLU comes after your convolutions; it belongs before each of them": (
        lambda x, w, r, s: _module(x, w, r, s, unit=lambda y, f, r: _relu(_separable(y, f, r)))
    ),
    "there is no ReLU: one comes before each of the three convolutions": (
        lambda x, w, r, s: _module(x, w, r, s, unit=_separable)
    ),
    "the first ReLU is missing: one comes before each of the three convolutions": _not_first,
    "there is no shortcut: add what comes in to the result of the third convolution": (
        lambda x, w, r, s: _module(x, w, r, s, join=lambda y, x: y)
    ),
    "you put the way around beside the result; add it to the result": (
        lambda x, w, r, s: _module(x, w, r, s, join=lambda y, x: layers.Concatenate()([y, x]))
    ),
    "a ReLU follows the sum; leave it out, because the next module begins with one": (
        lambda x, w, r, s: _module(x, w, r, s, join=lambda y, x: _relu(layers.Add()([y, x])))
    ),
    'every way around has a 1 × 1 convolution; if shortcut is "sum", x itself should be added': (
        lambda x, w, r, s: _module(x, w, r, "conv")
    ),
    'x itself is added even if shortcut is "conv"; then the way around needs a 1 × 1 convolution '
    "and its batch normalisation": lambda x, w, r, s: _module(x, w, r, "sum"),
    "your way around begins after the convolutions, because x was overwritten; keep x, and give "
    "the results of the convolutions another name": _lost,
    "the 1 × 1 convolution on the way around needs its batch normalisation": (
        _only_around(_pointwise)
    ),
    "the 1 × 1 convolution on the way around has offsets, which Keras adds unless you say "
    "use_bias=False": _only_around(lambda x, f: _norm(_pointwise(x, f, use_bias=True))),
    "the way around should begin at x itself, not after the first ReLU": (
        lambda x, w, r, s: _module(x, w, r, s, around=lambda x, f, s: _around(_relu(x), f, s))
    ),
    "all three convolutions have the first of the rates; each has its own": (
        lambda x, w, r, s: _module(x, w, [r[0]] * len(r), s)
    ),
    "all three convolutions have the last of the widths; each has its own": (
        lambda x, w, r, s: _module(x, [w[-1]] * len(w), r, s)
    ),
    "each of your convolutions begins at x; each should take the result of the one "
    "before": _side_by_side,
    "return a list of three, the result of each convolution, not only the last of them": (
        lambda x, w, r, s: _module(x, w, r, s)[-1]
    ),
}
