"""Worse images: in range, repeatable, and as bad as they say."""

import numpy as np
import pytest

from ivdlib.evaluation import stress


@pytest.fixture
def image():
    return np.random.default_rng(0).random((3, 64, 64), dtype=np.float32)


@pytest.mark.parametrize("kind", stress.KINDS)
def test_same_kind_of_image(image, kind):
    before = image.copy()
    found = stress.worsen(image, kind, seed=3)
    assert found.shape == image.shape and found.dtype == np.float32
    assert found.min() >= 0 and found.max() <= 1
    assert np.array_equal(found, stress.worsen(image, kind, seed=3))
    assert np.array_equal(image, before) and not np.array_equal(found, image)


def test_blur_stays_within_a_slice():
    point = np.zeros((3, 31, 31), np.float32)
    point[1, 15, 15] = 1
    found = stress.worsen(point, "blurred")
    assert found[[0, 2]].max() == 0 and found.sum() == pytest.approx(1, abs=1e-3)
    spread = (found[1] * (np.arange(31) - 15.0) ** 2).sum()
    assert spread == pytest.approx(stress.BLUR_PIXELS**2, rel=0.05)


def test_noise_is_that_of_a_magnitude_image():
    dark = stress.worsen(np.zeros((4, 64, 64), np.float32), "noisy")
    assert dark.mean() == pytest.approx(stress.NOISE * np.sqrt(np.pi / 2), rel=0.02)
    grey = stress.worsen(np.full((4, 64, 64), 0.5, np.float32), "noisy")
    assert grey.std() == pytest.approx(stress.NOISE, rel=0.05)


def test_share_of_random_pixels():
    found = stress.worsen(np.full((4, 64, 64), 2, np.float32) / 2, "pixels")
    assert np.mean(found != 1) == pytest.approx(stress.PIXELS, abs=0.01)
