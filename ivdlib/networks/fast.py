"""What a framework does faster than the plain layers ask it to, with equal results.

The one seam for speed. `convolution` and `normalisation` stay plain, and ask here first:

- `dilates`: may `dilated_depthwise` stand for a depthwise convolution?
- `folds`: may `normalised_product` stand for a 1x1 convolution and the normalisations around it?
- `fuses`: may `fused_batch_norm` stand for a batch normalisation?

If not, the plain form runs; it runs everywhere after ``IVDLIB_KERNELS=plain``. Tests hold both
forms equal, in values, gradients and statistics.
"""

from __future__ import annotations

import functools
from typing import Any

import keras
import numpy as np
from keras import ops

from ivdlib.networks import backend, replicas

GRAM, NORM, NORM_UNEVEN, FOLD = 0.0011, 0.09, 0.35, 0.05
"""Milliseconds, forwards and back, for a map of 16 x 56 x 64 pixels on two cores: products of
channels, for each pair; batch normalisation, for each channel, where their number is a multiple of
16 and where it is not (oneDNN's vector code asks for it); folding, for each channel."""

DIRECT_RATE = 6
"""oneDNN's dilated depthwise convolution is the faster one up to this rate."""


def folds(x: Any, inner: Any, outer: Any, training: bool | None) -> bool:
    """Whether `normalised_product` takes x (b, h, w, c) and is the faster way.

    Only in float32, because the products of lower precisions lose the variance, and on CPUs, where
    a pass over a map costs as much as a product of matrices. A frozen normalisation beside one that
    learns takes other statistics: they are not folded.
    """
    if inner is not None and inner.trainable != outer.trainable:
        return False
    batch_statistics = bool(training and outer.trainable)
    return folding_pays(x, outer.gamma.shape[0], inner is not None, batch_statistics)


def folding_pays(x: Any, filters: int, inner: bool, batch_statistics: bool) -> bool:
    """Whether folding saves time; `inner`: x itself is normalised too."""
    if (
        keras.backend.standardize_dtype(x.dtype) != "float32"
        or backend.kernels() == "plain"
        or backend.has_gpu()
    ):
        return False
    if not batch_statistics:
        return True

    def norm(c: int) -> float:
        return c * (NORM_UNEVEN if c % 16 else NORM)

    channels = x.shape[-1]
    saved = norm(filters) + (norm(channels) if inner else 0.0)
    return saved > channels * (GRAM * channels + FOLD)


def normalised_product(x: Any, kernel: Any, inner: Any, outer: Any, training: bool | None) -> Any:
    """1x1 convolution between two batch normalisations, in one product of matrices.

    Both normalisations are an affine map for each channel, and the product between them is linear,
    so all three are one kernel and one offset. The batch statistics behind the product follow from
    those before it: with covariance S of the channels of x, those of ``x @ k`` have the variances
    on the diagonal of ``k' S k``. So no normalised map is ever written.

    Parameters
    ----------
    x : tensor, (b, h, w, c)
    kernel : tensor, (1, 1, c, filters)
    inner : BatchNorm or None
        Of the channels of x.
    outer : BatchNorm
        Of the filters. Both learn, or both are frozen.
    training : bool or None
        True: statistics of the batch, which the moving ones follow; else the moving ones.

    Returns
    -------
    tensor, (b, h, w, filters)
    """
    batch_statistics = bool(training and outer.trainable)
    sides, kernel = x.shape[1:3], ops.convert_to_tensor(kernel[0, 0])
    x = ops.reshape(x, (-1, x.shape[-1]))
    if batch_statistics:
        mean, products = moments(x)
        if outer.synchronized:
            mean, products = replicas.mean(mean), replicas.mean(products)
        covariance = products - mean[:, None] * mean[None, :]
        variance = ops.maximum(ops.diagonal(covariance), 0.0)
    elif inner:
        mean, variance = inner.moving_mean, inner.moving_variance
    if inner:
        if batch_statistics:
            inner.remember(mean, variance)
        scale = inner.gamma * ops.rsqrt(variance + inner.epsilon)
        offset = ops.matmul((inner.beta - mean * scale)[None], kernel)[0]
        kernel = scale[:, None] * kernel
    else:
        offset = 0.0
    if batch_statistics:
        mean = ops.matmul(mean[None], kernel)[0] + offset
        variance = ops.sum(kernel * ops.matmul(covariance, kernel), axis=0)
        variance = ops.maximum(variance, 0.0)
        outer.remember(mean, variance)
    else:
        mean, variance = outer.moving_mean, outer.moving_variance
    scale = outer.gamma * ops.rsqrt(variance + outer.epsilon)
    y = ops.matmul(x, kernel * scale) + (outer.beta + (offset - mean) * scale)
    return ops.reshape(y, (-1, *sides, kernel.shape[-1]))


