"""Mask files: grids, labels, folders. (What the scores mean is tested in test_metrics.)"""

import json
import shutil
import warnings

import nibabel as nib
import numpy as np
import pytest

from ivdlib import cli, files
from ivdlib.data.cases import load_case, save_mask
from ivdlib.data.discs import components
from ivdlib.errors import DataError, DataWarning, SomeFailed
from ivdlib.evaluation import scoring
from ivdlib.evaluation.challenge import score
from ivdlib.evaluation.scoring import SUFFIX, conventions, score_files, score_folders


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
    with pytest.warns(DataWarning, match="p.nii.gz is empty"):
        found = score_files(tmp_path / "p.nii.gz", scan.sources["labels"])
    with pytest.warns(DataWarning, match="p.nii.gz is empty"):  # a truth without discs, too
        score_files(scan.sources["labels"], tmp_path / "p.nii.gz")
    assert found["volume"]["dice"] == 0 and all(disc["missed"] for disc in found["discs"])


def test_exchanged_files_are_told_by_their_names(tmp_path, scan):
    save_mask(scan, scan.discs, tmp_path / f"01{SUFFIX}")
    with pytest.warns(DataWarning, match="the prediction comes first, then the truth"):
        score_files(scan.sources["labels"], tmp_path / f"01{SUFFIX}")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        score_files(tmp_path / f"01{SUFFIX}", scan.sources["labels"])


def test_an_image_in_place_of_labels_is_no_screen_of_numbers(tmp_path, scan):
    save_mask(scan, scan.discs, tmp_path / f"01{SUFFIX}")
    image = nib.load(tmp_path / f"01{SUFFIX}")
    grey = np.resize(np.arange(2, 252), image.shape).astype(np.uint8)
    nib.save(nib.Nifti1Image(grey, image.affine), tmp_path / "grey.nii.gz")
    with pytest.raises(DataError, match="or the file of the labels") as told:
        score_files(tmp_path / f"01{SUFFIX}", tmp_path / "grey.nii.gz")
    assert "2, 3, 4, 5 and 246 more and none of 1" in str(told.value) and len(str(told.value)) < 400


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


def rewrite(path, change):
    image = nib.load(path)
    nib.save(nib.Nifti1Image(change(np.asarray(image.dataobj)), None, image.header), path)


def test_other_disc_values_of_the_truth(tmp_path, scan):
    """`predict` writes 1, whatever the discs of the truth are called."""
    save_mask(scan, scan.discs, tmp_path / "p.nii.gz")
    truth = scan.sources["labels"]
    rewrite(truth, lambda labels: np.uint8(labels * 5))
    with pytest.raises(DataError, match="holds the labels 5 and none of 1; name the disc values"):
        score_files(tmp_path / "p.nii.gz", truth)
    assert score_files(tmp_path / "p.nii.gz", truth, {5})["volume"]["dice"] == 1.0
    files.write_json(tmp_path / "data" / "dataset.json", {"discs": [5]})
    assert score_files(tmp_path / "p.nii.gz", truth)["volume"]["dice"] == 1.0
    with pytest.raises(DataError, match="whole numbers from 1 to 255"):
        score_files(tmp_path / "p.nii.gz", truth, {0})


def test_labels_that_were_not_named_are_told(tmp_path, scan):
    save_mask(scan, scan.discs, tmp_path / "p.nii.gz")
    truth = scan.sources["labels"]
    rewrite(truth, lambda labels: np.where(labels > 0, labels, np.uint8(2)))
    with pytest.warns(DataWarning, match="beside 1, taken as disc, there are the labels 2"):
        found = score_files(tmp_path / "p.nii.gz", truth)
    assert found["volume"]["dice"] == 1.0
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        score_files(tmp_path / "p.nii.gz", truth, {1})


def test_labels_of_a_prediction_that_do_not_count_are_told(tmp_path, scan):
    """A prediction that numbers its discs is not one mask: 2 and 3 would be dropped."""
    save_mask(scan, scan.discs, tmp_path / "p.nii.gz")
    middle = np.nonzero(scan.discs)[0].mean()

    def number(mask):
        return mask * np.where(np.arange(len(mask)) > middle, 2, 1)[:, None, None].astype(np.uint8)

    rewrite(tmp_path / "p.nii.gz", number)
    with pytest.warns(DataWarning, match="p.nii.gz: beside 1, taken as disc.* labels 2"):
        partly = score_files(tmp_path / "p.nii.gz", scan.sources["labels"])
    assert 0 < partly["volume"]["dice"] < 1
    whole = score_files(tmp_path / "p.nii.gz", scan.sources["labels"], {1, 2})
    assert whole["volume"]["dice"] == 1.0


def test_a_case_without_a_mask_is_told(tmp_path, scan, write_case):
    write_case(tmp_path / "data", "03")
    save_mask(scan, scan.discs, tmp_path / "pred" / f"01{SUFFIX}")
    with pytest.warns(DataWarning, match="holds no mask for 03: left out of the means"):
        assert len(score_folders(tmp_path / "pred", tmp_path / "data")) == 1


def test_two_truths_of_one_case_are_refused(tmp_path, scan):
    save_mask(scan, scan.discs, tmp_path / "pred" / f"01{SUFFIX}")
    second = tmp_path / "data" / "old" / scan.sources["labels"].name
    second.parent.mkdir()
    second.write_bytes(scan.sources["labels"].read_bytes())
    with pytest.raises(DataError, match="case 01: labels is there 2 times"):
        score_folders(tmp_path / "pred", tmp_path / "data")


