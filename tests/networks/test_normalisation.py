"""Batch normalisation equals that of Keras."""

import keras
import numpy as np
import pytest
import reference
import tensorflow as tf

from ivdlib import networks
from ivdlib.networks import fast as kernels

RNG = np.random.default_rng(0)
ARGUMENTS = {"momentum": 0.9, "epsilon": 1e-3, "name": "norm"}
TOLERANCES = {"float32": 1e-5, "float64": 1e-9, "mixed_bfloat16": 2e-2, "mixed_float16": 3e-3}


@pytest.fixture(autouse=True)
def fast(monkeypatch):
    monkeypatch.delenv("IVDLIB_KERNELS", raising=False)


def pair(shape, precision="float32", **arguments):
    """Our layer and the one of Keras with equal weights."""
    arguments = ARGUMENTS | arguments
    both = [
        kind(dtype=precision, **arguments)
        for kind in (networks.BatchNorm, keras.layers.BatchNormalization)
    ]
    for layer in both:
        layer.build(shape)
        reference.randomise(layer)
    return both


@pytest.mark.parametrize("precision", TOLERANCES)
@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("shape", [(4, 5, 3, 6), (1, 1, 1, 2), (2, 3, 4, 16)])
def test_values_gradients_and_statistics_are_those_of_keras(precision, training, shape):
    x = tf.cast(RNG.uniform(-1, 1, shape), precision.removeprefix("mixed_"))
    upstream = RNG.uniform(-1, 1, shape)
    ours, theirs = pair(shape, precision)
    before = reference.weights_of(ours)
    results = []
    for layer in (ours, theirs):
        y, gradients = reference.output_and_gradients(layer, x, upstream, training)
        gradients = {name: g.astype(np.float64) for name, g in gradients.items()}
        results.append((y, gradients, reference.weights_of(layer)))
    (y, gradients, after), (wanted, wanted_gradients, wanted_after) = results
    assert y.dtype == wanted.dtype
    tolerance = TOLERANCES[precision]
    reference.assert_close(y.astype(np.float64), wanted.astype(np.float64), tolerance)
    reference.assert_same_gradients(gradients, wanted_gradients, 2 * tolerance)
    assert gradients.keys() == {"x", "gamma", "beta"}
    for name, value in wanted_after.items():
        reference.assert_close(after[name], value, tolerance / 5, name)
    moved = {name for name in after if (after[name] != before[name]).any()}
    assert moved == ({"moving_mean", "moving_variance"} if training else set())


def test_the_fused_kernel_is_what_runs(monkeypatch):
    """Else the tests here would compare Keras with itself."""
    used = []
    kernel = kernels.fused_batch_norm
    monkeypatch.setattr(kernels, "fused_batch_norm", lambda *a: used.append(1) or kernel(*a))
    ours, _ = pair((2, 3, 4, 5))
    x = RNG.uniform(-1, 1, (2, 3, 4, 5)).astype(np.float32)
    ours(x, training=True)
    assert len(used) == 1
    monkeypatch.setenv("IVDLIB_KERNELS", "plain")
    ours(x, training=True)
    assert len(used) == 1


@pytest.mark.parametrize(
    ("shape", "arguments"),
    [
        ((6, 5), {}),
        ((4, 3, 5), {}),
        ((2, 3, 4, 5), {"axis": 1}),
        ((2, 3, 4, 5), {"scale": False}),
        ((2, 3, 4, 5), {"center": False}),
        ((2, 3, 4, 5), {"synchronized": True}),
        ((2, 3, 4, 5), {"renorm": True}),
    ],
    ids=lambda v: str(v) if isinstance(v, dict) else None,
)
def test_what_the_fused_kernel_does_not_do_is_left_to_keras(shape, arguments, monkeypatch):
    monkeypatch.setattr(kernels, "fused_batch_norm", None)
    ours, theirs = pair(shape, **arguments)
    x = RNG.uniform(-1, 1, shape).astype(np.float32)
    for training in (True, False):
        want = np.array(theirs(x, training=training))
        reference.assert_close(np.array(ours(x, training=training)), want, 1e-6)


def network(kind):
    """Weights on both sides of the layer, so that its input gradient shows."""
    image = keras.Input((5, 4, 2))
    x = keras.layers.Conv2D(3, 3, use_bias=False, name="front")(image)
    x = kind(**ARGUMENTS)(x)
    model = keras.Model(image, keras.layers.Conv2D(1, 1, name="back")(x))
    for layer in model.layers:
        reference.randomise(layer)
    model.compile(keras.optimizers.SGD(0.5), "mse", jit_compile=False)
    return model


def test_a_network_learns_the_same_as_with_the_layer_of_keras():
    x = RNG.uniform(-1, 1, (4, 5, 4, 2)).astype(np.float32)
    y = RNG.uniform(-1, 1, (4, 3, 2, 1)).astype(np.float32)
    ours, theirs = network(networks.BatchNorm), network(keras.layers.BatchNormalization)
    start = ours.get_weights()
    for model in (ours, theirs):
        model.train_on_batch(x, y)
    for a, b, old in zip(ours.get_weights(), theirs.get_weights(), start, strict=True):
        np.testing.assert_allclose(a, b, atol=1e-5)
        assert np.abs(a - old).max() > 1e-4


def test_a_frozen_layer_keeps_its_statistics_in_training():
    layer, theirs = pair((2, 3, 4, 2))
    layer.trainable = theirs.trainable = False
    before = reference.weights_of(layer)
    x = RNG.uniform(-1, 1, (2, 3, 4, 2)).astype(np.float32)
    reference.assert_close(np.array(layer(x, training=True)), np.array(theirs(x, training=True)))
    for name, value in reference.weights_of(layer).items():
        np.testing.assert_array_equal(value, before[name], err_msg=name)


def test_a_constant_channel_becomes_its_offset():
    layer, _ = pair((2, 3, 4, 2))
    x = np.full((2, 3, 4, 2), 3.0, np.float32)
    beta = reference.weights_of(layer)["beta"]
    y = np.array(layer(x, training=True))
    reference.assert_close(y, np.broadcast_to(beta, y.shape), 1e-5)


def test_remember_keeps_the_share_that_momentum_says():
    layer, _ = pair((2, 3, 4, 2), momentum=0.75)
    old = reference.weights_of(layer)
    layer.remember(tf.constant([4.0, 8.0]), tf.constant([1.0, 2.0]))
    new = reference.weights_of(layer)
    np.testing.assert_allclose(new["moving_mean"], 0.75 * old["moving_mean"] + [1, 2], rtol=1e-6)
    wanted = 0.75 * old["moving_variance"] + [0.25, 0.5]
    np.testing.assert_allclose(new["moving_variance"], wanted, rtol=1e-6)


def test_the_layer_comes_back_from_its_configuration():
    layer = networks.BatchNorm(epsilon=1, momentum=0.3, synchronized=True)
    again = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(layer))
    assert type(again) is networks.BatchNorm
    assert again.get_config() == layer.get_config()
