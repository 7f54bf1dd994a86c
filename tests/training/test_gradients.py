"""Value and gradient of a loss, against differences, on every backend that is installed."""

import os
import subprocess
import sys

import keras
import numpy as np
import pytest
from scripts import installed

from ivdlib import networks
from ivdlib.networks import losses
from ivdlib.training import gradients

ON_A_BACKEND = """
import sys
import numpy as np, keras
from ivdlib import networks
from ivdlib.networks import losses
from ivdlib.training.gradients import pixel_gradient, value_and_gradient
model = networks.build("unet", networks.UNetConfig(base=2, levels=1), (8, 12, 1))
rng = np.random.default_rng(0)
weights = [rng.uniform(-1, 1, w.shape) if w.ndim > 1 else np.abs(w + 0.1) for w in
           model.get_weights()]
model.set_weights(weights)
x = rng.random((2, 8, 12, 1))
value, gradient = value_and_gradient(model, losses.cross_entropy_and_dice)(x, x > 0.6)
assert isinstance(value, float) and all(type(part) is np.ndarray for part in gradient)
logits, looked_at = pixel_gradient(model)(x, (3, 7))
assert type(logits) is np.ndarray and looked_at.shape == x.shape and np.abs(looked_at).max() > 0
np.savez(sys.argv[1], value, *gradient, *model.get_weights(), logits, looked_at)
"""


def small():
    """A network of one 3x3 convolution, and a batch."""
    keras.utils.set_random_seed(0)
    layer = keras.layers.Conv2D(1, 3, padding="same", activation="sigmoid")
    rng = np.random.default_rng(0)
    x = rng.random((2, 6, 5, 1))
    return keras.Sequential([keras.Input((6, 5, 1)), layer]), x, x > 0.5


def test_the_gradient_is_that_of_small_differences():
    model, x, y = small()
    ask = gradients.value_and_gradient(model, losses.cross_entropy)
    value, (kernel, bias) = ask(x, y)
    assert kernel.shape == (3, 3, 1, 1) and bias.shape == (1,)
    weight, little = model.trainable_weights[0], np.zeros((3, 3, 1, 1))
    little[0, 2] = 1e-2
    start = model.get_weights()[0]
    weight.assign(start + little)
    above = ask(x, y)[0]
    weight.assign(start - little)
    below = ask(x, y)[0]
    assert below != value != above
    assert (above - below) / 2e-2 == pytest.approx(float(kernel[0, 2, 0, 0]), rel=0.02)


def test_a_compiled_network_follows_its_weights(monkeypatch):
    model, x, y = small()
    plain = gradients.value_and_gradient(model, losses.cross_entropy)
    monkeypatch.setattr(gradients, "COMPILED", 1)
    compiled = gradients.value_and_gradient(model, losses.cross_entropy)
    for _ in range(3):
        value, parts = compiled(x, y)
        assert value == pytest.approx(plain(x, y)[0], rel=1e-5)
        for weight, part in zip(model.trainable_weights, parts, strict=True):
            weight.assign_sub(0.5 * part)
    assert plain(x, y)[0] < value


def test_who_watches_sees_each_batch_and_only_within_the_block():
    model, x, y = small()
    ask, seen = gradients.value_and_gradient(model, losses.cross_entropy), []
    with gradients.watched(lambda *batch: seen.append(batch)):
        value, _ = ask(x, y)
    ask(x, y)
    ((images, truth, told),) = seen
    assert told == value and np.array_equal(images, np.float32(x)) and truth.sum() == y.sum()


def test_batch_normalisation_notes_what_it_sees():
    model = networks.build("unet", networks.UNetConfig(base=2, levels=1), (8, 12, 1))
    before = [np.array(v) for v in model.non_trainable_variables]
    x = np.random.default_rng(0).random((2, 8, 12, 1))
    gradients.value_and_gradient(model, losses.cross_entropy)(x, x > 0.5)
    after = [np.array(v) for v in model.non_trainable_variables]
    assert any((a != b).any() for a, b in zip(before, after, strict=True))


