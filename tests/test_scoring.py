"""Mask files: grids, labels, folders. (What the scores mean is tested in test_metrics.)"""

import numpy as np
import pytest

from ivdlib.cases import load_case, save_mask
from ivdlib.challenge import score
from ivdlib.errors import DataError
from ivdlib.scoring import SUFFIX, conventions, score_files, score_folders


@pytest.fixture
def scan(tmp_path, write_case):
    write_case(tmp_path / "data", "01")
    return load_case(tmp_path / "data" / "01")


def test_truth_against_itself_is_perfect(tmp_path, scan):
    save_mask(scan, scan.discs, tmp_path / "pred" / f"01{SUFFIX}")
    (row,) = score_folders(tmp_path / "pred", tmp_path / "data")
    assert row["case"] == "01" and row["volume"]["dice"] == 1.0
    assert all(disc["asd_mm"] == 0 for disc in row["discs"])


def test_empty_prediction_is_a_miss_and_no_error(tmp_path, scan):
    save_mask(scan, np.zeros(scan.shape, dtype=bool), tmp_path / "p.nii.gz")
    found = score_files(tmp_path / "p.nii.gz", scan.sources["labels"])
    assert found["volume"]["dice"] == 0 and all(disc["missed"] for disc in found["discs"])


def test_folders_that_do_not_fit(tmp_path, scan):
    with pytest.raises(DataError, match="holds no mask"):
        score_folders(tmp_path / "data", tmp_path / "data")
    save_mask(scan, scan.discs, tmp_path / "pred" / f"99{SUFFIX}")
    with pytest.raises(DataError, match="99"):
        score_folders(tmp_path / "pred", tmp_path / "data")


def test_conventions_differ_as_they_should():
    """One scan with a large disc, found whole; one with a large one half and a small one missed."""
    first, second, pred = (np.zeros((6, 10, 30), bool) for _ in range(3))
    first[1:5, 2:8, 4:10] = True  # 144 voxels
    second[1:5, 2:8, 4:10] = True
    second[1:3, 4:6, 22:25] = True  # 12 voxels in two slices
    pred[1:3, 2:8, 4:10] = True  # 72 voxels, in the same two slices
    scores = [score(p, t, (2, 1, 1)) for p, t in ((first, first), (pred, second))]
    found = conventions(scores)
    half, diagonal = 2 * 72 / (72 + 156), scores[0]["discs"] and np.sqrt(12**2 + 10**2 + 30**2)
    assert found["dice_volumes"] == pytest.approx((1 + half) / 2)
    assert found["dice_pooled"] == pytest.approx(2 * (144 + 72) / (144 + 144 + 72 + 156))
    per_slice = (2 * 2 * 36 / (36 + 42) + 2 * 0) / 4
    assert found["dice_slices"] == pytest.approx((1 + per_slice) / 2)
    assert found["dice_discs"] == pytest.approx((1 + (2 / 3 + 0) / 2) / 2)
    # The half disc is 2 of 4 slices of 2 mm too short: its centre lies 2 mm off.
    assert found["centre_distance_mm_discs"] == pytest.approx((0 + (2 + diagonal) / 2) / 2)
    empty = np.zeros((6, 10, 30), bool)
    without = conventions([score(empty, empty, (2, 1, 1))])
    assert without == {"dice_volumes": 1.0, "dice_slices": 1.0, "dice_pooled": 1.0}
    with pytest.raises(DataError, match="no scores"):
        conventions([])
