"""Measures of a phantom agree with its truth."""

import json
import shutil
from pathlib import Path

import nibabel as nib
import numpy as np
import pandas as pd
import pytest

from ivdlib.data.discs import LEVELS
from ivdlib.errors import DataError
from ivdlib.phantom import calibration


@pytest.fixture
def copied(folder, tmp_path) -> Path:
    """A copy that a test may break."""
    return Path(shutil.copytree(folder, tmp_path / "p"))


def test_every_scan_and_every_disc_is_measured(measured):
    assert measured.scans["case"].tolist() == ["01", "02"]
    assert measured.levels.groupby("case")["level"].agg(tuple).tolist() == [LEVELS, LEVELS]
    assert not measured.whole
    sums = measured.levels.groupby("case")["volume_ml"].sum().to_numpy()
    np.testing.assert_allclose(sums, measured.scans["total_ml"])
    assert (measured.scans[["inn_holds", "opp_holds"]] == 1).all(axis=None)
    assert measured.scans["jitter_mm"].between(0.1, 1.5).all()


def test_sizes_are_those_that_the_truth_counts(measured):
    """`label_ml` of the truth was counted where the label was made."""
    np.testing.assert_allclose(measured.levels["volume_ml"], measured.levels["label_ml"], rtol=0.06)
    gap = measured.levels.groupby("case")["z_mm"].diff().shift(-1).dropna()
    here = measured.levels["centre_spacing_z_mm"].dropna()
    np.testing.assert_allclose(here, gap, atol=3.0)  # whole disc against its middle slices


def test_pairs_come_from_the_truth(measured, folder):
    truth = pd.read_csv(folder / "phantom.csv", dtype={"case": str})
    one, two = (truth[truth["case"] == case].reset_index() for case in ("01", "02"))
    np.testing.assert_allclose(
        measured.heights["height_percent"], 100 * (two["height_mm"] / one["height_mm"] - 1)
    )
    ends = [t[["x_mm", "y_mm", "z_mm"]].to_numpy()[[0, -1]] for t in (one, two)]
    before, after = (np.linalg.norm(high - low) for low, high in ends)
    (pair,) = measured.pairs.to_dict("records")
    assert pair["length_mm"] == pytest.approx(after - before)
    curve = [
        json.loads((folder / case / f"{case}_scan.json").read_text())["person"]["lordosis_deg"]
        for case in ("01", "02")
    ]
    assert pair["lordosis_deg"] == pytest.approx(curve[1] - curve[0])
    total = measured.scans["total_ml"]
    assert pair["volume_percent"] == pytest.approx(100 * (total[1] / total[0] - 1))


def test_a_scan_with_an_exchange_has_no_ratios(copied):
    for case, value in (("01", 1), ("02", 0)):
        labels = nib.load(copied / case / f"{case}_Labels.nii.gz")
        swap = np.full(labels.shape, value, np.uint8)
        nib.save(nib.Nifti1Image(swap, labels.affine), copied / case / f"{case}_Swap.nii.gz")
    one, two = calibration.measure_phantom(copied).scans.to_dict("records")
    assert one["exchanged"] and np.isnan(one["marrow_disc_wat"])
    assert np.isfinite(one["noise_disc"])
    assert not two["exchanged"] and np.isfinite(two["marrow_disc_wat"])


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda p: (p / "phantom.csv").unlink(), "holds no phantom"),
        (lambda p: (p / "01" / "01_Tissue.nii.gz").unlink(), "case 01 has no 01_Tissue.nii.gz"),
        (lambda p: (p / "02" / "02_Exact.nii.gz").unlink(), "case 02 has no 02_Exact.nii.gz"),
        (lambda p: (p / "02" / "02_Labels.nii.gz").unlink(), "label"),
        (lambda p: (p / "dataset.json").write_text('{"name": "phantom"}'), "names no tissues"),
        (lambda p: (p / "01" / "01_Exact.nii.gz").write_bytes(b"x"), "01_Exact.nii.gz"),
        (lambda p: other_size(p / "01" / "01_Tissue.nii.gz"), "lies on another grid than the scan"),
    ],
)
def test_a_broken_folder_is_told(copied, spoil, message):
    spoil(copied)
    with pytest.raises(DataError, match=message):
        calibration.measure_phantom(copied)


def other_size(path: Path) -> None:
    nib.save(nib.Nifti1Image(np.zeros((3, 3, 3), np.uint8), np.eye(4)), path)
