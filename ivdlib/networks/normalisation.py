"""Batch normalisation, and what the convolutions that end in it share (paper, Sect. 2.2)."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import keras
from keras import layers, ops

from ivdlib.networks import fast


@keras.saving.register_keras_serializable("ivdlib")
class BatchNorm(layers.BatchNormalization):
    """Batch normalisation that takes TensorFlow's fused kernel where there is one.

    Same weights, values and gradients as `keras.layers.BatchNormalization`, which builds the same
    result from separate operations and takes about twice the time on a CPU. On other backends, and
    for anything but 4-D channels-last maps without a mask, it is the Keras layer unchanged.
    """

    def call(self, inputs: Any, training: bool | None = None, mask: Any = None) -> Any:
        """Normalise over batch, height and width; update the moving statistics in training."""
        if not fast.fuses(inputs, self, mask):
            return super().call(inputs, training=training, mask=mask)
        batch_statistics = bool(training and self.trainable)
        y, mean, variance = fast.fused_batch_norm(inputs, self, batch_statistics)
        if batch_statistics:
            self.remember(mean, variance)
        return ops.cast(y, self.compute_dtype)

    def remember(self, mean: Any, variance: Any) -> None:
        """Let the moving statistics follow those of a batch; `mean`, `variance` are (c,)."""
        keep = self.momentum
        for moving, now in ((self.moving_mean, mean), (self.moving_variance, variance)):
            moving.assign(moving * keep + ops.cast(now, moving.dtype) * (1 - keep))


class Normalised(layers.Layer):
    """Layer of convolutions without bias, each followed by a batch normalisation.

    Parameters
    ----------
    filters : int
        Channels of the output.
    own : dict
        Arguments that only the derived class has, by their names in its configuration.
    rate, stride : int
        Dilation rate and stride; one of them must be 1. With a stride, output pixel k is centred on
        input pixel ``stride * k``.
    norm : dict, optional
        Arguments of the batch normalisations (`momentum`, `epsilon`, `synchronized`).

    Notes
    -----
    (batch, h, w, c) to (batch, h / stride, w / stride, filters).
    """

    def __init__(
        self,
        filters: int,
        own: Mapping[str, Any],
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
        self._own = dict(own)

    def compute_output_shape(self, input_shape: Sequence[int | None]) -> tuple[int | None, ...]:
        """(batch, height / stride, width / stride, filters), rounded up."""
        batch, *sides, _ = input_shape
        return (batch, *(s and math.ceil(s / self.stride) for s in sides), self.filters)

    def get_config(self) -> dict[str, Any]:
        """Arguments that make the same layer again."""
        names = ("filters", "rate", "stride", "norm")
        return super().get_config() | {name: getattr(self, name) for name in names} | self._own

    def _kernel(self, name: str, *shape: int) -> Any:
        return self.add_weight(shape=shape, initializer="glorot_uniform", name=name)

    def _batch_norm(self, name: str, channels: int) -> BatchNorm:
        norm = BatchNorm(dtype=self.dtype_policy, name=name, **self.norm)
        norm.build((None, None, None, channels))
        return norm
