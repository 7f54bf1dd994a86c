"""The atlas of disc positions and its threshold."""

from __future__ import annotations

import numpy as np
import pytest
from disc_cases import SHAPE, make_case

from ivdlib.evaluation import metrics
from ivdlib.training.atlas import atlas_probability, atlases_of, best_threshold


def test_the_atlas_uses_all_cases_where_crops_are_not_known(crops):
    train, test = crops
    del train[4].columns["crop"]
    atlas = atlas_probability(train, test[0])
    assert np.array_equal(atlas, atlas_probability(train, test[1]))
    heights = [atlas[:, :, case.discs.any((0, 1))].max() for case in test]
    assert max(heights) < 0.6


def test_a_crop_that_nobody_else_has_falls_back_to_all(crops):
    train, _ = crops
    atlas = atlas_probability(train, make_case("E", "9", shape=SHAPE))
    assert 0 < atlas.max() < 0.6


def test_the_threshold_has_the_best_mean_dice():
    rng = np.random.default_rng(1)
    pairs = []
    for _ in range(4):
        truth = rng.random((6, 7, 8)) < 0.3
        pairs.append((np.clip(0.3 * truth + rng.normal(0.4, 0.2, truth.shape), 0, 1), truth))
    pairs.append((np.zeros((3, 3, 3)), np.zeros((3, 3, 3), bool)))
    grid = np.arange(1, 20) / 20
    mean = [np.mean([metrics.dice(p >= t, truth) for p, truth in pairs]) for t in grid]
    assert best_threshold(pairs) == pytest.approx(grid[np.argmax(mean)])


def test_a_training_case_gets_an_atlas_without_its_own_patient(crops):
    train, test = crops
    before = atlases_of(train, test)
    for case in train[:3]:
        case.discs = ~case.discs
    after = atlases_of(train, test)
    for case in train[:3]:
        assert np.array_equal(before[case.name], after[case.name])
    assert not np.array_equal(before[train[3].name], after[train[3].name])
