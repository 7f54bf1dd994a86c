"""`score` of masks whose Dice is known."""

import json

import nibabel as nib
import numpy as np
import pytest
from commands import is_one_sentence, run


def save(path, array, affine=None):
    affine = np.diag([2.0, 1.25, 1.25, 1.0]) if affine is None else affine
    nib.save(nib.Nifti1Image(array.astype(np.uint8), affine), path)
    return path


def boxes():
    truth = np.zeros((10, 30, 40), dtype=np.uint8)
    truth[2:8, 10:20, 5:12] = 1
    truth[2:8, 10:20, 25:31] = 1
    return truth


def test_score_of_a_shifted_disc(capsys, tmp_path):
    truth, pred = boxes(), boxes()
    pred[:, :, 25:31] = 0
    pred[2:8, 10:20, 26:32] = 1  # the upper disc one voxel (1.25 mm) up: Dice 5/6
    a, b = save(tmp_path / "pred.nii.gz", pred), save(tmp_path / "truth.nii.gz", truth)
    status, out, _ = run(capsys, "score", a, b, "--json")
    found = json.loads(out)
    assert status == 0
    assert found["discs"][0]["dice"] == 1.0
    assert found["discs"][1]["dice"] == pytest.approx(5 / 6)
    assert found["discs"][1]["centre_distance_mm"] == pytest.approx(1.25)
    _, text, _ = run(capsys, "score", a, b)
    assert "0.8333" in text and "HD95" in text and "missed" not in text


def test_score_says_what_touches_no_disc_and_what_missed_means(capsys, tmp_path):
    pred = boxes()
    pred[:, :, 25:31] = 0
    pred[2:4, 22:24, 36:38] = 1  # 8 voxels of 3.125 µl, nearest to the upper disc
    a, b = save(tmp_path / "pred.nii.gz", pred), save(tmp_path / "truth.nii.gz", boxes())
    _, text, _ = run(capsys, "score", a, b)
    assert "1 predicted piece touches no true disc (0.0 ml)" in text and "missed" not in text
    pred[2:4, 22:24, 36:38] = 0
    _, text, _ = run(capsys, "score", save(a, pred), b)
    assert "touch" not in text and "missed: nothing was predicted there" in text


def test_score_refuses_other_grids_and_labels(capsys, tmp_path):
    truth = save(tmp_path / "truth.nii.gz", boxes())
    other = save(tmp_path / "other.nii.gz", boxes()[:, :, 1:])
    status, _, err = run(capsys, "score", other, truth)
    assert status == 1 and is_one_sentence(err) and "has the shape" in err
    moved = np.diag([2.0, 1.25, 1.25, 1.0])
    moved[0, 3] = 5.0
    status, _, err = run(capsys, "score", save(tmp_path / "m.nii.gz", boxes(), moved), truth)
    assert status == 1 and is_one_sentence(err) and "5.0 mm" in err
    status, _, err = run(capsys, "score", save(tmp_path / "v.nii.gz", boxes() * 7), truth)
    assert status == 1 and is_one_sentence(err) and "--discs" in err
