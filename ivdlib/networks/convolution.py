"""The convolutions of Sect. 2.2, "Dilated Separable Convolution", each with its normalisation.

Separable: each channel gets a 3x3 filter of its own (depthwise), with holes in it at a rate above 1
(dilated); then a 1x1 product mixes the channels (pointwise). That is 8 to 9 times less work than
the standard convolution, which does both at once. Maps are (batch, height, width, channels).

A line that asks `fast` takes a faster way to the same numbers; skip it, and this is the method.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import keras
from keras import ops

from ivdlib.networks import fast
from ivdlib.networks.normalisation import Normalised

Relu = Literal["before", "inside", "after", "none"]


def convolve(x: Any, kernel: Any, rate: int, stride: int, operation: Any = ops.conv) -> Any:
    """Convolve x with a kernel (side, side, channels, filters), zeros around the map."""
    padding = "same"
    if stride > 1:  # "same" would pad at the end only, and differently by backend: pad by hand
        margin = (kernel.shape[0] // 2,) * 2
        x, padding = ops.pad(x, [(0, 0), margin, margin, (0, 0)]), "valid"
    return operation(x, kernel, stride, padding, "channels_last", rate)


def depthwise(x: Any, kernel: Any, rate: int = 1, stride: int = 1) -> Any:
    """Filter each channel of x by itself; the kernel is (3, 3, channels, filters for each)."""
    if fast.dilates(x, kernel, rate, stride):
        return fast.dilated_depthwise(x, kernel, rate)
    return convolve(x, kernel, rate, stride, ops.depthwise_conv)


def pointwise(x: Any, kernel: Any, before: Any, after: Any, training: bool | None) -> Any:
    """Mix the channels of x by a kernel (1, 1, channels, filters), with a BN before and after."""
    if fast.folds(x, before, after, training):
        return fast.normalised_product(x, kernel, before, after, training)
    x = before(x, training=training) if before else x
    return after(convolve(x, kernel, 1, 1), training=training)


@keras.saving.register_keras_serializable("ivdlib")
class SeparableConv(Normalised):
    """Dilated separable convolution (Sect. 2.2): depthwise 3x3, BN, pointwise 1x1, BN.

    Parameters
    ----------
    filters : int
        Channels of the output.
    relu : {"before", "inside", "after", "none"}
        Before the depthwise convolution (pre-activation); after each of the two convolutions; after
        the pointwise one only.
    depth_multiplier : int
        Depthwise filters for each input channel.
    norm_between : bool
        Batch normalisation between the depthwise and the pointwise convolution too.
    **kwargs
        `rate`, `stride` and `norm`: see `Normalised`.
    """

    def __init__(
        self,
        filters: int,
        relu: Relu = "before",
        depth_multiplier: int = 1,
        norm_between: bool = True,
        **kwargs: Any,
    ) -> None:
        own = {"relu": relu, "depth_multiplier": depth_multiplier, "norm_between": norm_between}
        super().__init__(filters, own, **kwargs)
        self.relu, self.depth_multiplier, self.norm_between = own.values()

    def build(self, input_shape: Sequence[int | None]) -> None:
        """Make the weights for maps of this shape."""
        channels, each = input_shape[-1], self.depth_multiplier
        self.depthwise = self._kernel("depthwise", 3, 3, channels, each)
        self.depthwise_norm = None
        if self.norm_between:
            self.depthwise_norm = self._batch_norm("depthwise_norm", channels * each)
        self.pointwise = self._kernel("pointwise", 1, 1, channels * each, self.filters)
        self.pointwise_norm = self._batch_norm("pointwise_norm", self.filters)

    def call(self, x: Any, training: bool | None = None) -> Any:
        """Filter each channel, then mix the channels."""
        x = ops.relu(x) if self.relu == "before" else x
        x = depthwise(x, self.depthwise, self.rate, self.stride)
        between = self.depthwise_norm
        if self.relu == "inside":
            x = ops.relu(between(x, training=training) if between else x)
            between = None
        x = pointwise(x, self.pointwise, between, self.pointwise_norm, training)
        return ops.relu(x) if self.relu in ("inside", "after") else x


@keras.saving.register_keras_serializable("ivdlib")
class ConvNorm(Normalised):
    """Standard convolution, BN, and a ReLU before or after (Sect. 2.2 keeps those that are 1x1).

    Parameters
    ----------
    filters : int
        Channels of the output.
    kernel : int
        Odd side of the kernel in pixels.
    relu : {"before", "after", "none"}
    **kwargs
        `rate`, `stride` and `norm`: see `Normalised`.
    """

    def __init__(self, filters: int, kernel: int = 1, relu: Relu = "after", **kwargs: Any) -> None:
        super().__init__(filters, {"kernel": kernel, "relu": relu}, **kwargs)
        self.side, self.relu = kernel, relu

    def build(self, input_shape: Sequence[int | None]) -> None:
        """Make the weights for maps of this shape."""
        self.kernel = self._kernel("kernel", self.side, self.side, input_shape[-1], self.filters)
        self.batch_norm = self._batch_norm("norm", self.filters)

    def call(self, x: Any, training: bool | None = None) -> Any:
        """Convolve, normalise, rectify."""
        x = ops.relu(x) if self.relu == "before" else x
        if self.side == 1:
            # A stride takes its pixels first: oneDNN's gradient of a strided 1x1 convolution writes
            # outside its memory on AVX-512 (TensorFlow 2.21, oneDNN 3.7.3) and ends the process.
            x = x[:, :: self.stride, :: self.stride] if self.stride > 1 else x
            x = pointwise(x, self.kernel, None, self.batch_norm, training)
        else:
            x = convolve(x, self.kernel, self.rate, self.stride)
            x = self.batch_norm(x, training=training)
        return ops.relu(x) if self.relu == "after" else x
