"""Phantom files."""

import errno
import json
import os
from dataclasses import asdict

import nibabel as nib
import numpy as np
import pandas as pd
import pytest

from ivdlib import files
from ivdlib.errors import ConfigError, DataError
from ivdlib.phantom import Conditions, make_phantom, simulate, writer

SIZE = {"slices": 1, "in_plane": 64}
TRUTH = ("Labels", "Exact", "Spine", "Tissue")


def files_of(folder):
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    return make_phantom(tmp_path_factory.mktemp("data") / "phantom", subjects=2, **SIZE)


def test_the_layout_is_that_of_the_challenge(made):
    names = {f"{part}.nii.gz" for part in ("fat", "inn", "opp", "wat", *TRUTH)}
    assert {path.name for path in (made / "03").iterdir()} == {
        "03_truth.csv",
        "03_scan.json",
        *(f"03_{name}" for name in names),
    }
    subjects = pd.read_csv(made / "subjects.csv", dtype=str)
    assert subjects.to_numpy().tolist() == [
        ["01", "1", "1"],
        ["02", "1", "2"],
        ["03", "2", "1"],
        ["04", "2", "2"],
    ]
    record = json.loads((made / "dataset.json").read_text())
    assert record["name"] == "phantom"
    sizes = {"subjects": 2, "stages": 2, "seed": 0, **SIZE}
    assert record["parameters"] == {**sizes, **asdict(Conditions())}
    tissue = nib.load(made / "03" / "03_Tissue.nii.gz").get_fdata()
    assert {str(int(code)) for code in np.unique(tissue)} <= set(record["tissues"])
    truth = pd.read_csv(made / "phantom.csv", dtype={"case": str})
    assert truth.groupby("case").size().to_dict() == {"01": 7, "02": 7, "03": 7, "04": 7}


def test_the_files_hold_what_was_simulated(made):
    scan = simulate(2, 1, 0, **SIZE)
    images = {**scan.contrasts, "Labels": scan.labels, "Spine": scan.spine}
    images |= {"Exact": scan.exact, "Tissue": scan.tissue}
    about = json.loads((made / "03" / "03_scan.json").read_text())
    assert about == {"case": "03", "subject": 2, "stage": 1, "seed": 0, **scan.record}
    for name, image in images.items():
        file = nib.load(made / "03" / f"03_{name}.nii.gz")
        np.testing.assert_array_equal(np.asanyarray(file.dataobj), image)
        assert file.get_data_dtype() == image.dtype
        np.testing.assert_allclose(file.affine, scan.affine, atol=1e-4)
        np.testing.assert_allclose(file.get_qform(), scan.affine, atol=1e-3)


def test_numbers_of_numpy_are_numbers(made, tmp_path):
    noise = Conditions(noise=np.float32(0.055), rates={"schmorl": np.float64(0.164)})
    usual = Conditions(noise=float(np.float32(0.055)))
    sizes = {name: np.int64(size) for name, size in SIZE.items()}
    one = make_phantom(tmp_path / "a", np.int32(1), 1, np.int64(0), **sizes, conditions=noise)
    other = make_phantom(tmp_path / "b", 1, 1, 0, **SIZE, conditions=usual)
    assert files_of(one) == files_of(other)


def test_the_number_of_workers_does_not_change_a_byte(made, tmp_path):
    again = make_phantom(tmp_path / "phantom", subjects=2, workers=2, **SIZE)
    assert files_of(again) == files_of(made)


def test_a_second_call_makes_only_what_is_missing(made, tmp_path, monkeypatch):
    out = tmp_path / "phantom"
    make_phantom(out, subjects=1, **SIZE)
    before = files_of(out)
    for path in (out / "02").iterdir():
        path.unlink()
    (out / "02").rmdir()
    calls = []
    monkeypatch.setattr(writer, "simulate", lambda *a: calls.append(a) or simulate(*a))
    make_phantom(out, subjects=1, **SIZE)
    assert calls == [(1, 2, 0, 1, 64, Conditions())]
    assert files_of(out) == before


