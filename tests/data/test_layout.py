"""Layouts beside the challenge's own: no prefix, any prefix, any case of the letters."""

import os
import shutil
import warnings

import numpy as np
import pytest
from dixon_cases import CONTRASTS
from loaded import load_quietly

from ivdlib.data import cases, layout
from ivdlib.errors import DataError, DataWarning


def without_prefix(folder, change=str):
    for path in [*folder.iterdir()]:
        path.rename(path.with_name(change(path.name.split("_")[-1])))


def load_one(folder, **options):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DataWarning)  # the subject is inferred from the name
        return cases.load_case(folder, **options)


@pytest.mark.parametrize("ending", [".nii", ".nii.gz"])
@pytest.mark.parametrize("change", [str, str.upper, str.lower])
def test_the_folder_names_a_case_without_a_prefix(tmp_path, write_case, ending, change):
    folder = write_case(tmp_path, "input", ending=ending, spine=True)
    expected = load_one(folder)
    without_prefix(folder, change)
    case = load_one(folder)
    assert case.name == "input"
    assert list(case.contrasts) == [*CONTRASTS]
    np.testing.assert_array_equal(case.contrasts["fat"], expected.contrasts["fat"])
    np.testing.assert_array_equal(case.labels, expected.labels)
    np.testing.assert_array_equal(case.spine, expected.spine)
    assert cases.check_cases(folder)[0]["case"] == "input"


def test_the_folder_of_a_case_may_be_the_current_one(tmp_path, write_case, monkeypatch):
    without_prefix(write_case(tmp_path, "sub-01"))
    monkeypatch.chdir(tmp_path / "sub-01")
    assert load_one(".").name == "sub-01"


def test_folders_without_prefix_beside_others_with_any(tmp_path, write_case):
    for name in ("sub-01", "sub-02"):
        without_prefix(write_case(tmp_path, name))
    for path in write_case(tmp_path, "x").iterdir():
        path.rename(path.with_name(path.name.replace("x_", "scan_a_")))
    (tmp_path / "x").rename(tmp_path / "patient7")
    found = layout.find_cases(tmp_path)
    assert [files.name for files in found] == ["scan_a", "sub-01", "sub-02"]
    assert all(len(files.paths) == 5 and not files.faults for files in found)


def test_a_folder_that_names_its_case_may_hold_prefixed_files_too(tmp_path, write_case):
    folder = write_case(tmp_path, "01")
    (folder / "01_Labels.nii.gz").rename(folder / "labels.nii.gz")
    (files,) = layout.find_cases(tmp_path)
    assert (files.name, len(files.paths), files.faults) == ("01", 5, ())


def test_two_prefixes_in_one_folder_are_two_cases(tmp_path, write_case):
    write_case(tmp_path / "both", "x", missing=("wat",))
    for path in write_case(tmp_path / "other", "y").iterdir():
        path.rename(tmp_path / "both" / "x" / path.name)
    found = layout.find_cases(tmp_path / "both")
    assert [(files.name, files.missing) for files in found] == [("x", ("wat",)), ("y", ())]


def test_two_folders_of_one_name_are_refused_where_the_files_have_no_prefix(tmp_path, write_case):
    for site, lost in (("a", ("wat", "fat")), ("b", ("inn", "opp", "Labels"))):
        without_prefix(write_case(tmp_path / site, "sub-01", missing=lost))
    match = r"2 folders are called sub-01 \(.*/a/sub-01, .*/b/sub-01\).*; rename all but one"
    with pytest.raises(DataError, match=match):
        cases.load_cases(tmp_path)
    (row,) = cases.check_cases(tmp_path)
    assert len(row["errors"]) == 1


def test_of_the_phantom_s_truth_only_the_exact_labels_are_read(tmp_path, write_case):
    folder = write_case(tmp_path, "01")
    for word in ("Exact", "Tissue", "Swap"):
        shutil.copy(folder / "01_Labels.nii.gz", folder / f"01_{word}.nii.gz")
    (files,) = layout.find_cases(tmp_path)
    assert set(files.paths) == {*CONTRASTS, "labels", "exact"}


def test_a_link_counts_by_its_own_name(tmp_path, write_case):
    folder = write_case(tmp_path / "store", "9")
    (tmp_path / "data" / "sub-01").mkdir(parents=True)
    for word in CONTRASTS:
        link = tmp_path / "data" / "sub-01" / f"{word}.nii.gz"
        link.symlink_to(folder / f"9_{word}.nii.gz")
    (files,) = layout.find_cases(tmp_path / "data")
    assert (files.name, files.missing) == ("sub-01", ())


def test_another_version_of_a_contrast_is_no_scan_of_its_own(tmp_path, write_case):
    for name in ("P11", "P12"):
        write_case(tmp_path, name)
    fat = tmp_path / "P11" / "P11_fat.nii.gz"
    (tmp_path / "P11" / "P11_fat_N4.nii.gz").write_bytes(fat.read_bytes())
    ((name, text),) = layout.odd_ones(layout.find_cases(tmp_path)).items()
    assert name == "P11_fat"
    assert "no scan of its own by its name, but another fat of P11 (P11_fat_N4.nii.gz)" in text


