"""Rotation and random pixels (paper, Sect. 3.1)."""

import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

from ivdlib.preprocessing import augmentation

QUICK = settings(max_examples=30, deadline=None)


def rotated_tile(plane, start, tile, degrees, order):
    """Cut a window of a slice and turn it."""
    window = augmentation.cut(plane, start, tile, augmentation.margin(tile, abs(degrees)))
    turned = augmentation.rotate(window[None], np.float32([degrees]), tile, order)
    return keras.ops.convert_to_numpy(turned)[0]


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


def noisy(tile, seed, share):
    """One tile with a share of random pixels."""
    tiles = augmentation.random_pixels(tile[None], np.float32([share]), seed)
    return keras.ops.convert_to_numpy(tiles)[0]


@pytest.mark.parametrize("share", [0.05, 0.15, 0.6])
def test_random_pixels_are_the_share_and_in_the_range(share):
    tile = np.full((100, 100), 2.0, np.float32)
    for seed in range(5):
        changed = (result := noisy(tile, seed, share)) != tile
        assert result.dtype == np.float32 and result.shape == tile.shape
        assert (result[changed] >= 0).all() and (result[changed] < 1).all()
        assert result[changed].std() == pytest.approx(12**-0.5, abs=0.02)
        assert changed.mean() == pytest.approx(share, abs=4 * np.sqrt(share / tile.size))


def test_each_tile_has_a_share_of_its_own():
    tiles = np.full((3, 80, 80), 2.0, np.float32)
    result = augmentation.random_pixels(tiles, np.float32([0, 0.5, 1]), 0)
    changed = (keras.ops.convert_to_numpy(result) != 2).mean(axis=(1, 2))
    np.testing.assert_allclose(changed, [0, 0.5, 1], atol=0.03)
    assert changed[0] == 0 and changed[2] == 1


def test_which_pixels_change_does_not_depend_on_their_new_values():
    tile = np.full((200, 200), 2.0, np.float32)
    low, high = noisy(tile, 0, 0.5), noisy(tile, 0, 1.0)
    chosen = low != tile
    assert high[chosen].mean() == pytest.approx(high[~chosen].mean(), abs=0.02)


def test_the_input_is_not_changed_and_chance_is_the_seed_s():
    tile = blob((20, 20))
    before = tile.copy()
    first, again, other = (noisy(tile, seed, 0.5) for seed in (3, 3, 4))
    np.testing.assert_array_equal(tile, before)
    np.testing.assert_array_equal(first, again)
    assert (first != other).any()


@pytest.mark.parametrize("degrees", [0.0, 15.0, 45.0, 90.0, 180.0])
@pytest.mark.parametrize("tile", [(8, 8), (7, 20), (112, 128)])
def test_a_window_holds_all_that_a_turned_tile_shows(degrees, tile):
    around = augmentation.margin(tile, degrees)
    window = np.ones([t + 2 * m for t, m in zip(tile, around, strict=True)], np.float32)
    angles = np.linspace(-degrees, degrees, 25).astype(np.float32)
    turned = augmentation.rotate(np.repeat(window[None], 25, 0), angles, tile, 1)
    assert keras.ops.convert_to_numpy(turned).min() > 0.999
    if degrees == 0:
        assert around == (0, 0)


@pytest.mark.parametrize("order", [0, 1])
def test_turning_is_that_of_scipy(order):
    tile, angles = (20, 26), np.float32([0, 17, -30])
    around = augmentation.margin(tile, 30)
    rng = np.random.default_rng(0)
    windows = rng.random([3, *(t + 2 * m for t, m in zip(tile, around, strict=True))])
    got = keras.ops.convert_to_numpy(augmentation.rotate(np.float32(windows), angles, tile, order))
    for window, degrees, mine in zip(windows, angles, got, strict=True):
        cos, sin = np.cos(np.deg2rad(degrees)), np.sin(np.deg2rad(degrees))
        matrix = np.array([[cos, -sin], [sin, cos]])
        offset = (np.array(window.shape) - 1) / 2 - matrix @ ((np.array(tile) - 1) / 2)
        want = ndimage.affine_transform(
            window, matrix, offset, output_shape=tile, order=order, prefilter=False
        )
        np.testing.assert_allclose(mine, want, atol=1e-5)


