"""Rotation and random pixels (paper, Sect. 3.1)."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ivdlib.augment import random_pixels, rotated_tile

QUICK = settings(max_examples=30, deadline=None)


def blob(shape=(40, 50)):
    rng = np.random.default_rng(1)
    return rng.random(shape, dtype=np.float32)


@pytest.mark.parametrize("order", [0, 1])
@pytest.mark.parametrize("start", [(0, 0), (3, 7), (24, 30)])
def test_an_angle_of_zero_only_cuts(order, start):
    plane = blob()
    tile = rotated_tile(plane, start, (16, 20), 0.0, order)
    np.testing.assert_array_equal(tile, plane[start[0] : start[0] + 16, start[1] : start[1] + 20])
    assert tile.dtype == np.float32


@pytest.mark.parametrize("order", [0, 1])
@pytest.mark.parametrize("side", [11, 12])
@pytest.mark.parametrize("quarters", [1, 2, 3, -1])
def test_quarter_turns_are_those_of_numpy(order, side, quarters):
    plane, start = blob(), (9, 13)
    content = plane[9 : 9 + side, 13 : 13 + side]
    tile = rotated_tile(plane, start, (side, side), 90.0 * quarters, order)
    np.testing.assert_allclose(tile, np.rot90(content, -quarters), atol=1e-5)


def test_half_a_turn_of_an_oblong_tile():
    plane = blob()
    tile = rotated_tile(plane, (5, 6), (10, 16), 180.0, 1)
    np.testing.assert_allclose(tile, plane[5:15, 6:22][::-1, ::-1], atol=1e-5)


@pytest.mark.parametrize("order", [0, 1])
def test_what_is_round_stays_as_it_was(order):
    y, x = np.indices((41, 41)) - 20.0
    plane = np.exp(-(x**2 + y**2) / 100).astype(np.float32)
    turned = rotated_tile(plane, (8, 8), (25, 25), 33.0, order)
    np.testing.assert_allclose(turned, plane[8:33, 8:33], atol=0.01 if order else 0.07)


def test_the_corners_of_the_tile_show_the_slice_and_not_emptiness():
    plane = np.ones((60, 60), np.float32)
    assert (rotated_tile(plane, (20, 20), (20, 20), 45.0, 1) > 0.999).all()


@QUICK
@given(st.floats(-180, 180), st.integers(0, 2**32 - 1))
def test_masks_stay_masks_and_images_in_their_range(degrees, seed):
    rng = np.random.default_rng(seed)
    mask = (rng.random((30, 30)) < 0.5).astype(np.float32)
    turned = rotated_tile(mask, (5, 8), (20, 16), degrees, 0)
    assert turned.shape == (20, 16) and set(np.unique(turned)) <= {0, 1}
    image = rotated_tile(rng.random((30, 30), dtype=np.float32), (5, 8), (20, 16), degrees, 1)
    assert image.min() >= 0 and image.max() <= 1


def test_beyond_the_slice_stand_zeros():
    plane = np.ones((10, 6), np.float32)
    tile = rotated_tile(plane, (0, 0), (12, 8), 0.0, 1)
    np.testing.assert_array_equal(tile[:10, :6], 1)
    assert tile.sum() == 60
    turned = rotated_tile(np.ones((20, 20), np.float32), (0, 0), (20, 20), 45.0, 1)
    assert turned[0, 0] == 0 and turned[10, 10] == 1


def test_random_pixels_are_at_most_the_share_and_in_the_range():
    tile, shares = np.full((100, 100), 2.0, np.float32), []
    for seed in range(40):
        rng = np.random.default_rng(seed)
        noisy = random_pixels(tile, rng, probability=1.0, max_share=0.15)
        changed = noisy != tile
        assert noisy.dtype == np.float32 and noisy.shape == tile.shape
        assert (noisy[changed] >= 0).all() and (noisy[changed] < 1).all()
        shares.append(changed.mean())
    assert max(shares) < 0.15 + 3 * np.sqrt(0.15 * 0.85 / tile.size)
    assert min(shares) < 0.03 and max(shares) > 0.12  # uniform from 0 to 15 %
    assert np.mean(shares) == pytest.approx(0.075, abs=0.025)


def test_as_many_images_get_noise_as_were_asked_for():
    tile, rng = np.full((8, 8), 2.0, np.float32), np.random.default_rng(0)
    changed = [
        (random_pixels(tile, rng, probability=0.5, max_share=1.0) != tile).any() for _ in range(400)
    ]
    assert np.mean(changed) == pytest.approx(0.5, abs=0.1)


@pytest.mark.parametrize(("probability", "share"), [(0.0, 1.0), (1.0, 0.0)])
def test_no_noise(probability, share):
    tile = blob((20, 20))
    noisy = random_pixels(tile, np.random.default_rng(0), probability=probability, max_share=share)
    np.testing.assert_array_equal(noisy, tile)


def test_the_input_is_not_changed_and_chance_is_the_generator_s():
    tile = blob((20, 20))
    before = tile.copy()
    noisy = [
        random_pixels(tile, np.random.default_rng(seed), probability=1.0, max_share=0.5)
        for seed in (3, 3, 4)
    ]
    np.testing.assert_array_equal(tile, before)
    np.testing.assert_array_equal(noisy[0], noisy[1])
    assert (noisy[0] != noisy[2]).any()