def test_cases_that_have_what_is_needed_are_not_odd(tmp_path, write_case):
    """Others of the folder may have more or less."""
    for name, gone in (("01", ("fat",)), ("02", ("opp", "fat")), ("03", ("wat",))):
        for word in gone:
            (write_case(tmp_path, name) / f"{name}_{word}.nii.gz").unlink()
    cases = [case.only(["wat"], True) for case in layout.find_cases(tmp_path)]
    assert layout.odd_ones(cases) == {}


def rename(folder, change):
    for path in [p for p in folder.rglob("*") if p.is_file()]:
        path.rename(path.with_name(change(path.name)))


@pytest.mark.parametrize(
    "change",
    [
        str.upper,
        str.lower,
        lambda name: name.replace("_Labels", "-Labels"),
        lambda name: name.replace("_fat", "_FAT").replace(".nii.gz", ".NII.gz"),
    ],
)
def test_names_in_any_spelling(data, change):
    rename(data, change)
    loaded = load_quietly(data)
    assert [c.subject for c in loaded] == ["A", "B"]
    assert all(list(c.contrasts) == ["wat", "fat", "inn", "opp"] for c in loaded)
    assert all(c.discs.any() for c in loaded)


def test_uncompressed_files(tmp_path, write_case):
    write_case(tmp_path, "A1", ending=".nii")
    (case,) = load_quietly(tmp_path)
    assert case.sources["wat"].name == "A1_wat.nii"


def test_a_further_level_and_one_folder_for_all(data, tmp_path):
    expected = load_quietly(data)
    deeper = tmp_path / "more" / "Training"
    deeper.mkdir(parents=True)
    flat = tmp_path / "flat"
    flat.mkdir()
    for name in ("A1", "B1"):
        shutil.copytree(data / name, deeper / name)
        for path in (data / name).iterdir():
            shutil.copy(path, flat)
    for folder in (tmp_path / "more", flat):
        loaded = load_quietly(folder)
        assert [c.name for c in loaded] == ["A1", "B1"]
        np.testing.assert_array_equal(loaded[1].contrasts["opp"], expected[1].contrasts["opp"])


def test_labels_in_a_folder_of_their_own(data):
    (data / "labels").mkdir()
    for path in [*data.glob("?1/*Labels*")]:
        path.rename(data / "labels" / path.name)
    assert all(c.discs.any() for c in load_quietly(data))


def test_what_is_hidden_or_something_else_is_ignored(data):
    (data / ".cache").mkdir()
    shutil.copy(data / "A1" / "A1_fat.nii.gz", data / ".cache" / "C1_fat.nii.gz")
    (data / "A1" / "._A1_fat.nii.gz").write_bytes(b"from a Mac")
    (data / "A1" / "A1_prediction.nii.gz").write_bytes(b"of ours")
    (data / "A1" / "notes.txt").write_text("x")
    assert [f.name for f in cases.find_cases(data)] == ["A1", "B1"]
    assert set(load_quietly(data)[0].sources) == {"wat", "fat", "inn", "opp", "labels"}


@pytest.mark.parametrize(
    ("make", "match"),
    [
        (lambda p: p / "nowhere", "does not exist"),
        (lambda p: p / "file", "is not a folder"),
        (lambda p: p / "empty", "holds no scans: no NIfTI files"),
        (lambda p: p / "other", "holds no scans: 1 NIfTI files"),
    ],
)
def test_folders_without_cases(tmp_path, make, match):
    (tmp_path / "file").write_text("x")
    (tmp_path / "empty").mkdir()
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "scan.nii.gz").write_bytes(b"x")
    for function in (cases.load_cases, cases.load_case, cases.find_cases, cases.check_cases):
        with pytest.raises(DataError, match=match):
            function(make(tmp_path))


def test_the_same_contrast_twice(data):
    shutil.copy(data / "A1" / "A1_fat.nii.gz", data / "A1" / "A1-FAT.nii.gz")
    with pytest.raises(DataError, match="case A1: fat is there 2 times"):
        cases.load_cases(data)


def test_labels_without_an_image(data):
    for path in (data / "A1").glob("*_???.nii.gz"):
        path.unlink()
    with pytest.raises(DataError, match="case A1 has no image"):
        cases.load_cases(data)


def test_a_folder_that_may_not_be_read_does_not_vanish(tmp_path, write_case, monkeypatch):
    for name in ("A1", "B1"):
        write_case(tmp_path, name)
    scandir = os.scandir

    def refuse(path):
        if str(path).endswith("B1"):
            raise PermissionError(13, "Permission denied", str(path))
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refuse)
    with pytest.raises(DataError, match="cannot read .*B1: Permission denied; ask for"):
        cases.find_cases(tmp_path)


def test_what_predict_wrote_is_no_contrast(tmp_path, write_case):
    folder = write_case(tmp_path, "A1")
    shutil.copy(folder / "A1_wat.nii.gz", tmp_path / "A1_t2.nii.gz")
    shutil.copy(folder / "A1_Labels.nii.gz", tmp_path / "A1_Discs.nii.gz")
    shutil.rmtree(folder)
    (case,) = load_quietly(tmp_path)
    assert list(case.contrasts) == ["t2"]
