"""What holds for all networks: names, sizes, any image, weights to a file and back, seeds."""

from dataclasses import replace

import keras
import numpy as np
import pytest

from ivdlib import networks
from ivdlib.errors import ConfigError
from ivdlib.networks import losses

RNG = np.random.default_rng(0)


def made(name, seed, shape):
    """A tiny network whose moving statistics are those of one batch: fresh ones hide the image."""
    keras.utils.set_random_seed(seed)
    config = replace(networks.config_of(name, "tiny"), bn_momentum=0.0)
    model = networks.build(name, config, shape)
    start = model.get_weights()
    model(RNG.uniform(0, 1, (2, *shape)).astype(np.float32), training=True)
    return model, start


@pytest.fixture(scope="module", params=networks.NAMES)
def three(request):
    """Two networks from one seed, and one from another seed and for another image size."""
    seeds = ((7, (36, 28, 1)), (7, (36, 28, 1)), (8, (20, 44, 1)))
    return [made(request.param, *seed) for seed in seeds]


def probabilities(model, x):
    return keras.ops.convert_to_numpy(model(x, training=False))


@pytest.mark.parametrize("name", networks.NAMES)
@pytest.mark.parametrize("shape", [(35, 25, 1), (1, 33, 2)])
def test_output_has_the_size_of_any_input(name, shape):
    model = networks.build(name, "tiny", shape)
    assert model.output_shape == (None, *shape[:2], 1)
    p = probabilities(model, RNG.uniform(0, 1, (1, *shape)).astype(np.float32))
    assert p.shape == (1, *shape[:2], 1)
    assert p.dtype == np.float32
    assert p.min() > 0
    assert p.max() < 1


def test_same_seed_same_weights(three):
    (_, first), (_, second), (_, other) = three
    for a, b in zip(first, second, strict=True):
        np.testing.assert_array_equal(a, b)
    assert any((a != b).any() for a, b in zip(first, other, strict=True))


def test_weights_return_from_a_file_for_another_image_size(three, tmp_path):
    (model, _), (same, start), (other, _) = three
    path = tmp_path / "model.weights.h5"
    model.save_weights(path)
    x = RNG.uniform(0, 1, (2, 36, 28, 1)).astype(np.float32)
    same.set_weights(start)
    assert np.abs(probabilities(same, x) - probabilities(model, x)).max() > 1e-3
    same.load_weights(path)
    np.testing.assert_allclose(probabilities(same, x), probabilities(model, x), atol=1e-6)
    other.load_weights(path)
    for a, b in zip(model.get_weights(), other.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_the_network_returns_from_a_file_in_safe_mode(three, tmp_path):
    """Its layers are registered with Keras, so no code is loaded with it."""
    (model, _), *_ = three
    path = tmp_path / "model.keras"
    model.save(path)
    again = keras.models.load_model(path, safe_mode=True)
    x = RNG.uniform(0, 1, (2, 36, 28, 1)).astype(np.float32)
    assert np.ptp(probabilities(model, x)) > 1e-3
    np.testing.assert_allclose(probabilities(again, x), probabilities(model, x), atol=1e-6)
    assert [layer.name for layer in again.layers] == [layer.name for layer in model.layers]
    assert [type(layer) for layer in again.layers] == [type(layer) for layer in model.layers]


SMALL = {
    "fds_cnn": replace(networks.config_of("fds_cnn", "tiny"), middle_units=1),
    "unet": networks.UNetConfig(base=4),
    "deeplabv3plus": replace(networks.config_of("deeplabv3plus", "tiny"), middle_units=1),
}
TILE = (16, 16, 1)
LARGER = (32, 32, 1)
"""On CPUs with float16 units, oneDNN's depthwise gradients of maps of one pixel are NaN in float16
(TensorFlow 2.21), and `TILE` leaves DeepLabv3+ such maps."""


def step(name, seed, tile=TILE, precision="float32"):
    """Weights after one step in training mode, and its loss."""
    keras.utils.set_random_seed(seed)
    model = networks.build(name, SMALL.get(name, "tiny"), tile, precision)
    optimizer = keras.optimizers.SGD(0.01)
    if precision == "float16":
        # As Keras would, but for a scale so large that the first steps are skipped.
        optimizer = keras.optimizers.LossScaleOptimizer(optimizer, initial_scale=16)
    model.compile(optimizer, losses.loss("bce_dice"), run_eagerly=True)
    rng = np.random.default_rng(0)
    x = rng.uniform(0, 1, (2, *tile)).astype(np.float32)
    y = (rng.uniform(0, 1, (2, *tile)) < 0.3).astype(np.float32)
    start = model.get_weights()
    loss = model.train_on_batch(x, y)
    return model, loss, start


@pytest.mark.parametrize("name", ["fds_cnn", "unet"])
def test_same_seed_same_step(name):
    """Dropout too follows the seed."""
    (first, loss, _), (second, same, _), (_, other, _) = (step(name, seed) for seed in (4, 4, 5))
    assert loss == pytest.approx(same, rel=1e-6)
    assert loss != pytest.approx(other, rel=1e-4)
    for a, b in zip(first.get_weights(), second.get_weights(), strict=True):
        np.testing.assert_allclose(a, b, atol=1e-6)


@pytest.mark.parametrize("precision", ["bfloat16", "float16"])
@pytest.mark.parametrize("name", networks.NAMES)
def test_mixed_precision_answers_in_float32_and_takes_a_step(name, precision):
    model, loss, start = step(name, 4, LARGER, precision)
    assert model.get_layer("logits").compute_dtype == precision
    answer = model(RNG.uniform(0, 1, (2, *LARGER)).astype(np.float32), training=True)
    assert keras.backend.standardize_dtype(answer.dtype) == "float32"
    assert np.isfinite(keras.ops.convert_to_numpy(answer)).all()
    assert np.isfinite(loss)
    after = model.get_weights()
    assert all(np.isfinite(weight).all() for weight in after)
    assert {weight.dtype for weight in model.trainable_weights} == {"float32"}
    moved = [(a != b).any() for a, b in zip(start, after, strict=True)]
    assert np.mean(moved) > 0.8


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: networks.build("segnet"), "fds_cnn, unet, deeplabv3plus"),
        (lambda: networks.config_of("unet", "huge"), "tiny, laptop, paper"),
        (lambda: networks.build("unet", "huge"), "tiny, laptop, paper"),
        (lambda: networks.build("unet", networks.FDSCNNConfig()), "UNetConfig"),
        (lambda: networks.build("unet", "tiny", (112, 128)), "height, width, channels"),
        (lambda: networks.build("unet", "tiny", (None, 128, 1)), "height, width, channels"),
        (lambda: networks.config_from_dict("unet", {"depth": 3}), "depth"),
        (lambda: networks.config_from_dict("segnet", {}), "fds_cnn, unet, deeplabv3plus"),
        (lambda: networks.UNetConfig(base=0), "base"),
    ],
)
def test_what_does_not_exist_is_refused_with_what_does(call, words):
    with pytest.raises(ConfigError, match=words):
        call()
