"""What students read whose training is wrong in a way of its own."""

import numpy as np
import pytest

from ivdlib.course import own
from ivdlib.course.own import lesson04_augment, lesson04_train
from ivdlib.networks import losses
from ivdlib.training.gradients import value_and_gradient


def batch_of(tiles, truths, augment, rng, size=4, reach=15):
    pairs = [
        augment(tiles[k], truths[k], rng.uniform(-reach, reach), rng.uniform(0, 0.15), rng)
        for k in rng.integers(len(tiles), size=size)
    ]
    return [np.stack(part)[..., np.newaxis] for part in zip(*pairs, strict=True)]


def momentum(model, tiles, truths, steps, rate, augment, rng):
    """Not Adam, and right all the same."""
    ask = value_and_gradient(model, losses.cross_entropy_and_dice)
    speed, curve = [0.0 for _ in model.trainable_weights], []
    for _ in range(steps):
        value, gradient = ask(*batch_of(tiles, truths, augment, rng))
        for n, weight in enumerate(model.trainable_weights):
            speed[n] = 0.9 * speed[n] + 3 * gradient[n]
            weight.assign(weight - rate * speed[n])
        curve.append(value)
    return curve


def changed(**how):
    """A training by plain steps, with something changed."""

    def train(model, tiles, truths, steps, rate, augment, rng):
        ask = value_and_gradient(model, losses.cross_entropy_and_dice)
        curve = []
        for _ in range(steps * how.get("asks", 1)):
            x, y = batch_of(
                tiles, truths, augment, rng, how.get("size", 4), how.get("reach", 15)
            )  # fmt: skip
            value, gradient = ask(x, y)
            for weight, part in zip(model.trainable_weights, gradient, strict=True):
                weight.assign_sub(how.get("rate", rate) * how.get("times", 3) * part)
            curve.append(value)
        return how.get("gives", lambda curve: curve)(curve)

    return train


def test_other_ways_down_are_right():
    own.check(momentum, name="train")
    own.check(changed(), name="train", student="Ann")


@pytest.mark.parametrize(
    ("how", "sentence"),
    [
        ({"times": -3}, "the loss climbs"),
        ({"times": 0}, "no weight moves"),
        ({"rate": 0.1}, "the rate has no effect"),
        ({"size": 3}, "a batch should have 4 tiles"),
        ({"reach": 40}, "draw an angle from -15 to 15"),
        ({"asks": 2}, "ask once in each step"),
        ({"gives": lambda curve: curve[-1:]}, "as many losses as there are steps"),
        ({"gives": lambda curve: 0.1}, "train should return a list"),
    ],
)
def test_trainings_that_are_wrong(how, sentence, said):
    assert sentence in said(changed(**how), "train")


def test_the_catalogues_training_trains_a_network_of_the_package():
    """It takes the place of a student's that has not passed."""
    from ivdlib import networks

    model = networks.build("unet", networks.UNetConfig(base=2, levels=1), (12, 16, 1))
    images = np.random.default_rng(0).random((6, 12, 16)) * 0.4
    images[:, 3:8, 4:10] += 0.5
    given = images, images > 0.45, 12, 0.03, lesson04_augment.augment
    curve = lesson04_train.train(model, *given, np.random.default_rng(0))
    assert len(curve) == 12 and np.mean(curve[-3:]) < np.mean(curve[:3])
