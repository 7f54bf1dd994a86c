"""Fast kernels against the operations that they stand for."""

import keras
import numpy as np
import pytest
import reference
import tensorflow as tf

from ivdlib import networks
from ivdlib.networks import convolution
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
    got = with_gradients(lambda x, k: convolution.depthwise(x, k, rate=rate), [upstream], x, kernel)
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
    got = with_gradients(lambda x, k: convolution.depthwise(x, k, rate=rate), [upstream], x, kernel)
    for ours, theirs in zip(got[0] + got[1], want[0] + want[1], strict=True):
        reference.assert_close(ours, theirs)


def test_shifted_maps_in_bfloat16_are_added_in_float32(fast, monkeypatch):
    monkeypatch.setattr(kernels.keras.backend, "backend", lambda: "jax")
    x = tf.cast(normal(1, 9, 8, 5), "bfloat16")
    kernel = tf.cast(normal(3, 3, 5, 1), "bfloat16")
    got = convolution.depthwise(x, kernel, rate=2)
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
        got = convolution.depthwise(tf.constant(x), weight, rate=rate)
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
    convolution.depthwise(x, kernel, rate=kernels.DIRECT_RATE)
    assert asked == [kernels.DIRECT_RATE]
    convolution.depthwise(x, kernel, rate=kernels.DIRECT_RATE + 1)
    convolution.depthwise(x, kernel, rate=1)
    convolution.depthwise(x, kernel, stride=2)
    convolution.depthwise(x, tf.constant(normal(3, 3, 4, 2)), rate=2)
    convolution.depthwise(tf.cast(x, "bfloat16"), tf.cast(kernel, "bfloat16"), rate=2)
    monkeypatch.setenv("IVDLIB_KERNELS", "plain")
    convolution.depthwise(x, kernel, rate=2)
    monkeypatch.delenv("IVDLIB_KERNELS")
    monkeypatch.setattr(kernels, "_dilates_directly", lambda: False)
    convolution.depthwise(x, kernel, rate=2)
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
    got = kernels.normalised_product(
        tf.constant(x[:, None, None]),
        tf.constant(kernel[None, None]),
        inner if between else None,
        outer,
        training,
    )
    reference.assert_close(np.array(got)[:, 0, 0], want)
    before = weights[0] | weights[1]
    for norm in (inner, outer):
        for name, value in reference.weights_of(norm).items():
            old = before[f"{norm.name}/{name}"]
            now = seen.get(norm.name, {}).get(name)
            follows = old if now is None else 0.99 * old + 0.01 * now
            np.testing.assert_allclose(value, follows, atol=1e-6, err_msg=f"{norm.name}/{name}")
    assert len(seen) == training * (1 + between)


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("between", [True, False])
def test_a_normalised_product_has_the_gradients_of_its_three_steps(training, between, monkeypatch):
    """In x, in the kernel, and in what both normalisations learn; the steps are plain Keras."""
    monkeypatch.setenv("IVDLIB_KERNELS", "plain")
    x, kernel, upstream = normal(3, 5, 4, 6), normal(1, 1, 6, 4), normal(3, 5, 4, 4)
    found = []
    for product in (kernels.normalised_product, convolution.pointwise):
        norms = [networks.BatchNorm(name="inner"), networks.BatchNorm(name="outer")]
        for norm, channels in zip(norms, (6, 4), strict=True):
            norm.build((None, None, None, channels))
            reference.randomise(norm, channels)
        inner, outer = norms if between else (None, norms[1])
        sources = [tf.constant(x), tf.constant(kernel)]
        with tf.GradientTape() as tape:
            tape.watch(sources)
            y = product(*sources, inner, outer, training)
            total = tf.reduce_sum(y * upstream)
        learned = [w.value for norm in norms[not between :] for w in norm.trainable_weights]
        moving = [w.value for norm in norms for w in norm.non_trainable_weights]
        found.append([y, *tape.gradient(total, sources + learned), *moving])
    assert len(found[0]) == 1 + 2 + 2 * (1 + between) + 4
    for folded, plain in zip(*found, strict=True):
        reference.assert_close(np.array(folded), np.array(plain), 1e-4)


def test_the_fused_kernel_gives_the_variance_over_n():
    norm = networks.BatchNorm()
    norm.build((None, None, None, 3))
    reference.randomise(norm)
    x = normal(2, 3, 2, 3)
    _, mean, variance = kernels.fused_batch_norm(tf.constant(x), norm, True)
    np.testing.assert_allclose(mean, x.mean((0, 1, 2)), atol=1e-6)
    np.testing.assert_allclose(variance, x.var((0, 1, 2)), atol=1e-6)


