"""Change the size of feature maps: bilinear enlargement, padding, cropping."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
from keras import layers, ops

LAST = "channels_last"
"""Layout of all maps, said to every layer of Keras: keras.json may have another as the default."""


def bilinear_matrix(size: int, factor: int, aligned: bool) -> np.ndarray:
    """Linear interpolation of `size` samples to `factor * size` as a matrix.

    Parameters
    ----------
    size, factor : int
        Number of samples; how many times more are wanted.
    aligned : bool
        True: sample i lies at output pixel ``factor * i``, where a strided 3x3 convolution with one
        pixel of padding on each side is centred. False: at the centre of its `factor` pixels
        (half-pixel centres, as `keras.layers.UpSampling2D`).

    Returns
    -------
    ndarray, float32, (factor * size, size)
        Rows sum to one; outside the outermost samples the edge is repeated.
    """
    out = np.arange(size * factor)
    at = out / factor if aligned else (out + 0.5) / factor - 0.5
    at = np.clip(at, 0, size - 1)
    low = np.minimum(at.astype(int), size - 1)
    high = np.minimum(low + 1, size - 1)
    matrix = np.zeros((size * factor, size), np.float32)
    np.add.at(matrix, (out, low), 1 - (at - low))
    np.add.at(matrix, (out, high), at - low)
    return matrix


@keras.saving.register_keras_serializable("ivdlib")
class BilinearUpsampling(layers.Layer):
    """Bilinear up-sampling by a whole factor, as two small matrix products.

    Parameters
    ----------
    factor : int
        Output height and width over the input's.
    aligned : bool
        Where the samples lie, see `bilinear_matrix`.
    """

    def __init__(self, factor: int, aligned: bool = False, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.factor = factor
        self.aligned = aligned

    def compute_output_shape(self, input_shape: Sequence[int | None]) -> tuple[int | None, ...]:
        """(batch, factor * height, factor * width, channels)."""
        batch, height, width, channels = input_shape
        return batch, height * self.factor, width * self.factor, channels

    def call(self, x: Any) -> Any:
        """Interpolate along the height, then along the width."""
        _, height, width, channels = x.shape
        tall, wide = height * self.factor, width * self.factor
        rows = ops.cast(bilinear_matrix(height, self.factor, self.aligned), x.dtype)
        columns = ops.cast(bilinear_matrix(width, self.factor, self.aligned), x.dtype)
        x = ops.matmul(rows, ops.reshape(x, (-1, height, width * channels)))
        x = ops.matmul(columns, ops.reshape(x, (-1, width, channels)))
        return ops.reshape(x, (-1, tall, wide, channels))

    def get_config(self) -> dict[str, Any]:
        """Arguments that make the same layer again."""
        return super().get_config() | {"factor": self.factor, "aligned": self.aligned}


def pad_to_multiple(x: Any, multiple: int) -> Any:
    """Pad height and width with zeros, evenly on both sides, to multiples of `multiple`.

    An odd row or column goes to the end; `crop_to` is the way back.
    """
    margins = [_margins(-size % multiple) for size in x.shape[1:3]]
    return layers.ZeroPadding2D(margins, LAST, name="pad_input")(x) if np.any(margins) else x


def crop_to(x: Any, size: Sequence[int]) -> Any:
    """Crop the middle of (height, width) `size` out of `x`: undoes `pad_to_multiple`."""
    margins = [_margins(have - want) for want, have in zip(size, x.shape[1:3], strict=True)]
    return layers.Cropping2D(margins, LAST, name="crop_output")(x) if np.any(margins) else x


def _margins(extra: int) -> tuple[int, int]:
    return extra // 2, extra - extra // 2
