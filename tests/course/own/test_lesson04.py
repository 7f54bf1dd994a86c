"""What students read whose augmentation, training or splicing is wrong in ways of their own."""

import numpy as np
import pytest
from scipy import ndimage

from ivdlib.course import own
from ivdlib.course.exercises import WrongAnswer
from ivdlib.course.own import checked, lesson04_augment, lesson04_splice, lesson04_train
from ivdlib.networks import losses
from ivdlib.preprocessing import tiles
from ivdlib.training.gradients import value_and_gradient


@pytest.fixture(autouse=True)
def no_tries(monkeypatch):
    """Each test is a kernel of its own."""
    monkeypatch.setattr(checked, "TRIES", type(checked.TRIES)())
    monkeypatch.setattr(checked, "PASSED", {})


def said(function, name):
    """The sentence of a check that fails."""
    with pytest.raises(WrongAnswer) as caught:
        own.check(function, name=name)
    return str(caught.value)


def turned(image, mask, degrees):
    """As the lesson's solution does it."""
    return (
        ndimage.rotate(image, degrees, reshape=False, order=1),
        ndimage.rotate(mask, degrees, reshape=False, order=0),
    )


# --- augment --------------------------------------------------------------------------------------


def by_choice(image, mask, degrees, share, rng):
    """Draws in another order and by another way than the catalogue's."""
    image, mask = turned(image, mask, degrees)
    chosen = rng.choice(image.size, int(share * image.size), replace=False)
    image.flat[chosen] = rng.random(len(chosen))
    return image, mask


def noise_on_the_truth(image, mask, degrees, share, rng):
    image, mask = turned(image, mask, degrees)
    chosen = rng.random(image.shape) < share
    return np.where(chosen, rng.random(image.shape), image), mask ^ chosen


def added(image, mask, degrees, share, rng):
    image, mask = turned(image, mask, degrees)
    chosen = rng.random(image.shape) < share
    return image + chosen * rng.normal(0, 0.5, image.shape), mask


def one_value(image, mask, degrees, share, rng):
    image, mask = turned(image, mask, degrees)
    return np.where(rng.random(image.shape) < share, rng.random(), image), mask


def before_the_turn(image, mask, degrees, share, rng):
    noisy = np.where(rng.random(image.shape) < share, rng.random(image.shape), image)
    return turned(noisy, mask, degrees)


def not_from_rng(image, mask, degrees, share, rng):
    return by_choice(image, mask, degrees, share, np.random.default_rng())


def numbers(image, mask, degrees, share, rng):
    image, mask = by_choice(image, mask, degrees, share, rng)
    return image, mask.astype(int)


@pytest.mark.parametrize("student", ["", "Ann", "4711", "Zoë"])
def test_another_order_of_draws_is_right(student):
    own.check(by_choice, name="augment", student=student)


@pytest.mark.parametrize(
    ("function", "sentence"),
    [
        (noise_on_the_truth, "the truth has random values in it"),
        (added, "values leave 0 to 1"),
        (one_value, "all chosen pixels have (nearly) one value"),
        (before_the_turn, "if it is so only for a turned tile, turn first"),
        (not_from_rng, "draw from rng, not from np.random"),
        (numbers, "a truth holds True and False"),
        (lambda image, mask, degrees, share, rng: image, "gives two things back"),
    ],
)
def test_augmentations_that_are_wrong(function, sentence):
    assert sentence in said(function, "augment")


def test_a_generator_is_called_rng_where_a_call_is_written_out():
    assert "0, 0, rng)" in said(lambda *_: None, "augment")


# --- train ----------------------------------------------------------------------------------------


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
        ({"rate": 0.1}, "the rate does nothing"),
        ({"size": 3}, "a batch should have 4 tiles"),
        ({"reach": 40}, "draw an angle from -15 to 15"),
        ({"asks": 2}, "ask once in each step"),
        ({"gives": lambda curve: curve[-1:]}, "as many losses as there are steps"),
        ({"gives": lambda curve: 0.1}, "train gives a list back"),
    ],
)
def test_trainings_that_are_wrong(how, sentence):
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


# --- splice ---------------------------------------------------------------------------------------


def test_splice_works_in_the_place_of_the_librarys():
    def splice(tiles, positions, shape):
        return lesson04_splice.splice(tiles, positions, shape)

    own.check(splice)
    grid = tiles.TileGrid((2, 7, 9), (4, 6), None, 0.5)
    answers = np.random.default_rng(0).random((len(grid.positions), 4, 6), np.float32)
    usual = grid.splice(answers)
    with own.plugged(splice) as at_work:
        theirs = grid.splice(answers)
    assert at_work["splice"].calls == 1 and theirs.dtype == usual.dtype
    np.testing.assert_allclose(theirs, usual, atol=1e-6)


def test_a_splice_of_another_shape_is_told():
    told = said(lambda t, p, s: lesson04_splice.splice(t, p, s)[0], "splice")
    assert "the result should be an array of shape (1, 1, 7), and is an array of shape (1, 7)" in (
        told
    )
