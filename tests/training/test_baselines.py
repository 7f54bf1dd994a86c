"""Rows without a network: they find discs, and no test patient has a say in them."""

from __future__ import annotations

import itertools
from types import SimpleNamespace

import nibabel as nib
import numpy as np
import pytest

from ivdlib.errors import DataError, LeakageError
from ivdlib.evaluation import metrics
from ivdlib.training import baselines
from ivdlib.training.atlas import atlas_probability, atlases_of, best_threshold

SHAPE = (10, 16, 14)


def make_case(subject, crop=None, stage=1, shape=SHAPE, seed=0):
    """A flat disc whose place depends on the crop and, by a voxel or so, on the patient."""
    rng = np.random.default_rng([seed, ord(subject), int(crop or 0), stage])
    height = shape[2] // 2 if crop is None else 3 + 4 * (int(crop) - 1)
    centre = np.array([shape[0] // 2, shape[1] // 2, height]) + rng.integers(-1, 2, 3) * [1, 1, 0]
    grid = np.indices(shape) - centre.reshape(3, 1, 1, 1)
    disc = (np.abs(grid[0]) <= 3) & (np.abs(grid[1]) <= 5) & (np.abs(grid[2]) <= 1)
    noise = rng.normal(0, 0.05, (2, *shape))
    images = {
        "wat": (0.7 * disc + 0.1 + noise[0]).astype(np.float32),
        "fat": (0.5 - 0.1 * disc + 3 * noise[1]).astype(np.float32),
    }
    return SimpleNamespace(
        name=f"{subject}{stage}_{crop or 0}",
        subject=subject,
        discs=disc,
        columns={} if crop is None else {"crop": crop},
        spacing=(2.0, 1.25, 1.25),
        contrasts=images,
    )


def images_of(*groups):
    return {case.name: case.contrasts for case in itertools.chain(*groups)}


@pytest.fixture
def crops():
    train = [make_case(s, c) for s in "ABCD" for c in ("1", "2", "3")]
    return train, [make_case("E", c) for c in ("1", "2", "3")]


def test_the_atlas_goes_by_the_crop(crops):
    train, test = crops
    for case in test:
        atlas = atlas_probability(train, case)
        assert atlas.dtype == np.float32 and atlas.shape == SHAPE
        assert atlas.min() >= 0 and atlas.max() <= 1 + 1e-6
        peak = np.unravel_index(atlas.argmax(), SHAPE)
        assert abs(peak[2] - np.argwhere(case.discs)[:, 2].mean()) <= 1
    masks = baselines.level_atlas(train, test)
    assert all(metrics.dice(masks[case.name], case.discs) > 0.6 for case in test)


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


@pytest.mark.parametrize("other", [(14, 13, 20), (7, 19, 8), (10, 16, 14)])
def test_other_shapes_are_centred(other):
    train = [make_case(s, shape=other) for s in "ABC"]
    test = make_case("D")
    mask = baselines.level_atlas(train, [test])[test.name]
    assert mask.shape == SHAPE
    assert metrics.dice(mask, test.discs) > 0.5


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


def test_the_regression_uses_the_image(crops):
    train, test = crops
    images = images_of(train, test)
    atlas = baselines.level_atlas(train, test)
    masks = baselines.logistic(train, test, ["wat"], images)
    for case in test:
        with_image = metrics.dice(masks[case.name], case.discs)
        assert with_image > 0.9
        assert with_image > metrics.dice(atlas[case.name], case.discs)


def test_the_seed_decides_which_voxels_are_drawn(crops, monkeypatch):
    train, test = crops
    images = images_of(train, test)
    monkeypatch.setattr(baselines, "VOXELS_PER_CASE", 150)
    first, again, other = (
        baselines.logistic(train, test, ["fat"], images, seed) for seed in (5, 5, 6)
    )
    assert all(np.array_equal(first[name], again[name]) for name in first)
    assert any(not np.array_equal(first[name], other[name]) for name in first)


def test_all_rows_are_made_for_every_case_and_image(crops):
    train, test = crops
    images = images_of(train, test)
    for volumes in images.values():
        volumes["wat+fat"] = volumes["wat"] + volumes["fat"]
    rows = list(baselines.reference_predictions(train, test, images, seed=3))
    cases, three = {case.name for case in test}, ("wat", "fat", "wat+fat")
    expected = {(baselines.LOGISTIC, c, i) for c in cases for i in three}
    expected |= {(row, c, i) for row in (baselines.ATLAS, baselines.THRESHOLD) for c in cases
                 for i in three}  # fmt: skip
    expected |= {(baselines.LOGISTIC_ALL, c, i) for c in cases for i in three[:2]}
    assert {row[:3] for row in rows} == expected
    assert len(rows) == len(expected)
    assert all(mask.dtype == bool and mask.shape == SHAPE for *_, mask in rows)


def test_one_contrast_alone_has_no_row_of_all_contrasts(crops):
    train, test = crops
    images = {name: {"t2": volumes["wat"]} for name, volumes in images_of(train, test).items()}
    rows = {row for row, *_ in baselines.reference_predictions(train, test, images)}
    assert rows == set(baselines.ROWS) - {baselines.LOGISTIC_ALL}


@pytest.mark.parametrize("bright", [True, False])
def test_a_threshold_finds_bright_or_dark_discs(crops, bright):
    train, test = crops
    noise = np.random.default_rng(0)
    images = {
        c.name: {"t2": np.float32(np.clip(np.where(c.discs == bright, 0.8, 0.2)
                                          + noise.normal(0, 0.05, c.discs.shape), 0, 1))}
        for c in [*train, *test]
    }  # fmt: skip
    masks = baselines.threshold(train, test, "t2", images)
    for case in test:
        assert masks[case.name].dtype == bool
        assert metrics.dice(masks[case.name], case.discs) > 0.99
    with pytest.raises(DataError, match="wat of case .* was not supplied"):
        baselines.threshold(train, test, "wat", images)


def test_no_test_mask_is_looked_at(crops):
    train, test = crops
    images = images_of(train, test)
    before = [row[3] for row in baselines.reference_predictions(train, test, images)]
    for case in test:
        case.discs = None
    after = [row[3] for row in baselines.reference_predictions(train, test, images)]
    assert all(np.array_equal(a, b) for a, b in zip(before, after, strict=True))


def test_test_images_do_not_change_the_fit(crops):
    """The prediction of one test case is the same whoever else is tested."""
    train, test = crops
    images = images_of(train, test)
    alone = baselines.logistic(train, test[:1], ["wat"], images)
    together = baselines.logistic(train, test, ["wat"], images)
    assert np.array_equal(alone[test[0].name], together[test[0].name])


def test_a_training_case_gets_an_atlas_without_its_own_patient(crops):
    train, test = crops
    before = atlases_of(train, test)
    for case in train[:3]:
        case.discs = ~case.discs
    after = atlases_of(train, test)
    for case in train[:3]:
        assert np.array_equal(before[case.name], after[case.name])
    assert not np.array_equal(before[train[3].name], after[train[3].name])


def test_a_single_training_patient_is_enough(crops):
    train, test = crops
    rows = baselines.reference_predictions(train[:3], test, images_of(train, test))
    discs = {case.name: case.discs for case in test}
    assert all(
        metrics.dice(mask, discs[case]) > 0.4
        for row, case, _, mask in rows if row != baselines.THRESHOLD
    )  # fmt: skip


def test_a_patient_on_both_sides_is_refused(crops):
    train, test = crops
    later = make_case("A", "1", stage=2)
    images = images_of(train, test, [later])
    for call in (
        lambda: baselines.level_atlas(train, [later]),
        lambda: baselines.logistic(train, [later], ["wat"], images),
        lambda: baselines.level_atlas(train, [later], atlases={}),
        lambda: baselines.logistic(train, [later], ["wat"], images, atlases={}),
        lambda: list(baselines.reference_predictions(train, [later], images)),
    ):
        with pytest.raises(LeakageError, match="subject A is on both sides"):
            call()


def test_what_is_missing_is_named(crops):
    train, test = crops
    images = images_of(train, test)
    with pytest.raises(DataError, match="image opp of case A1_1"):
        baselines.logistic(train, test, ["opp"], images)
    with pytest.raises(DataError, match="no image of case A1_1"):
        list(baselines.reference_predictions(train, test, {}))
    with pytest.raises(DataError, match="no training case"):
        baselines.level_atlas([], test)
    images[test[0].name] = {"wat": np.zeros((2, 2, 2), np.float32)}
    with pytest.raises(DataError, match="image wat of case E1_1 has shape"):
        baselines.logistic(train, test, ["wat"], images)
    train[2].discs = None
    with pytest.raises(DataError, match="case A1_3 has no disc labels"):
        baselines.level_atlas(train, test)


def test_masks_without_discs_are_refused(crops):
    train, test = crops
    for case in train:
        case.discs = np.zeros(SHAPE, bool)
    with pytest.raises(DataError, match="all alike"):
        baselines.logistic(train, test, ["wat"], images_of(train, test))


def test_the_atlas_on_the_real_crops(shared):
    """Known beforehand: 0.778 without smoothing, leaving one patient out."""
    cases = []
    for path in sorted((shared / "data" / "ivdm3seg_crops").glob("*/*_Labels.nii.gz")):
        discs = np.asarray(nib.load(path).dataobj) > 0
        name = path.parent.name
        case = make_case(name[0], name[-1])
        case.name, case.discs, case.contrasts = name, discs, {"fat": discs}
        cases.append(case)
    scores = []
    for subject in "ABCDEF":
        test = [case for case in cases if case.subject == subject]
        masks = baselines.level_atlas([c for c in cases if c.subject != subject], test)
        scores += [metrics.dice(masks[case.name], case.discs) for case in test]
    assert len(scores) == 49
    assert np.mean(scores) == pytest.approx(0.786, abs=0.005)
