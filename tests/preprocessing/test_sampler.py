"""Training tiles: the batch of a step depends on the seed and the step alone."""

import dataclasses

import numpy as np
import pytest

from ivdlib.errors import ConfigError
from ivdlib.options import TrainingOptions
from ivdlib.preprocessing import augmentation
from ivdlib.preprocessing.sampler import TileSampler, TrainingImage

PLAIN = TrainingOptions(batch=4, rotation=0.0, noise_probability=0.0, tiles="all")


def batch(engine, step=0):
    """The augmented tiles of a step and their truth."""
    x, y = augmentation.Augmentation(engine.tile)(*engine.draw(step))
    return np.array(x), np.array(y)


def scan(shape=(4, 40, 48), seed=0, window=None, share=0.3):
    rng = np.random.default_rng(seed)
    truth = rng.random(shape) < share
    image = (0.1 + 0.8 * truth).astype(np.float32)
    return TrainingImage(image, truth, window or (0, shape[1]))


def sampler(images=None, tile=(16, 16), options=PLAIN, seed=0, **changes):
    images = [scan(), scan(seed=1)] if images is None else images
    return TileSampler(images, tile, dataclasses.replace(options, **changes), seed)


def test_a_draw_is_a_function_of_seed_and_step():
    options = TrainingOptions(batch=3)
    one, two = sampler(options=options, seed=5), sampler(options=options, seed=5)
    late = two.draw(7)
    for step in (0, 3, 7):  # in another order, some of them twice
        drawn = one.draw(step)
        for again in (one, two):
            for mine, other in zip(drawn, again.draw(step), strict=True):
                np.testing.assert_array_equal(mine, other)
    np.testing.assert_array_equal(one.draw(7).windows, late.windows)
    assert (one.draw(0).windows != one.draw(1).windows).any()
    assert (one.draw(0).windows != sampler(options=options, seed=6).draw(0).windows).any()


def test_the_global_generator_is_left_alone():
    np.random.seed(3)  # noqa: NPY002
    expected = np.random.random()  # noqa: NPY002
    np.random.seed(3)  # noqa: NPY002
    first = sampler().draw(0).windows
    assert np.random.random() == expected  # noqa: NPY002
    np.testing.assert_array_equal(sampler().draw(0).windows, first)


@pytest.mark.parametrize("shape", [(3, 40, 48), (3, 10, 48), (3, 40, 9), (3, 7, 9), (3, 16, 16)])
def test_batches_have_the_shape_of_the_tile(shape):
    x, y = batch(sampler([scan(shape)], options=TrainingOptions(batch=5)), 0)
    assert x.shape == y.shape == (5, 16, 16, 1) and x.dtype == y.dtype == np.float32
    assert set(np.unique(y)) <= {0.0, 1.0}
    assert x.min() >= 0 and x.max() <= 1


def test_a_small_image_stands_in_the_middle_with_zeros_around():
    x, y = batch(sampler([scan((1, 7, 9))]), 0)
    only = scan((1, 7, 9))
    for k in range(4):
        top, left = (16 - 7) // 2, (16 - 9) // 2
        place = np.s_[k, top : top + 7, left : left + 9, 0]
        np.testing.assert_array_equal(x[place], only.image[0])
        np.testing.assert_array_equal(y[place], only.truth[0])
        assert x[k].sum() == pytest.approx(only.image[0].sum())


def test_the_truth_belongs_to_the_image():
    engine = sampler(batch=8)
    for step in range(5):
        x, y = batch(engine, step)
        np.testing.assert_array_equal(y == 1, x > 0.5)


def test_the_truth_turns_with_the_image():
    y, z = np.indices((60, 60))
    truth = np.broadcast_to((np.abs(y - 30) < 6) & (np.abs(z - 25) < 15), (3, 60, 60))
    image = (0.1 + 0.8 * truth).astype(np.float32)
    engine = sampler(
        [TrainingImage(image, truth, (0, 60))], (24, 24), batch=32, rotation=45.0, tiles="thinned"
    )
    x, y = batch(engine, 0)
    seen = x > 0.01  # not beyond the slice
    wrong = ((x > 0.5) != (y == 1)) & seen
    assert y.mean() > 0.05
    assert (
        wrong.mean() < 0.02
    )  # the edge of an interpolated mask; truth that does not turn: far more