def moments(x: Any) -> tuple[Any, Any]:
    """Mean of the columns of x (n, c), and the mean of the products of all pairs of them.

    The gradient holds where what follows depends on the symmetric part of the products in a
    symmetric way, as variances do: it takes one product of matrices, where the plain one takes two.
    """
    if keras.backend.backend() == "tensorflow":
        return _moments(x)
    n = ops.cast(ops.shape(x)[0], x.dtype)
    half = ops.matmul(ops.transpose(x), ops.stop_gradient(x)) / n
    return ops.mean(x, axis=0), 2.0 * half - ops.stop_gradient(half)


def _moments(x: Any) -> tuple[Any, Any]:
    """As `moments`, with a gradient that makes one pass over x."""
    import tensorflow as tf

    @tf.custom_gradient
    def both(x: Any) -> Any:
        n = tf.cast(tf.shape(x)[0], x.dtype)

        def gradient(mean: Any, products: Any) -> Any:
            mixed = tf.matmul(x, (2.0 / n) * products)
            return tf.nn.bias_add(mixed, mean / n)

        # A product with ones sums columns faster than a reduction does.
        total = tf.matmul(tf.ones((1, tf.shape(x)[0]), x.dtype), x)[0]
        return (total / n, tf.matmul(x, x, transpose_a=True) / n), gradient

    return both(x)


def dilates(x: Any, kernel: Any, rate: int, stride: int) -> bool:
    """Whether `dilated_depthwise` takes this convolution and is the faster way."""
    if kernel.shape[-1] != 1 or stride != 1 or backend.kernels() == "plain":
        return False
    framework = keras.backend.backend()
    if framework == "jax":
        return None not in x.shape[1:3]
    return (
        framework == "tensorflow"
        and 1 < rate <= DIRECT_RATE
        and keras.backend.standardize_dtype(x.dtype) == "float32"
        and _dilates_directly()
    )


def dilated_depthwise(x: Any, kernel: Any, rate: int) -> Any:
    """Depthwise convolution with stride 1 and one filter a channel, where `dilates` allows it."""
    if keras.backend.backend() == "jax":
        return _shifted(x, kernel, rate)
    return _dilated(rate)(x, kernel)


