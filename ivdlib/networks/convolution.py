"""The two kinds of convolution that the networks consist of, each with its normalisation."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, Literal

import keras
from keras import layers, ops

from ivdlib.networks import fast
from ivdlib.networks.normalisation import BatchNorm, normalised_product

Relu = Literal["before", "inside", "after", "none"]


class _Normalised(layers.Layer):
    """Convolution without bias, the last part of it 1x1, and batch normalisations around that."""

    def __init__(
        self,
        filters: int,
        *,
        rate: int = 1,
        stride: int = 1,
        norm: Mapping[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        if rate > 1 and stride > 1:
            raise ValueError(f"{self.name}: rate {rate} and stride {stride}; one must be 1.")
        self.filters, self.rate, self.stride = filters, rate, stride
        self.norm = dict(norm or {})

    def compute_output_shape(self, input_shape: Sequence[int | None]) -> tuple[int | None, ...]:
        """(batch, height / stride, width / stride, filters), rounded up."""
        batch, *sides, _ = input_shape
        return (batch, *(s and math.ceil(s / self.stride) for s in sides), self.filters)

    def get_config(self) -> dict[str, Any]:
        """Arguments that make the same layer again."""
        names = ("filters", "rate", "stride", "norm")
        return super().get_config() | {name: getattr(self, name) for name in names}

    def _kernel(self, name: str, *shape: int) -> Any:
        return self.add_weight(shape=shape, initializer="glorot_uniform", name=name)

    def _batch_norm(self, name: str, channels: int) -> BatchNorm:
        norm = BatchNorm(dtype=self.dtype_policy, name=name, **self.norm)
        norm.build((None, None, None, channels))
        return norm

    def _pad(self, x: Any, size: int) -> tuple[Any, str]:
        # "same" with a stride pads at the end only, and differently by backend: pad by hand.
        if self.stride == 1:
            return x, "same"
        margin = (size // 2, size // 2)
        return ops.pad(x, [(0, 0), margin, margin, (0, 0)]), "valid"

    def _mix(
        self, x: Any, kernel: Any, inner: BatchNorm | None, outer: BatchNorm, training: bool | None
    ) -> Any:
        """1x1 convolution of x between two normalisations."""
        batch_statistics = bool(training and outer.trainable)
        alike = inner is None or inner.trainable == outer.trainable
        if alike and fast.folds(x, self.filters, inner is not None, batch_statistics):
            flat = ops.reshape(x, (-1, x.shape[-1]))
            y = normalised_product(flat, kernel[0, 0], inner, outer, batch_statistics)
            return ops.reshape(y, (-1, *x.shape[1:3], self.filters))
        x = inner(x, training=training) if inner else x
        x = ops.conv(x, kernel, 1, "same", "channels_last")
        return outer(x, training=training)


@keras.saving.register_keras_serializable("ivdlib")
class ConvNorm(_Normalised):
    """Convolution without bias, batch normalisation, and a ReLU before or after.

    Parameters
    ----------
    filters : int
        Channels of the output.
    kernel : int
        Odd side of the kernel in pixels.
    rate, stride : int
        Dilation rate and stride; one of them must be 1. With a stride, output pixel k is centred on
        input pixel ``stride * k``.
    relu : {"after", "before", "none"}
    norm : dict, optional
        Arguments of the batch normalisation (`momentum`, `epsilon`, `synchronized`).

    Notes
    -----
    (batch, h, w, c) to (batch, h / stride, w / stride, filters).
    """

    def __init__(self, filters: int, kernel: int = 1, relu: Relu = "after", **kwargs: Any) -> None:
        super().__init__(filters, **kwargs)
        self.side, self.relu = kernel, relu

    def build(self, input_shape: Sequence[int | None]) -> None:
        """Make the weights for maps of this shape."""
        self.kernel = self._kernel("kernel", self.side, self.side, input_shape[-1], self.filters)
        self.batch_norm = self._batch_norm("norm", self.filters)

    def call(self, x: Any, training: bool | None = None) -> Any:
        """Convolve, normalise, rectify."""
        if self.relu == "before":
            x = ops.relu(x)
        if self.side == 1:
            # A strided 1x1 convolution sees every second pixel: those are taken first, for
            # oneDNN's gradient of it writes outside its memory on AVX-512 (TensorFlow 2.21, oneDNN
            # 3.7.3) and ends the process.
            if self.stride > 1:
                x = x[:, :: self.stride, :: self.stride]
            x = self._mix(x, self.kernel, None, self.batch_norm, training)
        else:
            x, padding = self._pad(x, self.side)
            x = ops.conv(x, self.kernel, self.stride, padding, "channels_last", self.rate)
            x = self.batch_norm(x, training=training)
        return ops.relu(x) if self.relu == "after" else x

    def get_config(self) -> dict[str, Any]:
        """Arguments that make the same layer again."""
        return super().get_config() | {"kernel": self.side, "relu": self.relu}


@keras.saving.register_keras_serializable("ivdlib")
class SeparableConv(_Normalised):
    """Dilated separable convolution: depthwise 3x3, BN, pointwise 1x1, BN (paper, Sect. 2.2).

    Parameters
    ----------
    filters : int
        Channels of the output.
    rate, stride : int
        Dilation rate and stride of the depthwise convolution; one of them must be 1. With a stride,
        output pixel k is centred on input pixel ``stride * k``.
    relu : {"before", "inside", "after", "none"}
        Before the depthwise convolution (pre-activation); after each of the two convolutions; after
        the pointwise one only.
    depth_multiplier : int
        Depthwise filters for each input channel.
    norm_between : bool
        Batch normalisation between the depthwise and the pointwise convolution too.
    norm : dict, optional
        Arguments of the batch normalisation (`momentum`, `epsilon`, `synchronized`).

    Notes
    -----
    (batch, h, w, c) to (batch, h / stride, w / stride, filters).
    """

    def __init__(
        self,
        filters: int,
        relu: Relu = "before",
        depth_multiplier: int = 1,
        norm_between: bool = True,
        **kwargs: Any,
    ) -> None:
        super().__init__(filters, **kwargs)
        self.relu, self.depth_multiplier = relu, depth_multiplier
        self.norm_between = norm_between

    def build(self, input_shape: Sequence[int | None]) -> None:
        """Make the weights for maps of this shape."""
        channels, multiplier = input_shape[-1], self.depth_multiplier
        self.depthwise = self._kernel("depthwise", 3, 3, channels, multiplier)
        self.depthwise_norm = None
        if self.norm_between:
            self.depthwise_norm = self._batch_norm("depthwise_norm", channels * multiplier)
        self.pointwise = self._kernel("pointwise", 1, 1, channels * multiplier, self.filters)
        self.pointwise_norm = self._batch_norm("pointwise_norm", self.filters)

    def call(self, x: Any, training: bool | None = None) -> Any:
        """Filter each channel, then mix the channels."""
        if self.relu == "before":
            x = ops.relu(x)
        x, padding = self._pad(x, 3)
        x = fast.depthwise(x, self.depthwise, rate=self.rate, stride=self.stride, padding=padding)
        inner = self.depthwise_norm
        if self.relu == "inside":
            x = inner(x, training=training) if inner else x
            x, inner = ops.relu(x), None
        x = self._mix(x, self.pointwise, inner, self.pointwise_norm, training)
        return ops.relu(x) if self.relu in ("inside", "after") else x

    def get_config(self) -> dict[str, Any]:
        """Arguments that make the same layer again."""
        names = ("relu", "depth_multiplier", "norm_between")
        return super().get_config() | {name: getattr(self, name) for name in names}