def test_every_image_and_slice_is_drawn_and_the_grid_moves():
    numbered = [
        TrainingImage(
            np.full((3, 40, 48), 0.0, np.float32)
            + (np.arange(3)[:, None, None] + 3 * k + 1).astype(np.float32) / 10,
            np.ones((3, 40, 48), bool),
            (0, 40),
        )
        for k in range(2)
    ]
    engine = sampler(numbered, batch=60)
    values = np.round(batch(engine, 0)[0].max(axis=(1, 2, 3)) * 10).astype(int)
    assert set(values) == {1, 2, 3, 4, 5, 6}
    ramp = np.broadcast_to(np.arange(40)[None, :, None] / 100, (1, 40, 48)).astype(np.float32)
    x, _ = batch(sampler([TrainingImage(ramp, ramp >= 0, (0, 40))], batch=200), 0)
    starts = np.round(x[:, 8, 0, 0] * 100).astype(int) - 8  # three tiles of 16 for 40 pixels
    assert set(starts) == {*range(-8, 1), *range(8, 17), *range(24, 32)}  # 32 reads as -8


@pytest.mark.parametrize("window", [(12, 28), (10, 30)])
def test_clipped_tiles_lie_within_the_window(window):
    ramp = np.broadcast_to(np.arange(48)[None, :, None] / 100, (1, 48, 16)).astype(np.float32)
    image = TrainingImage(ramp, ramp >= 0, window)
    x, _ = batch(sampler([image], batch=60, placement="clipped"), 0)
    starts = np.round(x[:, 0, 0, 0] * 100).astype(int)
    if window[1] - window[0] == 16:  # one tile is the window, moved a little to both sides
        assert starts.min() == 10 and starts.max() == 14
    else:
        seen = {row for start in starts for row in range(start, start + 16)}
        assert seen == set(range(*window)), "all of the window and nothing beyond"


def counted(shape, window, tile, placement="even", batches=40, batch=250):
    """How often each pixel of a slice is drawn, of 10 000 tiles."""
    pixels = np.arange(1, 1 + shape[0] * shape[1], dtype=np.float64).reshape(1, *shape)
    image = TrainingImage(pixels, np.ones((1, *shape), bool), window)
    engine = sampler([image], tile, batch=batch, placement=placement)
    found = np.zeros(1 + pixels.size)
    for step in range(batches):
        drawn = np.rint(engine.draw(step).windows).astype(int)
        found += np.bincount(drawn.ravel(), minlength=found.size)
    return found[1:].reshape(shape)


SIZES = [
    # slice, window, tile: one tile is the window; several; no multiple; narrow; fits along an axis
    ((48, 40), (10, 26), (16, 20)),
    ((48, 40), (0, 48), (16, 20)),
    ((50, 47), (3, 43), (16, 20)),
    ((50, 21), (7, 24), (16, 20)),
    ((31, 60), (0, 31), (16, 60)),
    ((17, 90), (0, 17), (16, 16)),
    ((60, 33), (44, 60), (16, 32)),
    ((40, 64), (20, 30), (16, 16)),
]


@pytest.mark.parametrize(("shape", "window", "tile"), SIZES)
def test_every_pixel_of_the_window_is_drawn_equally_often(shape, window, tile):
    found = counted(shape, window, tile)[slice(*window)]
    for line in (found.mean(axis=0), found.mean(axis=1)):  # of 10 000 draws: luck is 2 %
        assert np.abs(line / line.mean() - 1).max() < 0.1
    assert np.abs(found / found.mean() - 1).max() < 0.2  # pixel by pixel, with its luck


@pytest.mark.parametrize(("shape", "window", "tile"), SIZES[:2])
def test_the_draw_of_old_records_is_not_even(shape, window, tile):
    found = counted(shape, window, tile, "clipped")[slice(*window)]
    lines = [line / line.mean() for line in (found.mean(axis=0), found.mean(axis=1))]
    assert max(np.abs(line - 1).max() for line in lines) > 0.2