def _shifted(x: Any, kernel: Any, rate: int) -> Any:
    """Dilated depthwise convolution as a sum of shifted maps, which XLA makes one pass of.

    XLA hands a depthwise convolution to a general one with as many groups as channels: on an H100 a
    step of the tiny FDS-CNN took 0.32 s with that, 0.026 s with this; on two cores 4.9 and 1.2 s.
    """
    margin = rate * (kernel.shape[0] // 2)
    height, width = x.shape[1:3]
    # Sums of nine products: in lower precisions they lose digits, and one pass costs the same.
    around = ops.cast(ops.pad(x, [(0, 0), (margin, margin), (margin, margin), (0, 0)]), "float32")
    taps = ops.cast(kernel[..., 0], "float32")
    total = sum(
        around[:, i * rate : i * rate + height, j * rate : j * rate + width] * taps[i, j]
        for i, j in np.ndindex(*taps.shape[:2])
    )
    return ops.cast(total, x.dtype)


@functools.cache
def _dilated(rate: int) -> Any:
    """Dilated depthwise convolution by the op that oneDNN has for it.

    `tf.nn.depthwise_conv2d` rearranges the map before and after (space to batch), which takes
    longer than the convolution. The gradient that TensorFlow registers for the op ignores the
    rate, so it stands here: with respect to the map it is the same op with the kernel turned round;
    only that with respect to the kernel needs the rearrangement.
    """
    import tensorflow as tf

    one = [1, 1, 1, 1]

    def convolve(x: Any, kernel: Any) -> Any:
        return tf.raw_ops.DepthwiseConv2dNative(
            input=x, filter=kernel, strides=one, padding="SAME", dilations=[1, rate, rate, 1]
        )

    def apart(x: Any) -> Any:
        margins = [[0, -size % rate] for size in x.shape[1:3]]
        return tf.space_to_batch(x, [rate, rate], margins)

    @tf.custom_gradient
    def dilated(x: Any, kernel: Any) -> Any:
        def gradient(upstream: Any) -> tuple[Any, Any]:
            return (
                convolve(upstream, tf.reverse(kernel, [0, 1])),
                tf.raw_ops.DepthwiseConv2dNativeBackpropFilter(
                    input=apart(x),
                    filter_sizes=kernel.shape,
                    out_backprop=apart(upstream),
                    strides=one,
                    padding="SAME",
                ),
            )

        return convolve(x, kernel), gradient

    # A variable is read before, or the gradient would have to know of variables.
    return lambda x, kernel: dilated(x, tf.identity(ops.convert_to_tensor(kernel)))


@functools.cache
def _dilates_directly() -> bool:
    """Whether this TensorFlow, on this processor, has that op: tried once, on a small map."""
    import tensorflow as tf

    if backend.has_gpu():
        return False
    random = np.random.default_rng(0)
    x = random.normal(size=(2, 12, 10, 8)).astype(np.float32)
    kernel = random.normal(size=(3, 3, 8, 1)).astype(np.float32)
    try:
        with tf.init_scope(), tf.device("CPU"):
            ours = tf.function(lambda: _dilated(3)(x, kernel), jit_compile=False)()
            plain = tf.nn.depthwise_conv2d(x, kernel, [1, 1, 1, 1], "SAME", dilations=[3, 3])
            return bool(np.allclose(ours, plain, atol=1e-4))
    except tf.errors.OpError:
        return False


def fuses(x: Any, norm: Any, mask: Any) -> bool:
    """Whether `fused_batch_norm` takes x and does what this normalisation asks."""
    return (
        keras.backend.backend() == "tensorflow"
        and backend.kernels() == "fast"
        and len(x.shape) == 4
        and norm.axis in (-1, 3)
        and (norm.scale and norm.center and not norm.renorm and not norm.synchronized)
        and mask is None
        and keras.backend.standardize_dtype(x.dtype) != "float64"
    )


def fused_batch_norm(x: Any, norm: Any, batch_statistics: bool) -> tuple[Any, Any, Any]:
    """TensorFlow's fused batch normalisation of x (b, h, w, c): output, batch mean and variance.

    The variance is that over n, as Keras keeps it; the kernel gives the one over n - 1.
    """
    import tensorflow as tf

    y, mean, variance, *_ = tf.raw_ops.FusedBatchNormV3(
        x=x,
        scale=ops.convert_to_tensor(norm.gamma),
        offset=ops.convert_to_tensor(norm.beta),
        mean=[] if batch_statistics else ops.convert_to_tensor(norm.moving_mean),
        variance=[] if batch_statistics else ops.convert_to_tensor(norm.moving_variance),
        epsilon=norm.epsilon,
        is_training=batch_statistics,
    )
    n = ops.cast(tf.size(x) // x.shape[-1], "float32")
    return y, mean, variance * ((n - 1) / n)
