"""Rows without a network: they find discs, and no test patient has a say in them."""

from __future__ import annotations

import itertools

import nibabel as nib
import numpy as np
import pytest
from disc_cases import SHAPE, make_case

from ivdlib.errors import DataError, LeakageError
from ivdlib.evaluation import metrics
from ivdlib.training import atlas, baselines


def images_of(*groups):
    return {case.name: case.contrasts for case in itertools.chain(*groups)}


def level_atlas(train, test):
    return atlas.level_atlas(train, test, atlas.atlases_of(train, test))


def logistic(train, test, names, images, seed=0):
    return baselines.logistic(train, test, names, images, seed, atlas.atlases_of(train, test))


def test_the_atlas_goes_by_the_crop(crops):
    train, test = crops
    for case in test:
        chance = atlas.atlas_probability(train, case)
        assert chance.dtype == np.float32 and chance.shape == SHAPE
        assert chance.min() >= 0 and chance.max() <= 1 + 1e-6
        peak = np.unravel_index(chance.argmax(), SHAPE)
        assert abs(peak[2] - np.argwhere(case.discs)[:, 2].mean()) <= 1
    masks = level_atlas(train, test)
    assert all(metrics.dice(masks[case.name], case.discs) > 0.6 for case in test)


@pytest.mark.parametrize("other", [(14, 13, 20), (7, 19, 8), (10, 16, 14)])
def test_other_shapes_are_centred(other):
    train = [make_case(s, shape=other) for s in "ABC"]
    test = make_case("D")
    mask = level_atlas(train, [test])[test.name]
    assert mask.shape == SHAPE
    assert metrics.dice(mask, test.discs) > 0.5


def test_the_regression_uses_the_image(crops):
    train, test = crops
    images = images_of(train, test)
    places = level_atlas(train, test)
    masks = logistic(train, test, ["wat"], images)
    for case in test:
        with_image = metrics.dice(masks[case.name], case.discs)
        assert with_image > 0.9
        assert with_image > metrics.dice(places[case.name], case.discs)


def test_the_seed_decides_which_voxels_are_drawn(crops, monkeypatch):
    train, test = crops
    images = images_of(train, test)
    monkeypatch.setattr(baselines, "VOXELS_PER_CASE", 150)
    first, again, other = (logistic(train, test, ["fat"], images, seed) for seed in (5, 5, 6))
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
    expected |= {(row, c, i) for row in (baselines.ATLAS, baselines.THRESHOLD_ROW) for c in cases
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
    alone = logistic(train, test[:1], ["wat"], images)
    together = logistic(train, test, ["wat"], images)
    assert np.array_equal(alone[test[0].name], together[test[0].name])


def test_a_single_training_patient_is_enough(crops):
    train, test = crops
    rows = baselines.reference_predictions(train[:3], test, images_of(train, test))
    discs = {case.name: case.discs for case in test}
    assert all(
        metrics.dice(mask, discs[case]) > 0.4
        for row, case, _, mask in rows if row != baselines.THRESHOLD_ROW
    )  # fmt: skip


def test_a_patient_on_both_sides_is_refused(crops):
    train, test = crops
    later = make_case("A", "1", stage=2)
    images = images_of(train, test, [later])
    with pytest.raises(LeakageError, match="subject A is on both sides"):
        list(baselines.reference_predictions(train, [later], images))


def test_what_is_missing_is_named(crops):
    train, test = crops
    images = images_of(train, test)
    with pytest.raises(DataError, match="image opp of case A1_1"):
        logistic(train, test, ["opp"], images)
    with pytest.raises(DataError, match="no image of case A1_1"):
        list(baselines.reference_predictions(train, test, {}))
    with pytest.raises(DataError, match="no training case"):
        list(baselines.reference_predictions([], test, images))
    images[test[0].name] = {"wat": np.zeros((2, 2, 2), np.float32)}
    with pytest.raises(DataError, match="image wat of case E1_1 has shape"):
        list(baselines.reference_predictions(train, test, images))
    train[2].discs = None
    with pytest.raises(DataError, match="case A1_3 has no disc labels"):
        list(baselines.reference_predictions(train, test, images))


def test_masks_without_discs_are_refused(crops):
    train, test = crops
    for case in train:
        case.discs = np.zeros(SHAPE, bool)
    with pytest.raises(DataError, match="all alike"):
        logistic(train, test, ["wat"], images_of(train, test))


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
        masks = level_atlas([c for c in cases if c.subject != subject], test)
        scores += [metrics.dice(masks[case.name], case.discs) for case in test]
    assert len(scores) == 49
    assert np.mean(scores) == pytest.approx(0.786, abs=0.005)