def before(rng, tile, length, window):
    """What `clipped` did when the trainings of reports/reference were made."""
    first, last = window
    if length <= tile:
        return 0
    if last - first <= tile:
        start = first + rng.integers(-(tile // 8), tile // 8 + 1)
        return int(np.clip(start, 0, length - tile))
    tiles = -(-(last - first) // tile) + 1
    start = first - rng.integers(tile) + tile * rng.integers(tiles)
    return int(np.clip(start, first, last - tile))


@pytest.mark.parametrize(("shape", "window", "tile"), SIZES)
def test_the_draw_of_old_records_stays_as_it_was(shape, window, tile):
    ramp = np.arange(1.0, 1 + shape[0] * shape[1]).reshape(1, *shape)
    image = TrainingImage(ramp, ramp > 0, window)
    drawn = sampler([image], tile, batch=6, placement="clipped", seed=4).draw(9).windows
    rng = np.random.default_rng([4, 9])
    for tile_drawn in drawn:
        rng.integers(1), rng.integers(1)  # the image, the slice
        start = [before(rng, tile[0], shape[0], window)]
        start.append(before(rng, tile[1], shape[1], (0, shape[1])))
        assert tile_drawn[0, 0, 0] == ramp[0, start[0], start[1]]
        rng.uniform(), rng.uniform(), rng.random()  # the turn, the noise


def test_nothing_is_placed_where_a_slice_fits_the_tile():
    drawn = [sampler([scan((2, 7, 9))], placement=name).draw(3) for name in ("even", "clipped")]
    for one, other in zip(*drawn, strict=True):
        np.testing.assert_array_equal(one, other)


def rare():
    """Disc in one corner of one slice of eight."""
    image = scan((8, 64, 64), share=0.0)
    image.truth[3, 2:14, 3:12] = True
    return image


def test_thinning_balances_empty_and_filled_tiles():
    truth = rare()
    both = [truth, dataclasses.replace(truth, image=truth.image.copy())]
    thinned = sampler(both, tiles="thinned", batch=150)
    assert thinned.keep_empty == pytest.approx(1 / (8 * 16 - 1))
    filled = batch(thinned, 0)[1].any(axis=(1, 2, 3)).mean()
    assert 0.35 < filled < 0.8
    assert batch(sampler(both, tiles="all", batch=150), 0)[1].any(axis=(1, 2, 3)).mean() < 0.1


def test_nothing_is_thinned_where_discs_are_everywhere():
    assert sampler(tiles="thinned").keep_empty == 1.0
    assert sampler(tiles="all").keep_empty == 1.0


def test_noise_goes_to_the_image_and_not_to_the_truth():
    quiet, loud = sampler(), sampler(noise_probability=1.0, noise_max_share=1.0)
    assert (batch(loud)[0] != batch(quiet)[0]).any()
    np.testing.assert_array_equal(batch(loud)[1], batch(quiet)[1])


def test_as_many_tiles_get_noise_as_were_asked_for_up_to_the_share():
    shares = sampler(batch=400, noise_probability=0.5, noise_max_share=0.15).draw(0).shares
    assert (shares > 0).mean() == pytest.approx(0.5, abs=0.1)
    assert shares.max() < 0.15 and shares[shares > 0].mean() == pytest.approx(0.075, abs=0.02)


def test_angles_go_to_both_sides_up_to_the_largest():
    degrees = sampler(batch=400, rotation=15.0).draw(0).degrees
    assert -15 <= degrees.min() < -13 and 13 < degrees.max() <= 15 and abs(degrees.mean()) < 2


def test_nothing_to_train_on():
    with pytest.raises(ConfigError, match="no image to train on"):
        sampler([])
    with pytest.raises(ConfigError, match="no label is set in any training image"):
        sampler([scan(share=0.0)])


def test_intensity_draws_powers_and_leaves_the_rest_alone():
    plain, varied = sampler(batch=200), sampler(batch=200, intensity=0.25)
    before, after = plain.draw(3), varied.draw(3)
    assert (before.powers == 1).all() and before.powers.shape == (200, 1)
    assert after.powers.min() >= 0.8 and after.powers.max() <= 1.25
    assert after.powers.min() < 0.82 and after.powers.max() > 1.22
    assert abs(np.log(after.powers).mean()) < 0.03
    for name in set(before._fields) - {"powers"}:
        np.testing.assert_array_equal(getattr(before, name), getattr(after, name))


def test_scale_draws_zooms_and_leaves_the_places_alone():
    plain, varied = sampler(batch=200), sampler(batch=200, scale=0.25)
    before, after = plain.draw(3), varied.draw(3)
    assert (before.zooms == 1).all() and before.zooms.shape == (200,)
    assert 0.8 <= after.zooms.min() < 0.82 and 1.22 < after.zooms.max() <= 1.25
    for name in ("degrees", "shares", "powers"):
        np.testing.assert_array_equal(getattr(before, name), getattr(after, name))
    wider = np.subtract(after.truth.shape, before.truth.shape)[1:] // 2
    assert (wider > 0).all()
    inner = after.truth[:, wider[0] : -wider[0], wider[1] : -wider[1]]
    np.testing.assert_array_equal(inner, before.truth)


def test_channels_are_cut_at_one_place():
    alone = scan()
    both = TrainingImage(np.stack([alone.image, 1 - alone.image], -1), alone.truth, alone.window)
    one, two = sampler([alone]).draw(2), sampler([both]).draw(2)
    assert two.windows.shape == (*one.windows.shape[:3], 2) and two.powers.shape == (4, 2)
    np.testing.assert_array_equal(two.windows[..., :1], one.windows)
    inside = one.windows > 0  # beyond the slice both are zero
    np.testing.assert_array_equal(two.windows[..., 1:], np.where(inside, 1 - one.windows, 0))
    np.testing.assert_array_equal(two.truth, one.truth)