def test_axes_that_are_declared_hold_for_scores(tmp_path, write_case):
    """Disc 1 is the lowest, by the axes of dataset.json where the header is wrong."""
    write_case(tmp_path / "data", "01")
    files.write_json(tmp_path / "data" / "dataset.json", {"axcodes": ["R", "A", "I"]})
    case = load_case(tmp_path / "data" / "01")
    lowest = components(case.discs) == 1
    save_mask(case, lowest, tmp_path / "pred" / f"01{SUFFIX}")
    (row,) = score_folders(tmp_path / "pred", tmp_path / "data")
    found = [disc["dice"] for disc in row["discs"]]
    assert found[0] == 1.0 and len(found) > 1 and not any(found[1:])
    (tmp_path / "data" / "dataset.json").unlink()
    (plain,) = score_folders(tmp_path / "pred", tmp_path / "data")
    assert [disc["dice"] for disc in plain["discs"]] == found[::-1]


# --- one that cannot be scored costs a sentence and not the others --------------------------------


@pytest.fixture
def three(tmp_path, write_case):
    """Masks of 01, 02 and 03, which are their labels."""
    for name in ("01", "02", "03"):
        case = load_case(write_case(tmp_path / "data", name))
        save_mask(case, case.discs, tmp_path / "pred" / f"{name}{SUFFIX}")
    files.write_json(tmp_path / "pred" / "01_Discs.json", {})  # as predict leaves beside a mask
    (tmp_path / "pred" / "saved").mkdir()
    return tmp_path / "pred", tmp_path / "data"


def cut(path):
    path.write_bytes(path.read_bytes()[:200])


BROKEN = {
    "a mask that is cut": (lambda p, d: cut(p / f"02{SUFFIX}"), "02_Discs.nii.gz is truncated"),
    "a label file that is cut": (
        lambda p, d: cut(d / "02" / "02_Labels.nii.gz"), "02_Labels.nii.gz is truncated"
    ),
    "another grid": (
        lambda p, d: nib.save(nib.Nifti1Image(np.ones((3, 4, 5), np.uint8), np.eye(4)),
                              p / f"02{SUFFIX}"), "one grid",
    ),
    "a probability": (
        lambda p, d: rewrite(p / f"02{SUFFIX}", lambda m: m * np.float32(0.5)), "the value 0.5"
    ),
    "labels of something else": (
        lambda p, d: rewrite(d / "02" / "02_Labels.nii.gz", lambda m: m * np.uint8(9)), "--discs"
    ),
    "no labels": (lambda p, d: (d / "02" / "02_Labels.nii.gz").unlink(), "has no labels for 02"),
    "labels twice": (
        lambda p, d: shutil.copy(d / "02" / "02_Labels.nii.gz", d / "02" / "02-labels.nii.gz"),
        "labels is there 2 times",
    ),
    "two masks": (
        lambda p, d: shutil.copy(p / f"02{SUFFIX}", p / "02_discs.nii"), "are masks of one case",
    ),
    "a mask that leads nowhere": (
        lambda p, d: ((p / f"02{SUFFIX}").unlink(), (p / f"02{SUFFIX}").symlink_to("x.nii.gz")),
        "leads nowhere",
    ),
}  # fmt: skip


@pytest.mark.parametrize("fault", BROKEN)
def test_the_others_are_scored_and_the_failure_is_named(three, fault, capsys):
    make, told = BROKEN[fault]
    make(*three)
    with pytest.warns(DataWarning, match=f"left out: case 02.*{told}"):
        assert cli.main(["score", *map(str, three), "--json"]) == 1
    out, err = capsys.readouterr()
    found = json.loads(out)
    assert [scores["case"] for scores in found["cases"]] == ["01", "03"]
    assert found["mean"]["dice_volumes"] == 1.0 and told in found["failures"]["02"]
    assert "1 of 3 scans could not be scored (02)" in err
    with pytest.warns(DataWarning, match="left out"):
        assert cli.main(["score", *map(str, three)]) == 1
    assert "mean over 2 of 3 scans" in capsys.readouterr().out
    with pytest.warns(DataWarning), pytest.raises(SomeFailed) as refused:
        score_folders(*three)
    assert [scores["case"] for scores in refused.value.done] == ["01", "03"]


def test_nothing_that_can_be_scored(three, capsys):
    for path in three[0].glob("*.gz"):
        cut(path)
    with pytest.warns(DataWarning) as told:
        assert cli.main(["score", *map(str, three), "--json"]) == 1
    out, err = capsys.readouterr()
    assert sum("is truncated" in str(one.message) for one in told) == 3
    assert json.loads(out)["mean"] == {} and "none of 3 scans could be scored" in err


def test_a_full_memory_is_told_of_its_case(three, monkeypatch):
    plain, seen = scoring.challenge.score, []

    def score_it(*arguments):
        seen.append(arguments)
        if len(seen) == 1:
            raise MemoryError
        return plain(*arguments)

    monkeypatch.setattr(scoring.challenge, "score", score_it)
    with (
        pytest.warns(DataWarning, match="left out: case 01: it does not fit into memory"),
        pytest.raises(SomeFailed) as refused,
    ):
        score_folders(*three)
    assert [scores["case"] for scores in refused.value.done] == ["02", "03"]