def test_the_gradient_of_a_pixel_is_that_of_small_differences_of_its_logit():
    # 10 x 14 is padded inside to 12 x 16
    model = networks.build("unet", networks.UNetConfig(base=2, levels=2), (10, 14, 1))
    rng = np.random.default_rng(1)
    x = rng.random((3, 10, 14, 1)).astype("f4")
    before = model.get_weights()
    ask, pixel = gradients.pixel_gradient(model), (4, 9)
    logits, gradient = ask(x, pixel)
    place = 1, *np.unravel_index(np.abs(gradient[1]).argmax(), x.shape[1:])
    answers = keras.ops.convert_to_numpy(model(x))[:, 4, 9, 0]
    assert np.allclose(1 / (1 + np.exp(-logits)), answers, atol=1e-5)
    little = np.zeros_like(x)
    little[place] = 1e-3
    above, below = (ask(x + sign * little, pixel)[0] for sign in (1, -1))
    changed = (above - below) / 2e-3
    assert changed[1] == pytest.approx(float(gradient[place]), rel=0.05) and changed[1] != 0
    assert changed[0] == changed[2] == 0  # each logit has its own tile
    assert all(map(np.array_equal, before, model.get_weights()))  # nothing is learnt or noted


def test_of_two_channels_disc_stands_against_background():
    image = keras.Input((4, 4, 1))
    two = keras.layers.Conv2D(2, 1, use_bias=False, data_format="channels_last")(image)
    model = keras.Model(image, keras.layers.Activation("softmax", name="probability")(two))
    model.set_weights([np.float32([[[[1, 3]]]])])
    logits, gradient = gradients.pixel_gradient(model)(np.full((1, 4, 4, 1), 0.5), (1, 2))
    assert logits == pytest.approx(1)  # 3 * 0.5 - 1 * 0.5
    assert gradient[0, 1, 2, 0] == pytest.approx(2) and np.count_nonzero(gradient) == 1


@pytest.mark.long
@pytest.mark.parametrize("backend", ["jax", "torch"])
def test_every_backend_gives_the_gradient_of_tensorflow(backend, tmp_path):
    installed(backend)
    found = []
    for name in ("tensorflow", backend):
        path = tmp_path / f"{name}.npz"
        done = subprocess.run(
            [sys.executable, "-c", ON_A_BACKEND, str(path)],
            env=os.environ | {"KERAS_BACKEND": name, "JAX_PLATFORMS": "cpu"},
            capture_output=True, text=True,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr[-2000:]
        found.append(np.load(path))
    ours, theirs = found
    assert ours.files == theirs.files
    for key in ours.files:
        np.testing.assert_allclose(theirs[key], ours[key], atol=1e-4, err_msg=key)


def test_steps_of_adam_are_those_of_keras():
    model, x, y = small()
    start = model.get_weights()
    ask = gradients.value_and_gradient(model, losses.cross_entropy)
    ours = list(gradients.descend(ask, model.trainable_weights, [(x, y)] * 5, 0.05))
    mine = model.get_weights()
    model.set_weights(start)
    optimizer = keras.optimizers.Adam(0.05)
    theirs = []
    for _ in range(5):
        value, parts = ask(x, y)
        theirs.append(value)
        optimizer.apply([keras.ops.convert_to_tensor(part) for part in parts], model.weights)
    np.testing.assert_allclose(ours, theirs, rtol=1e-4)
    for one, other in zip(mine, model.get_weights(), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-3, atol=1e-5)


def test_between_two_steps_one_may_look():
    model, x, y = small()
    ask = gradients.value_and_gradient(model, losses.cross_entropy)
    seen = []
    for _ in gradients.descend(ask, model.trainable_weights, [(x, y)] * 3, 0.05):
        seen.append(model.get_weights()[0].copy())
    assert len(seen) == 3
    assert (seen[0] != seen[1]).any() and (seen[1] != seen[2]).any()
