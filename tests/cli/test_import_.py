"""What `ivdlib import` says."""

import nibabel as nib
import numpy as np

from ivdlib.cli import import_, main


def save(path, seed=0):
    path.parent.mkdir(parents=True, exist_ok=True)
    values = np.random.default_rng(seed).integers(0, 500, (3, 16, 16)).astype(np.int16)
    nib.save(nib.Nifti1Image(values, np.eye(4)), path)


def test_many_scans_are_not_told_one_by_one(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(import_, "TOLD", 2)
    for n in range(4):
        save(tmp_path / "in" / f"p{n}_W.nii.gz", n)
    words = ["import", str(tmp_path / "in"), str(tmp_path / "out")]
    assert main(words) == 0
    said = capsys.readouterr().out.splitlines()
    assert [line for line in said if line.startswith("sub-")] == [
        "sub-001: wat (the series is called so)", "sub-002: wat (the series is called so)"
    ]  # fmt: skip
    assert f"… and 2 more: {tmp_path / 'out'}/import.csv" in said
    assert main(words) == 0
    assert "4 scans were there already" in capsys.readouterr().out


def test_what_was_left_out_for_one_reason_is_one_line(tmp_path, capsys):
    for name in ("a_W", "a_ff", "b_ff", "c_seg"):
        save(tmp_path / "in" / f"{name}.nii.gz")
    key = tmp_path / "elsewhere" / "who.csv"
    assert main(["import", str(tmp_path / "in"), str(tmp_path / "out"), "--key", str(key)]) == 0
    said = capsys.readouterr().out
    assert "left out: a_ff.nii.gz, b_ff.nii.gz: a map" in said
    assert f"key: {key} says whose they are" in said and key.is_file()


def test_a_folder_that_is_not_there_is_one_sentence(tmp_path, capsys):
    assert main(["import", str(tmp_path / "none"), str(tmp_path / "out")]) == 1
    assert "is no folder" in capsys.readouterr().err
