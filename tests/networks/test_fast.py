"""Fast kernels against the operations that they stand for."""

import keras
import numpy as np
import pytest
import reference
import tensorflow as tf

from ivdlib import networks
from ivdlib.networks import fast as kernels

RNG = np.random.default_rng(0)


def normal(*shape):
    return RNG.normal(size=shape).astype(np.float32)


def with_gradients(function, upstreams, *values):
    """Outputs of a function, and the gradient of their sum, weighted by `upstreams`."""

    @tf.function(jit_compile=False)
    def run(*values):
        with tf.GradientTape() as tape:
            tape.watch(values)
            outputs = tf.nest.flatten(function(*values))
            parts = [tf.reduce_sum(y * u) for y, u in zip(outputs, upstreams, strict=True)]
            total = tf.add_n(parts)
        return outputs, tape.gradient(total, values)

    outputs, gradients = run(*map(tf.constant, values))
    return [*map(np.array, outputs)], [*map(np.array, gradients)]


@pytest.fixture
def fast(monkeypatch):
    monkeypatch.delenv("IVDLIB_KERNELS", raising=False)


@pytest.mark.parametrize("rate", [2, 3, 5, 6, 7, 18])
@pytest.mark.parametrize("shape", [(2, 11, 9, 16), (1, 4, 13, 3)])
def test_dilated_depthwise_convolution_is_that_of_tensorflow(rate, shape, fast):
    """Odd maps, some smaller than the rate; channels that fill a vector, or do not."""
    x, kernel, upstream = normal(*shape), normal(3, 3, shape[-1], 1), normal(*shape)
    got = with_gradients(lambda x, k: kernels.depthwise(x, k, rate=rate), [upstream], x, kernel)
    want = with_gradients(
        lambda x, k: tf.nn.depthwise_conv2d(x, k, [1] * 4, "SAME", dilations=[rate, rate]),
        [upstream],
        x,
        kernel,
    )
    exact = reference.depthwise(x.astype(float), kernel.astype(float), rate)
    reference.assert_close(got[0][0], exact)
    for ours, theirs in zip(got[0] + got[1], want[0] + want[1], strict=True):
        reference.assert_close(ours, theirs)


@pytest.mark.parametrize("rate", [1, 2, 3, 18])
@pytest.mark.parametrize("shape", [(2, 11, 9, 16), (1, 4, 13, 3)])
def test_shifted_maps_add_up_to_a_depthwise_convolution(rate, shape, fast, monkeypatch):
    """What JAX computes; here on TensorFlow, with its gradients."""
    x, kernel, upstream = normal(*shape), normal(3, 3, shape[-1], 1), normal(*shape)
    want = with_gradients(
        lambda x, k: tf.nn.depthwise_conv2d(x, k, [1] * 4, "SAME", dilations=[rate, rate]),
        [upstream],
        x,
        kernel,
    )
    monkeypatch.setattr(kernels.keras.backend, "backend", lambda: "jax")
    monkeypatch.setattr(kernels.ops, "depthwise_conv", None)
    got = with_gradients(lambda x, k: kernels.depthwise(x, k, rate=rate), [upstream], x, kernel)
    for ours, theirs in zip(got[0] + got[1], want[0] + want[1], strict=True):
        reference.assert_close(ours, theirs)


def test_shifted_maps_in_bfloat16_are_added_in_float32(fast, monkeypatch):
    monkeypatch.setattr(kernels.keras.backend, "backend", lambda: "jax")
    x = tf.cast(normal(1, 9, 8, 5), "bfloat16")
    kernel = tf.cast(normal(3, 3, 5, 1), "bfloat16")
    got = kernels.depthwise(x, kernel, rate=2)
    assert got.dtype == tf.bfloat16
    exact = reference.depthwise(np.array(x).astype(float), np.array(kernel).astype(float), 2)
    rounded = np.array(tf.cast(tf.constant(exact), "bfloat16")).astype(float)
    np.testing.assert_allclose(np.array(got).astype(float), rounded, rtol=2**-7, atol=1e-6)


@pytest.mark.parametrize("rate", [2, 6])
def test_dilated_depthwise_convolution_works_outside_a_graph(rate, fast):
    x, kernel = normal(2, 8, 7, 16), normal(3, 3, 16, 1)
    want = reference.depthwise(x.astype(float), kernel.astype(float), rate)
    variable = keras.Variable(kernel)
    for weight in (tf.constant(kernel), variable, variable.value):
        got = kernels.depthwise(tf.constant(x), weight, rate=rate)
        reference.assert_close(np.array(got), want)


