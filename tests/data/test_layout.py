"""Layouts beside the challenge's own: no prefix, any prefix, any case of the letters."""

import shutil
import warnings
from pathlib import Path

import numpy as np
import pytest
from dixon_cases import CONTRASTS

from ivdlib.data import case_files, cases, layout
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


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("a/01_wat.nii.gz", ("01", "wat")),
        ("a/sub-1_ses-2_T2.NII", ("sub-1_ses-2", "t2")),
        ("/input/Wat.nii.gz", ("input", "wat")),
        ("/fat.nii", ("case", "fat")),
        ("a/scan.nii.gz", ("scan", "image")),
    ],
)
def test_case_and_contrast_in_a_name(path, expected):
    assert case_files.contrast_in_name(Path(path)) == expected


def test_another_version_of_a_contrast_is_no_scan_of_its_own(tmp_path, write_case):
    for name in ("P11", "P12"):
        write_case(tmp_path, name)
    fat = tmp_path / "P11" / "P11_fat.nii.gz"
    (tmp_path / "P11" / "P11_fat_N4.nii.gz").write_bytes(fat.read_bytes())
    ((name, text),) = layout.odd_ones(layout.find_cases(tmp_path)).items()
    assert name == "P11_fat"
    assert "no scan of its own by its name, but another fat of P11 (P11_fat_N4.nii.gz)" in text
