"""What students read whose augmentation is wrong in a way of its own."""

import numpy as np
import pytest
from scipy import ndimage

from ivdlib.course import own


def turned(image, mask, degrees):
    """As the lesson's solution does it."""
    return (
        ndimage.rotate(image, degrees, reshape=False, order=1),
        ndimage.rotate(mask, degrees, reshape=False, order=0),
    )


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
        (before_the_turn, "if this happens only with a turned tile, turn first"),
        (not_from_rng, "draw from rng, not from np.random"),
        (numbers, "a truth should hold only True and False"),
        (lambda image, mask, degrees, share, rng: image, "should return two things"),
    ],
)
def test_augmentations_that_are_wrong(function, sentence, said):
    assert sentence in said(function, "augment")


def test_a_generator_is_called_rng_where_a_call_is_written_out(said):
    assert "0, 0, rng)" in said(lambda *_: None, "augment")