def test_direct_dilation_is_left_where_it_does_not_hold(monkeypatch):
    """Other rates, precisions, several filters a channel, plain kernels, no such op."""
    asked = []

    def direct(rate):
        def convolve(x, kernel):
            asked.append(rate)
            return x

        return convolve

    monkeypatch.setattr(kernels, "_dilated", direct)
    monkeypatch.setattr(kernels, "_dilates_directly", lambda: True)
    monkeypatch.delenv("IVDLIB_KERNELS", raising=False)
    x, kernel = tf.constant(normal(1, 8, 7, 4)), tf.constant(normal(3, 3, 4, 1))
    kernels.depthwise(x, kernel, rate=kernels.DIRECT_RATE)
    assert asked == [kernels.DIRECT_RATE]
    kernels.depthwise(x, kernel, rate=kernels.DIRECT_RATE + 1)
    kernels.depthwise(x, kernel, rate=1)
    kernels.depthwise(x, kernel, stride=2, padding="valid")
    kernels.depthwise(x, kernel, rate=2, padding="valid")
    kernels.depthwise(x, tf.constant(normal(3, 3, 4, 2)), rate=2)
    kernels.depthwise(tf.cast(x, "bfloat16"), tf.cast(kernel, "bfloat16"), rate=2)
    monkeypatch.setenv("IVDLIB_KERNELS", "plain")
    kernels.depthwise(x, kernel, rate=2)
    monkeypatch.delenv("IVDLIB_KERNELS")
    monkeypatch.setattr(kernels, "_dilates_directly", lambda: False)
    kernels.depthwise(x, kernel, rate=2)
    assert asked == [kernels.DIRECT_RATE]


def plain_moments(x):
    return tf.reduce_mean(x, 0), tf.matmul(x, x, transpose_a=True) / tf.cast(len(x), x.dtype)


@pytest.mark.parametrize("form", ["TensorFlow's", "that of other backends"])
@pytest.mark.parametrize("shape", [(12, 5), (1, 3), (40, 16)])
def test_moments_and_their_gradient(form, shape, monkeypatch):
    """The gradient holds for what depends on the products in a symmetric way."""
    if form != "TensorFlow's":
        monkeypatch.setattr(kernels.keras.backend, "backend", lambda: "another")
    x, upstream = normal(*shape), normal(shape[1], shape[1])
    upstreams = [normal(shape[1]), upstream + upstream.T]
    got = with_gradients(kernels.moments, upstreams, x)
    want = with_gradients(plain_moments, upstreams, x)
    x64 = x.astype(float)
    reference.assert_close(got[0][0], x64.mean(0))
    reference.assert_close(got[0][1], x64.T @ x64 / len(x))
    reference.assert_close(got[1][0], want[1][0])


def folded(x, kernel, inner, outer, training):
    """Two normalisations and a product, one after the other, in float64."""
    seen = {}
    x = x[:, None, None].astype(float)
    if inner is not None:
        x = reference.norm(x, inner, "inner", training, seen)
    y = reference.norm(x @ kernel.astype(float), outer, "outer", training, seen)
    return y[:, 0, 0], seen


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("between", [True, False])
def test_a_normalised_product_is_its_three_steps(training, between):
    x, kernel = normal(30, 6), normal(6, 4)
    inner, outer = networks.BatchNorm(name="inner"), networks.BatchNorm(name="outer")
    for norm, channels in ((inner, 6), (outer, 4)):
        norm.build((None, None, None, channels))
        reference.randomise(norm, channels)
    weights = [
        {f"{norm.name}/{name}": value for name, value in reference.weights_of(norm).items()}
        for norm in (inner, outer)
    ]
    want, seen = folded(x, kernel, weights[0] if between else None, weights[1], training)
    got = networks.normalised_product(
        tf.constant(x), tf.constant(kernel), inner if between else None, outer, training
    )
    reference.assert_close(np.array(got), want)
    before = weights[0] | weights[1]
    for norm in (inner, outer):
        for name, value in reference.weights_of(norm).items():
            old = before[f"{norm.name}/{name}"]
            now = seen.get(norm.name, {}).get(name)
            follows = old if now is None else 0.99 * old + 0.01 * now
            np.testing.assert_allclose(value, follows, atol=1e-6, err_msg=f"{norm.name}/{name}")
    assert len(seen) == training * (1 + between)


def test_the_fused_kernel_gives_the_variance_over_n():
    norm = networks.BatchNorm()
    norm.build((None, None, None, 3))
    reference.randomise(norm)
    x = normal(2, 3, 2, 3)
    _, mean, variance = kernels.fused_batch_norm(tf.constant(x), norm, True)
    np.testing.assert_allclose(mean, x.mean((0, 1, 2)), atol=1e-6)
    np.testing.assert_allclose(variance, x.var((0, 1, 2)), atol=1e-6)
