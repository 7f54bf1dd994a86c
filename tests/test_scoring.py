"""Mask files: grids, labels, folders. (What the scores mean is tested in test_metrics.)"""

import numpy as np
import pytest

from ivdlib.cases import load_case, save_mask
from ivdlib.errors import DataError
from ivdlib.scoring import SUFFIX, score_files, score_folders


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
