"""Building blocks of the networks: functions on Keras tensors, and two small layers.

Only `keras` and `keras.ops` are used, so the same code runs on TensorFlow, JAX and PyTorch. Feature
maps are (batch, height, width, channels).
"""

import math
from collections.abc import Sequence
from typing import Any, Literal

import keras
import numpy as np
from keras import layers, ops

Relu = Literal["before", "inside", "after"]
Shortcut = Literal["conv", "sum", "none"]


@keras.saving.register_keras_serializable("ivdlib")
class BatchNorm(layers.BatchNormalization):
    """Batch normalisation that takes TensorFlow's fused kernel where there is one.

    Same weights, values and gradients as `keras.layers.BatchNormalization`, which builds the same
    result from separate operations and takes about twice the time on a CPU. On other backends, and
    for anything but 4-D channels-last maps without a mask, it is the Keras layer unchanged.
    """

    def call(self, inputs: Any, training: bool | None = None, mask: Any = None) -> Any:
        """Normalise over batch, height and width; update the moving statistics in training."""
        fused = (
            keras.backend.backend() == "tensorflow"
            and len(inputs.shape) == 4
            and self.axis in (-1, 3)
            and (self.scale and self.center and not self.renorm and not self.synchronized)
            and mask is None
            and keras.backend.standardize_dtype(inputs.dtype) != "float64"
        )
        if not fused:
            return super().call(inputs, training=training, mask=mask)
        import tensorflow as tf

        x = ops.cast(inputs, "float32")
        batch_statistics = bool(training and self.trainable)
        y, mean, variance, *_ = tf.raw_ops.FusedBatchNormV3(
            x=x,
            scale=ops.convert_to_tensor(self.gamma),
            offset=ops.convert_to_tensor(self.beta),
            mean=[] if batch_statistics else ops.convert_to_tensor(self.moving_mean),
            variance=[] if batch_statistics else ops.convert_to_tensor(self.moving_variance),
            epsilon=self.epsilon,
            is_training=batch_statistics,
        )
        if batch_statistics:
            # The kernel reports the variance over n - 1; Keras keeps the one over n.
            n = ops.cast(tf.size(x) // x.shape[-1], "float32")
            keep = self.momentum
            self.moving_mean.assign(self.moving_mean * keep + mean * (1 - keep))
            self.moving_variance.assign(
                self.moving_variance * keep + variance * ((n - 1) / n) * (1 - keep)
            )
        return ops.cast(y, self.compute_dtype)


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


def conv_norm(
    x: Any,
    filters: int,
    name: str,
    *,
    kernel: int = 1,
    rate: int = 1,
    stride: int = 1,
    relu: bool = True,
    norm: dict[str, float] | None = None,
) -> Any:
    """Convolution without bias, batch normalisation, and a ReLU if asked for.

    Parameters
    ----------
    x : tensor, (batch, h, w, c)
    filters, kernel, rate, stride : int
        Channels of the output, kernel size, dilation rate, stride; rate or stride must be 1. With
        a stride, output pixel k is centred on input pixel ``stride * k``.
    name : str
        Prefix of the layers' names.
    norm : dict, optional
        Arguments of the batch normalisation (`momentum`, `epsilon`).

    Returns
    -------
    tensor, (batch, h / stride, w / stride, filters)
    """
    if kernel == 1 and stride > 1:
        # The same pixels, taken first: oneDNN's gradient of a strided 1x1 convolution writes
        # outside its memory on AVX-512 (TensorFlow 2.21, oneDNN 3.7.3), and ends the process.
        x, stride = x[:, ::stride, ::stride], 1
    x, padding = _padded(x, kernel, stride, name)
    x = layers.Conv2D(
        filters,
        kernel,
        strides=stride,
        padding=padding,
        dilation_rate=rate,
        use_bias=False,
        name=f"{name}_conv",
    )(x)
    x = BatchNorm(name=f"{name}_bn", **norm or {})(x)
    return layers.ReLU(name=f"{name}_relu")(x) if relu else x


def _padded(x: Any, kernel: int, stride: int, name: str) -> tuple[Any, str]:
    # "same" with a stride pads at the end only, and differently by backend: pad by hand.
    if stride == 1:
        return x, "same"
    return layers.ZeroPadding2D(kernel // 2, name=f"{name}_pad")(x), "valid"


def separable_conv(
    x: Any,
    filters: int,
    name: str,
    *,
    rate: int = 1,
    stride: int = 1,
    relu: Relu = "before",
    depth_multiplier: int = 1,
    norm_between: bool = True,
    norm: dict[str, float] | None = None,
) -> Any:
    """Dilated separable convolution: depthwise 3x3, BN, pointwise 1x1, BN (paper, Sect. 2.2).

    Parameters
    ----------
    x : tensor, (batch, h, w, c)
    filters : int
        Channels of the output.
    name : str
        Prefix of the layers' names.
    rate, stride : int
        Dilation rate and stride of the depthwise convolution; one of them must be 1.
    relu : {"before", "inside", "after"}
        Before the depthwise convolution (pre-activation); after each of the two convolutions; after
        the pointwise one only.
    depth_multiplier : int
        Depthwise filters for each input channel.
    norm_between : bool
        Batch normalisation between the depthwise and the pointwise convolution too.
    norm : dict, optional
        Arguments of the batch normalisation (`momentum`, `epsilon`).

    Returns
    -------
    tensor, (batch, h / stride, w / stride, filters)
    """
    if relu == "before":
        x = layers.ReLU(name=f"{name}_relu")(x)
    x, padding = _padded(x, 3, stride, name)
    x = layers.DepthwiseConv2D(
        3,
        strides=stride,
        padding=padding,
        dilation_rate=rate,
        depth_multiplier=depth_multiplier,
        use_bias=False,
        name=f"{name}_depthwise",
    )(x)
    if norm_between:
        x = BatchNorm(name=f"{name}_depthwise_bn", **norm or {})(x)
    if relu == "inside":
        x = layers.ReLU(name=f"{name}_depthwise_relu")(x)
    x = layers.Conv2D(filters, 1, use_bias=False, name=f"{name}_pointwise")(x)
    x = BatchNorm(name=f"{name}_pointwise_bn", **norm or {})(x)
    return x if relu == "before" else layers.ReLU(name=f"{name}_pointwise_relu")(x)


def separable_block(
    x: Any,
    widths: Sequence[int],
    name: str,
    *,
    rates: Sequence[int],
    strides: Sequence[int],
    shortcut: Shortcut,
    relu: Relu = "before",
    norm_between: bool = True,
    norm: dict[str, float] | None = None,
) -> list[Any]:
    """Separable convolutions one after the other, and a way around them (an Xception module).

    Parameters
    ----------
    x : tensor, (batch, h, w, c)
    widths, rates, strides : sequences of int, equally long
        Channels, dilation rate and stride of each convolution.
    name : str
        Prefix of the layers' names.
    shortcut : {"conv", "sum", "none"}
        Added to the result: a 1x1 convolution with BN of `x`; `x` itself; nothing.
    relu, norm_between, norm
        As in `separable_conv`.

    Returns
    -------
    list of tensors
        The output of each convolution; the last one is the block's output, the shortcut added.
    """
    outputs = [x]
    for i, (width, rate, stride) in enumerate(zip(widths, rates, strides, strict=True), 1):
        unit = separable_conv(
            outputs[-1],
            width,
            f"{name}_sep{i}",
            rate=rate,
            stride=stride,
            relu=relu,
            norm_between=norm_between,
            norm=norm,
        )
        outputs.append(unit)
    if shortcut != "none":
        around = x
        if shortcut == "conv":
            around = conv_norm(
                x,
                widths[-1],
                f"{name}_shortcut",
                stride=math.prod(strides),
                relu=False,
                norm=norm,
            )
        outputs[-1] = layers.Add(name=f"{name}_add")([outputs[-1], around])
    return outputs[1:]


def aspp(
    x: Any,
    width: int,
    *,
    rates: Sequence[int],
    pointwise: bool = True,
    image_pooling: bool = True,
    dropout: float = 0.1,
    norm_between: bool = True,
    norm: dict[str, float] | None = None,
) -> Any:
    """Atrous spatial pyramid pooling with dilated separable convolutions (paper, Sect. 2.2).

    Parameters
    ----------
    x : tensor, (batch, h, w, c)
    width : int
        Channels of every branch and of the output.
    rates : sequence of int
        One separable 3x3 branch for each dilation rate.
    pointwise, image_pooling : bool
        With the 1x1 branch; with the mean over the image as a branch.
    dropout : float
        Share of the output that is dropped in training.
    norm_between, norm
        As in `separable_conv`.

    Returns
    -------
    tensor, (batch, h, w, width)
    """
    branches = []
    if pointwise:
        branches.append(conv_norm(x, width, "aspp_1x1", norm=norm))
    branches += [
        separable_conv(
            x,
            width,
            f"aspp_rate{rate}",
            rate=rate,
            relu="inside",
            norm_between=norm_between,
            norm=norm,
        )
        for rate in rates
    ]
    if image_pooling:
        pooled = layers.GlobalAveragePooling2D(keepdims=True, name="aspp_pool")(x)
        pooled = conv_norm(pooled, width, "aspp_pool", norm=norm)
        # Bilinear enlargement of one pixel is that pixel everywhere.
        branches.append(layers.UpSampling2D(x.shape[1:3], name="aspp_pool_spread")(pooled))
    x = layers.Concatenate(name="aspp_concat")(branches) if len(branches) > 1 else branches[0]
    x = conv_norm(x, width, "aspp_project", norm=norm)
    return layers.Dropout(dropout, name="aspp_dropout")(x)


def pad_to_multiple(x: Any, multiple: int) -> Any:
    """Pad height and width with zeros, evenly on both sides, to multiples of `multiple`.

    An odd row or column goes to the end; `crop_to` is the way back.
    """
    margins = [_margins(-size % multiple) for size in x.shape[1:3]]
    return layers.ZeroPadding2D(margins, name="pad_input")(x) if np.any(margins) else x


def crop_to(x: Any, size: Sequence[int]) -> Any:
    """Crop the middle of (height, width) `size` out of `x`: undoes `pad_to_multiple`."""
    margins = [_margins(have - want) for want, have in zip(size, x.shape[1:3], strict=True)]
    return layers.Cropping2D(margins, name="crop_output")(x) if np.any(margins) else x


def _margins(extra: int) -> tuple[int, int]:
    return extra // 2, extra - extra // 2


def probabilities(logits: Any) -> Any:
    """Sigmoid of one channel, softmax over several; float32 under mixed precision too."""
    kind = "sigmoid" if logits.shape[-1] == 1 else "softmax"
    return layers.Activation(kind, dtype="float32", name="probability")(logits)