def test_the_environment_and_the_precision_choose_the_way(monkeypatch):
    """Few channels are folded, many are not; never with plain kernels or in low precision."""
    narrow, wide = tf.zeros((1, 2, 2, 16)), tf.zeros((1, 2, 2, 1024))
    monkeypatch.delenv("IVDLIB_KERNELS", raising=False)
    monkeypatch.setattr(kernels.backend, "has_gpu", lambda: False)
    assert kernels.folding_pays(narrow, 32, True, True)
    assert not kernels.folding_pays(wide, 1024, True, True)
    assert kernels.folding_pays(wide, 1024, True, False)
    assert not kernels.folding_pays(tf.cast(narrow, "bfloat16"), 32, True, True)
    monkeypatch.setenv("IVDLIB_KERNELS", "plain")
    assert not kernels.folding_pays(narrow, 32, True, True)
    monkeypatch.delenv("IVDLIB_KERNELS")
    monkeypatch.setattr(kernels.backend, "has_gpu", lambda: True)
    assert not kernels.folding_pays(narrow, 32, True, True)


@pytest.mark.parametrize("frozen", ["depthwise_norm", "pointwise_norm"])
def test_normalisations_of_which_one_is_frozen_are_not_folded(frozen, monkeypatch):
    monkeypatch.setattr(kernels, "folding_pays", lambda *_: True)
    x = tf.zeros((1, 2, 2, 3))
    layer = networks.SeparableConv(5)
    layer.build(x.shape)
    norms = layer.depthwise_norm, layer.pointwise_norm
    assert kernels.folds(x, *norms, True) and kernels.folds(x, None, norms[1], True)
    getattr(layer, frozen).trainable = False
    assert not kernels.folds(x, *norms, True)
    assert kernels.folds(x, None, norms[1], True)


def test_mixed_precision_is_never_folded(monkeypatch):
    """The products of low precision lose the variance."""
    monkeypatch.delenv("IVDLIB_KERNELS", raising=False)

    def refuse(*_):
        raise AssertionError("folded")

    monkeypatch.setattr(kernels, "normalised_product", refuse)
    x = normal(2, 6, 5, 16)
    low = networks.SeparableConv(16, dtype="mixed_bfloat16")
    assert np.isfinite(np.array(tf.cast(low(x, training=True), "float32"))).all()
    with pytest.raises(AssertionError, match="folded"):
        networks.SeparableConv(16)(x, training=True)


def test_a_large_mean_does_not_hide_the_variance(way):
    """Ten standard deviations from zero, as behind a ReLU that is always open."""
    x = (10 + RNG.normal(size=(4, 8, 7, 3))).astype(np.float32)
    layer = networks.ConvNorm(4, relu="none", name="layer")
    layer.build(x.shape)
    reference.randomise(layer)
    weights = reference.weights_of(layer)
    want = reference.conv_norm(x.astype(float), weights, where="none", training=True)
    reference.assert_close(np.array(layer(x, training=True)), want, 5e-4)


# what stands for the plain lines, and a layer in which it does
SEAMS = {
    "dilated_depthwise": lambda: networks.SeparableConv(32, "inside", rate=5, name="layer"),
    "normalised_product": lambda: networks.SeparableConv(32, rate=2, name="layer"),
    "fused_batch_norm": lambda: networks.ConvNorm(32, 3, name="layer"),
}


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("seam", SEAMS)
def test_the_fast_form_is_chosen_and_equals_the_plain_one(seam, training, monkeypatch):
    """Nothing forced: outputs, gradients, statistics of a layer as it runs, and as it reads."""
    x, upstream = normal(2, 14, 16, 16), normal(2, 14, 16, 32)
    used, stand_in = [], getattr(kernels, seam)
    monkeypatch.setattr(kernels, seam, lambda *a: used.append(seam) or stand_in(*a))
    found = []
    for form in ("fast", "plain"):
        monkeypatch.setenv("IVDLIB_KERNELS", form)
        layer = SEAMS[seam]()
        layer.build(x.shape)
        reference.randomise(layer)
        results = reference.output_and_gradients(layer, x, upstream, training, compiled=True)
        found.append((*results, reference.weights_of(layer)))
        assert used == [seam], form
    (y, gradients, after), (plain, plain_gradients, plain_after) = found
    reference.assert_close(y, plain)
    reference.assert_same_gradients(gradients, plain_gradients)
    reference.assert_same_gradients(after, plain_after, 1e-5)
