"""Voxels as rows: neighbours in the order of a kernel, one scale, batches that miss none."""

from types import SimpleNamespace

import numpy as np
import pytest
from scipy import ndimage

from ivdlib.course import voxels

RNG = np.random.default_rng(0)


def scan(seed):
    rng = np.random.default_rng(seed)
    discs = np.zeros((3, 12, 10), bool)
    discs[:, 4:8, 3:6] = True
    image = 5 + 2 * discs + 0.1 * rng.normal(size=discs.shape)
    return SimpleNamespace(discs=discs, image=image, shape=discs.shape)


@pytest.mark.parametrize("apart", [1, 2, 3])
def test_a_weighted_sum_of_neighbours_is_a_convolution(apart):
    volume, kernel = RNG.normal(size=(2, 9, 8)), RNG.normal(size=(3, 3))
    wide = np.zeros((1, 2 * apart + 1, 2 * apart + 1))
    wide[0, ::apart, ::apart] = kernel
    found = sum(
        w * v for w, v in zip(kernel.ravel(), voxels.neighbours(volume, apart), strict=True)
    )
    assert np.allclose(found, ndimage.correlate(volume, wide, mode="constant"))


def test_drawn_voxels_are_scaled_and_others_by_the_same_numbers():
    drawn = voxels.draw([scan(0), scan(1)], lambda case: [case.image], 100)
    assert drawn.features.shape == (200, 2) and drawn.truth.shape == (200,)
    assert (drawn.features[:, 0] == 1).all()
    assert np.allclose([drawn.features[:, 1].mean(), drawn.features[:, 1].std()], [0, 1])
    other = scan(2)
    expected = (other.image.ravel() - drawn.mean) / drawn.spread
    assert np.allclose(drawn.of_case(other)[:, 1], expected)
    assert len(voxels.draw([other], lambda case: [case.image], 10**6).truth) == other.discs.size


def test_discs_are_found_by_a_threshold_from_the_drawn_voxels():
    drawn, other = voxels.draw([scan(0)], lambda case: [case.image], 300), scan(3)
    mask = drawn.find(lambda features: 1 / (1 + np.exp(-features[:, 1])), other)
    assert np.array_equal(mask, other.discs)


def test_discs_are_found_however_small_all_chances_are():
    drawn, other = voxels.draw([scan(0)], lambda case: [case.image], 300), scan(3)
    mask = drawn.find(lambda features: 0.001 / (1 + np.exp(-features[:, 1])), other)
    assert np.array_equal(mask, other.discs)


def test_equal_chances_get_equal_answers():
    chances, truth = np.array([0.2, 0.2, 0.1, 0.1]), np.array([True, False, True, True])
    assert voxels._best_cut(chances, truth) == 0.1  # 0.2 alone is no choice: Dice 2/5, all: 6/7


def test_each_epoch_deals_every_voxel_once_in_another_order():
    features, truth = np.arange(12.0)[:, None], np.arange(12) % 2 == 0
    dealt = list(voxels.batches(features, truth, 4, 2))
    assert [len(f) for f, _ in dealt] == [4] * 6
    first, second = (np.concatenate([f for f, _ in dealt[n : n + 3]]) for n in (0, 3))
    assert sorted(first.ravel()) == sorted(second.ravel()) == list(range(12))
    assert not np.array_equal(first, second)
    assert all(((f.ravel() % 2 == 0) == t).all() for f, t in dealt)
    assert len(next(voxels.batches(features, truth, 100, 1))[1]) == 12