def test_the_layer_turns_image_and_truth_and_puts_noise_on_the_image_alone():
    tile = (16, 20)
    around = augmentation.margin(tile, 20)
    truth = np.zeros([2, *(t + 2 * m for t, m in zip(tile, around, strict=True))], np.uint8)
    truth[:, 8:16, 10:] = 1
    windows = (0.25 + 0.5 * truth.astype(np.float32))[..., None]
    layer = augmentation.Augmentation(tile, seed=1)
    ones = np.ones((2, 1), "float32")
    drawn = windows, truth, np.float32([20, -20]), np.float32([0, 0.15]), ones, ones[:, 0]
    x, y = layer(*drawn)
    x, y = keras.ops.convert_to_numpy(x), keras.ops.convert_to_numpy(y)
    assert x.shape == y.shape == (2, *tile, 1) and x.dtype == y.dtype == np.float32
    assert set(np.unique(y)) == {0, 1} and (y[0] != y[1]).any()
    edges = np.abs(x[0] - 0.25 - 0.5 * y[0]) > 0.3
    assert edges.mean() < 0.02, "the truth turns with the image"
    assert 0.02 < (~np.isin(np.round(x[1], 6), (0.25, 0.75))).mean() < 0.4
    second = keras.ops.convert_to_numpy(layer(*drawn)[0])
    np.testing.assert_array_equal(x[0], second[0])
    assert (x[1] != second[1]).any(), "new noise at each call"
    again = augmentation.Augmentation.from_config(layer.get_config())
    np.testing.assert_array_equal(keras.ops.convert_to_numpy(again(*drawn)[0]), x)


def test_channels_turn_together_and_have_powers_and_noise_of_their_own():
    tile = (16, 20)
    around = augmentation.margin(tile, 20)
    plane = blob([t + 2 * m for t, m in zip(tile, around, strict=True)])
    windows = np.stack([plane, plane], axis=-1)[None]
    truth = np.zeros(windows.shape[:3], np.uint8)
    layer = augmentation.Augmentation(tile)
    turn, still, one = np.float32([20]), np.float32([0]), np.float32([1])
    x = np.array(layer(windows, truth, turn, still, np.float32([[1, 2]]), one)[0])
    alone = np.array(augmentation.rotate(windows[..., 0], turn, tile, 1))
    np.testing.assert_array_equal(x[..., 0], alone)
    np.testing.assert_allclose(x[..., 1], alone**2, rtol=1e-5)
    alike = np.ones((1, 2), "float32")
    x = np.array(layer(windows, truth, still, np.float32([0.5]), alike, one)[0])
    changed = x != np.array(layer(windows, truth, still, still, alike, one)[0])
    assert (changed[..., 0] != changed[..., 1]).any()


@pytest.mark.parametrize("order", [0, 1])
def test_an_enlarged_tile_is_what_scipy_makes_of_it(order):
    """Twice as large: half as much is seen; and a margin for what is shrunk, to the corners."""
    tile, zoom = (16, 20), 0.8
    around = augmentation.margin(tile, 10, scale=0.25)
    assert around > augmentation.margin(tile, 10)
    window = blob([t + 2 * m for t, m in zip(tile, around, strict=True)]) + 1
    for factor in (zoom, 2.0):
        got = augmentation.rotate(window[None], np.float32([0]), tile, order, np.float32([factor]))
        centre = (np.array(window.shape) - 1) / 2
        offset = centre - (np.array(tile) - 1) / 2 / factor
        want = ndimage.affine_transform(
            window, [1 / factor] * 2, offset, output_shape=tile, order=order, prefilter=False
        )
        np.testing.assert_allclose(keras.ops.convert_to_numpy(got)[0], want, atol=1e-5)
        assert want.min() >= 1  # nothing from beyond the window


@QUICK
@given(
    st.tuples(st.integers(1, 12), st.integers(1, 12)),
    st.tuples(st.integers(-20, 20), st.integers(-20, 20)),
    st.tuples(st.integers(1, 9), st.integers(1, 9)),
    st.tuples(st.integers(0, 4), st.integers(0, 4)),
)
def test_a_cut_is_that_of_a_wide_slice(shape, start, tile, around):
    plane = np.arange(1, 1 + np.prod(shape), dtype=np.float32).reshape(shape)
    wide = np.pad(plane, 60)
    rows, columns = (
        slice(60 + s - m, 60 + s + t + m) for s, t, m in zip(start, tile, around, strict=True)
    )
    np.testing.assert_array_equal(augmentation.cut(plane, start, tile, around), wide[rows, columns])
