"""The record of an experiment, also of one that was stopped."""

import shutil

import nibabel as nib
import numpy as np
import pytest
from quick_experiment import begin

from ivdlib import files
from ivdlib.errors import DataWarning
from ivdlib.training import trial
from ivdlib.training.run import collect, run

pytestmark = pytest.mark.usefixtures("tiny_networks")


def test_the_record_of_the_experiment(finished):
    record = files.read_json(finished.folder / "record.json")
    assert record["name"] == "grid" and record["comparable"] is False
    assert record["phantom"] is False and record["tile"] == [32, 32]
    assert record["cases"]["02"] == {"subject": "2", "stage": "1"}
    assert record["config_hash"] == finished.digest
    assert record["config"]["profile"]["training"]["steps"] == 3
    assert {"made", "versions", "device", "command", "deviations"} <= set(record)
    assert record["seeds"] == 1 and record["seconds"] > 0 and len(record["trainings"]) == 6
    assert all((finished.folder / "trainings" / name).is_dir() for name in record["trainings"])
    tested = [case for fold in record["config"]["folds"] for case in fold["test"]]
    assert sorted(tested) == ["01", "02", "03"]


def test_the_record_tells_what_is_odd_about_the_scans(phantom, tmp_path):
    shutil.copytree(phantom, tmp_path / "hot")
    path = tmp_path / "hot" / "01" / "01_fat.nii.gz"
    image = nib.load(path)
    array = np.asarray(image.dataobj).copy()
    array[1, 20, 20] = 4 * array.max()
    nib.save(nib.Nifti1Image(array, image.affine), path)
    with pytest.warns(DataWarning, match="far above all others"):
        hot = begin(tmp_path, tmp_path / "hot")
    (told,) = files.read_json(hot.folder / "record.json")["remarks"]
    assert told.startswith("case 01: fat: 1 voxel lies far above all others, at 1, 20, 20")
    assert "mend" not in told


def test_a_record_of_what_was_stopped_says_what_is_left(phantom, tmp_path, monkeypatch):
    made = begin(tmp_path, phantom, networks=["unet", "fds_cnn"], arms=["without"])
    path = made.folder / "record.json"
    assert files.read_json(path)["left"] == files.read_json(path)["planned"] == 4
    assert files.read_json(path)["spine_left"] == files.read_json(path)["spine_planned"] == 2
    train, done = trial.train, []

    def stopped(*arguments):
        if done:
            raise KeyboardInterrupt
        done.append(train(*arguments))
        return done[-1]

    monkeypatch.setattr(trial, "train", stopped)
    with pytest.raises(KeyboardInterrupt):
        run(made)
    record = files.read_json(path)
    assert (record["left"], record["planned"]) == (3, 4) and record["devices"]
    collect(made)
    table = (made.folder / "tables" / "table1.md").read_text(encoding="utf-8")
    assert "UNFINISHED: 3 of 4 trainings of discs, and 1 of 2 of the spine, are left" in table
    assert "UNFINISHED" not in made.label()


def test_a_record_follows_what_was_added(finished, again):
    """The command, deviations and choices are those of what is there now."""
    before = files.read_json(finished.folder / "record.json")
    assert {row["field"] for row in before["deviations"]} >= {"networks", "folds"}
    more = again(seeds=2, arms=["without"])
    collect(more)
    record = files.read_json(more.folder / "record.json")
    assert record["config_hash"] == before["config_hash"] and record["seeds"] == 2
    words = " ".join(record["command"])
    assert "--seeds 2" in words and "arms=without" in words and "networks=unet" in words
    assert "arms=" not in " ".join(before["command"]) and record["left"] == 2
    assert {row["field"] for row in record["deviations"]} >= {"arms"}