def test_a_failure_leaves_whole_scans_only(tmp_path, monkeypatch):
    out, save, count = tmp_path / "phantom", writer._save, []

    def full_disk(path, image, scan):
        count.append(path)
        if len(count) == 11:
            raise OSError(errno.ENOSPC, "No space left on device")
        save(path, image, scan)

    monkeypatch.setattr(writer, "_save", full_disk)
    with pytest.raises(DataError, match="No space left"):
        make_phantom(out, subjects=1, **SIZE)
    assert sorted(path.name for path in out.iterdir() if path.is_dir()) == ["01"]
    assert len(list((out / "01").iterdir())) == 10


def test_an_exchange_is_written_where_there_is_one(tmp_path):
    always = Conditions(swap=1.0)
    out = make_phantom(tmp_path / "phantom", subjects=1, stages=1, conditions=always, **SIZE)
    wrong = nib.load(out / "01" / "01_Swap.nii.gz").get_fdata() > 0
    clean = make_phantom(
        tmp_path / "clean", subjects=1, stages=1, conditions=Conditions(swap=0.0), **SIZE
    )
    assert not (clean / "01" / "01_Swap.nii.gz").exists()
    load = lambda folder, name: nib.load(folder / "01" / f"01_{name}.nii.gz").get_fdata()  # noqa: E731
    assert wrong.any()
    for one, other in (("wat", "fat"), ("fat", "wat")):
        np.testing.assert_array_equal(load(out, one)[wrong], load(clean, other)[wrong])
        np.testing.assert_array_equal(load(out, one)[~wrong], load(clean, one)[~wrong])
    for same in ("inn", "opp", "Labels"):
        np.testing.assert_array_equal(load(out, same), load(clean, same))


def test_what_another_process_writes_is_left_alone(tmp_path, monkeypatch):
    out = tmp_path / "phantom"
    make_phantom(out, subjects=1, **SIZE)
    busy, dead = files.part_of(out / "07"), out / ".part-aaaaaa-2-08"
    busy.mkdir(), dead.mkdir()
    os.utime(dead, (0, 0))
    make_phantom(out, subjects=1, **SIZE)
    assert busy.exists() and not dead.exists()
    # Another process finished the scan first: its folder stays, ours goes.
    before = files_of(out / "01")
    writer._make_scan(out, "01", 1, 1, 0, 1, 64, Conditions())
    assert files_of(out / "01") == before
    assert [path.name for path in out.glob(".part-*")] == [busy.name]


def test_a_folder_of_other_parameters_is_refused(made, tmp_path):
    before = files_of(made)
    with pytest.raises(ConfigError, match="other parameters"):
        make_phantom(made, subjects=2, seed=1, **SIZE)
    with pytest.raises(ConfigError, match="other parameters"):
        make_phantom(made, subjects=2, conditions=Conditions(noise=0.01), **SIZE)
    assert files_of(made) == before
    (tmp_path / "mine.txt").write_text("x")
    with pytest.raises(ConfigError, match="not empty"):
        make_phantom(tmp_path, subjects=1, **SIZE)
    with pytest.raises(ConfigError, match="is a file"):
        make_phantom(tmp_path / "mine.txt", subjects=1, **SIZE)


@pytest.mark.parametrize(
    "wrong",
    [{"subjects": 0}, {"stages": 0}, {"workers": 0}, {"seed": -1}, {"slices": 37}]
    + [{"subjects": 99_999_999_999}, {"subjects": 101, "stages": 100}, {"seed": 1.5}]
    + [{"subjects": True}, {"slices": "2"}, {"seed": 2**32}],
)
def test_numbers_out_of_range_are_refused_before_anything_is_written(tmp_path, wrong):
    with pytest.raises(ConfigError):
        make_phantom(tmp_path / "phantom", **wrong)
    assert not (tmp_path / "phantom").exists()
