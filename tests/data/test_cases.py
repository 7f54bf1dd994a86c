import contextlib
import gzip
import itertools
import json
import logging
import os
import shutil
import subprocess
import sys
import time
import warnings
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from dixon_cases import AFFINE, CONTRASTS, make_volumes, repair_of, rotation
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ivdlib.data import cases, nifti, orientation
from ivdlib.data.case import Case
from ivdlib.errors import ConfigError, DataError, DataWarning

SHAPE = (6, 24, 28)


@pytest.fixture
def data(tmp_path, write_case):
    """Two lettered cases, no warning due."""
    for name in ("A1", "B1"):
        write_case(tmp_path, name)
    return tmp_path


def load_quietly(folder, **options):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        return cases.load_cases(folder, **options)


def subjects(folder, text):
    (folder / "subjects.csv").write_text(text, encoding="utf-8")


# ---- finding -----------------------------------------------------------------------------------


def test_a_case_in_the_layout_of_the_challenge(data):
    first, second = load_quietly(data)
    assert (first.name, first.subject, first.stage) == ("A1", "A", "1")
    assert second.subject_source == "case name"
    assert list(first.contrasts) == ["wat", "fat", "inn", "opp"]
    assert all(v.dtype == np.float32 and v.shape == SHAPE for v in first.contrasts.values())
    assert first.labels.dtype == np.uint8
    assert first.discs.dtype == bool
    assert first.discs.sum() == make_volumes("A1", SHAPE)["Labels"].sum() > 0
    assert first.spine is None
    assert first.derived == frozenset()
    assert first.sources["fat"] == data / "A1" / "A1_fat.nii.gz"
    assert first.sources["labels"].name == "A1_Labels.nii.gz"
    np.testing.assert_allclose(first.spacing, np.linalg.norm(AFFINE[:3, :3], axis=0), rtol=1e-6)


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


def test_labels_are_optional_unless_required(tmp_path, write_case):
    write_case(tmp_path, "A1", labels=False)
    (case,) = load_quietly(tmp_path)
    assert case.labels is None
    assert case.discs is None
    assert case.spine is None
    with pytest.raises(DataError, match=r"case A1 has no labels; add A1_Labels"):
        cases.load_cases(tmp_path, labels_required=True)


def test_other_contrasts_are_read_under_their_own_names(tmp_path):
    for name in ("p_1", "p_2"):
        volume = make_volumes(name, SHAPE)["wat"]
        nib.save(nib.Nifti1Image(volume, AFFINE), tmp_path / f"{name}_T2.nii.gz")
        nib.save(nib.Nifti1Image(volume[::-1], AFFINE), tmp_path / f"{name}_t1.nii.gz")
    with pytest.warns(DataWarning, match="2 cases .p_1, p_2.: taken as a subject of its own"):
        loaded = cases.load_cases(tmp_path)
    assert [*loaded[0].contrasts] == ["t1", "t2"]
    assert loaded[0].subject != loaded[1].subject
    (tmp_path / "p_2_t1.nii.gz").unlink()
    with pytest.raises(DataError, match=r"case p_\d has the contrasts .*of their own"):
        cases.load_cases(tmp_path)


def test_load_case_takes_one_folder_and_the_files_beside_it(data):
    subjects(data, "case,subject,stage\nA1,Anna,before\nB1,Bert,after\n")
    case = cases.load_case(data / "A1")
    assert (case.subject, case.stage) == ("Anna", "before")
    with pytest.raises(DataError, match="holds 2 cases .A1, B1."):
        cases.load_case(data)


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


# ---- subjects ----------------------------------------------------------------------------------


def test_subjects_of_the_challenge_are_inferred_and_said_to_be(tmp_path, write_case):
    for name in ("01", "02", "15", "16"):
        write_case(tmp_path, name)
    with pytest.warns(DataWarning, match="inferred from the challenge") as caught:
        loaded = cases.load_cases(tmp_path)
    assert len(caught) == 1
    assert [(c.subject, c.stage) for c in loaded] == [
        ("S1", "1"),
        ("S1", "2"),
        ("S8", "1"),
        ("S8", "2"),
    ]
    assert loaded[0].subject_source == "inferred (challenge table)"


def test_one_letter_and_two_digits_are_people_and_not_times(tmp_path, write_case):
    """P01 and P02 are no scans of one person P."""
    for name in ("P01", "P02", "C01"):
        write_case(tmp_path, name)
    with pytest.warns(DataWarning, match="3 cases .* taken as a subject of its own"):
        loaded = cases.load_cases(tmp_path)
    assert [c.subject for c in loaded] == ["C01", "P01", "P02"]


def test_who_is_joined_by_a_letter_is_told(tmp_path, write_case):
    for name in ("A1", "A2", "B1"):
        write_case(tmp_path, name)
    with pytest.warns(DataWarning, match="A1 and A2 are one person, and so on"):
        loaded = cases.load_cases(tmp_path)
    assert [(c.subject, c.stage) for c in loaded] == [("A", "1"), ("A", "2"), ("B", "1")]


def test_subjects_csv_wins_and_keeps_further_columns(data):
    subjects(data, "\ufeffCase, subject ,stage,crop\nB1,p,2,7\na1,p,1,\n,,,\n")
    first, second = load_quietly(data)
    assert (first.subject, first.stage, first.columns) == ("p", "1", {"crop": ""})
    assert (second.subject, second.columns) == ("p", {"crop": "7"})
    assert first.subject_source == "subjects.csv"


@pytest.mark.parametrize(
    ("text", "match"),
    [
        ("case,subject\nA1,a\n", "case B1 is not in .*subjects.csv"),
        ("case,subject\nA1,a\nB1,b\nB1,c\n", "case B1 stands 2 times in .*subjects.csv"),
        ("case,subject\nA1,a\nB1,\n", "case B1 has no subject"),
        ("case,person\nA1,a\n", r"lacks the column subject \(it has case, person\)"),
        ("case;subject\nA1;a\n", "lacks the column case and subject: .*with commas between"),
        ("", "lacks the column"),
    ],
)
def test_faults_in_subjects_csv(data, text, match):
    subjects(data, text)
    with pytest.raises(DataError, match=match):
        cases.load_cases(data)


def test_subjects_csv_in_another_encoding(data):
    (data / "subjects.csv").write_bytes("case,subject\nA1,J\xfcrg\nB1,b\n".encode("latin-1"))
    with pytest.raises(DataError, match="cannot be read as a table .*save it as CSV in UTF-8"):
        cases.load_cases(data)


def test_an_inverted_mask_is_warned_of(tmp_path, write_case):
    write_case(tmp_path, "A1", change={"Labels": lambda a: np.uint8(1) - a})
    with pytest.warns(DataWarning, match=r"\d\d % of the scan is labelled as disc; look at"):
        cases.load_case(tmp_path)


def test_two_tables_of_subjects_are_ambiguous(data):
    for name in ("A1", "B1"):
        (data / name / "subjects.csv").write_text("case,subject\nA1,a\nB1,b\n")
    with pytest.raises(DataError, match="more than one subjects.csv"):
        cases.load_cases(data)


# ---- dataset.json ------------------------------------------------------------------------------


def test_declared_axes_correct_the_header_and_are_logged(tmp_path, write_case, caplog):
    affine = np.diag([2, 1.25, 1.25, 1])
    affine[:3, 3] = 5, 6, 7
    write_case(tmp_path, "A1", affine=affine)
    before = load_quietly(tmp_path)[0]
    (tmp_path / "dataset.json").write_text(json.dumps({"axcodes": ["R", "P", "S"], "name": "x"}))
    with caplog.at_level(logging.INFO, "ivdlib"):
        after = load_quietly(tmp_path)[0]
    assert "R, P, S as dataset.json declares, not to R, A, S" in caplog.text
    assert after.corrections
    assert not before.corrections
    assert after.dataset["name"] == "x"
    np.testing.assert_array_equal(after.contrasts["wat"], before.contrasts["wat"][:, ::-1])
    np.testing.assert_array_equal(after.labels, before.labels[:, ::-1])
    # the first voxel of the file stays where it was; now it is the most anterior one
    np.testing.assert_allclose(after.affine @ [0, SHAPE[1] - 1, 0, 1], [5, 6, 7, 1])
    path = tmp_path / "out" / "mask.nii.gz"
    cases.save_mask(after, after.discs, path)
    saved = nib.load(path)
    np.testing.assert_array_equal(saved.affine, affine)
    np.testing.assert_array_equal(saved.dataobj, make_volumes("A1", SHAPE)["Labels"])


@pytest.mark.parametrize(
    ("content", "match"),
    [
        ('{"axcodes": ["R", "Q", "S"]}', "dataset.json: axcodes .* are unknown"),
        ('{"discs": 1}', "dataset.json: discs must be a list"),
        ('{"spine": ["disc"]}', "dataset.json: spine must be a list"),
        ('{"spine": []}', "dataset.json: spine must be a list"),
        ('["R"]', "one JSON object"),
        ("{", "not valid JSON"),
    ],
)
def test_faults_in_dataset_json(data, content, match):
    (data / "dataset.json").write_text(content)
    with pytest.raises(DataError, match=match):
        cases.load_cases(data)


# ---- label values ------------------------------------------------------------------------------


def many_values(array):
    """Discs 4, the slice before last 2, the last one 3."""
    array = array * np.uint8(4)
    array[-2], array[-1] = 2, 3
    return array


def test_values_beyond_the_discs_are_spine_and_one_warning_says_so(tmp_path, write_case):
    for name in ("A1", "B1"):
        write_case(tmp_path, name, change={"Labels": many_values})
    with pytest.warns(DataWarning, match="2 cases .A1, B1.*2, 3, 4: 4 is taken as disc") as caught:
        case = cases.load_cases(tmp_path, discs=[4])[0]
    assert len(caught) == 1
    assert case.spine_values == {2, 3, 4}
    assert case.spine.sum() == (case.labels > 0).sum() > case.discs.sum() > 0
    with pytest.raises(DataError, match=r"holds the values 2, 3, 4 and none of the disc values 1"):
        cases.load_cases(tmp_path)


def test_declared_values_need_no_warning_and_arguments_win(tmp_path, write_case):
    write_case(tmp_path, "A1", change={"Labels": many_values})
    (tmp_path / "dataset.json").write_text('{"discs": [4], "spine": [3, 4]}')
    (case,) = load_quietly(tmp_path)
    assert case.spine.sum() == np.isin(case.labels, (3, 4)).sum()
    (case,) = load_quietly(tmp_path, discs={3}, spine={np.int64(2), 3})
    assert case.disc_values == {3}
    assert case.spine_values == {2, 3}


def test_a_declared_spine_is_none_where_only_discs_are_labelled(data):
    assert load_quietly(data, spine={1, 2, 3})[0].spine is None


def test_the_spine_of_a_file_of_its_own(tmp_path, write_case):
    folder = write_case(tmp_path, "A1", spine=True)
    (case,) = load_quietly(tmp_path)
    assert case.spine.dtype == bool
    assert case.spine.sum() == make_volumes("A1", SHAPE)["Spine"].sum()
    assert case.sources["spine"] == folder / "A1_Spine.nii.gz"
    write_case(tmp_path, "A1", spine=True, change={"Spine": np.zeros_like})
    with pytest.raises(DataError, match="case A1: .*A1_Spine.nii.gz is empty"):
        cases.load_cases(tmp_path)


# ---- contrasts ---------------------------------------------------------------------------------


def test_a_copy_is_set_aside_and_derived_with_one_warning(tmp_path, write_case):
    for name in ("A1", "B1", "C1"):
        write_case(tmp_path, name, copy=("wat", "inn"))
    with pytest.warns(DataWarning, match="3 cases .A1, B1, C1.: wat is voxel") as caught:
        loaded = cases.load_cases(tmp_path)
    assert len(caught) == 1
    for case in loaded:
        assert case.derived == {"wat"}
        assert list(case.contrasts) == ["wat", "fat", "inn", "opp"]
        assert "wat" not in case.sources
        np.testing.assert_array_equal(
            case.contrasts["wat"], case.contrasts["inn"] - case.contrasts["fat"]
        )


@pytest.mark.parametrize(
    ("wrong", "right"),
    [pair for pair in itertools.permutations(CONTRASTS, 2) if set(pair) != {"wat", "fat"}],
)
def test_the_copy_of_each_pair_is_told_and_its_true_image_made(tmp_path, write_case, wrong, right):
    write_case(tmp_path, "A1", copy=(wrong, right))
    with pytest.warns(DataWarning, match=f"{wrong} is voxel for voxel a copy of {right}"):
        (case,) = cases.load_cases(tmp_path)
    assert case.derived == {wrong}
    np.testing.assert_array_equal(case.contrasts[wrong], canonical("A1", wrong))


@pytest.mark.parametrize("copy", [("wat", "fat"), ("fat", "wat")])
def test_a_copy_that_cannot_be_resolved(tmp_path, write_case, copy):
    write_case(tmp_path, "A1", copy=copy)
    with pytest.raises(DataError, match="case A1: contrasts .* are the same voxel for voxel"):
        cases.load_cases(tmp_path)


def test_three_contrasts_that_are_one(tmp_path, write_case):
    inn = make_volumes("A1", SHAPE)["inn"]
    write_case(tmp_path, "A1", change={"wat": lambda a: inn, "opp": lambda a: inn})
    with pytest.raises(DataError, match="contrasts wat, inn, opp hold copies of each other"):
        cases.load_cases(tmp_path)


def canonical(name, word):
    image = nib.Nifti1Image(make_volumes(name, SHAPE)[word], AFFINE)
    return np.asarray(nib.as_closest_canonical(image).dataobj)


@pytest.mark.parametrize(
    "lost", [("wat",), ("fat",), ("inn",), ("opp",), ("wat", "opp"), ("fat", "opp"), ("inn", "opp")]
)
def test_a_missing_contrast_is_derived_and_marked(tmp_path, write_case, lost):
    write_case(tmp_path, "A1", missing=lost)
    with pytest.warns(DataWarning) as caught:
        (case,) = cases.load_cases(tmp_path)
    assert sorted(str(w.message).split()[2] for w in caught) == sorted(lost)
    assert all("has no file, so it was derived as" in str(w.message) for w in caught)
    assert case.derived == set(lost)
    assert list(case.contrasts) == [*CONTRASTS]
    for name in lost:
        np.testing.assert_array_equal(case.contrasts[name], canonical("A1", name))
    with pytest.raises(DataError, match=f"case A1: contrast '{lost[0]}' is missing; add A1_"):
        cases.load_cases(tmp_path, derive_missing=False)


@pytest.mark.parametrize("lost", [("wat", "fat"), ("wat", "inn"), ("fat", "inn")])
def test_what_cannot_be_derived_without_a_guess(tmp_path, write_case, lost):
    write_case(tmp_path, "A1", missing=lost)
    with pytest.raises(DataError, match="A1: contrast .* cannot be derived .*sign open.*; provide"):
        cases.load_cases(tmp_path)


def test_one_contrast_alone_is_not_enough(tmp_path, write_case):
    write_case(tmp_path, "A1", missing=("fat", "inn", "opp"))
    with pytest.raises(DataError, match="case A1: contrast 'fat' .* cannot be derived without inn"):
        cases.load_cases(tmp_path)


# ---- broken files ------------------------------------------------------------------------------


def four_d(array):
    return np.stack([array, array], axis=-1)


def with_value(value):
    def change(array):
        array = array.astype(np.float32)
        array[1, 2, 3] = value
        return array

    return change


def with_spacing(*zooms):
    def change(array):
        image = nib.Nifti1Image(array, AFFINE)
        image.header["pixdim"][1:4] = zooms
        return image

    return change


def colours(array):
    rgb = np.zeros(array.shape, [("R", "u1"), ("G", "u1"), ("B", "u1")])
    rgb["R"] = array % 200
    return nib.Nifti1Image(rgb, AFFINE)


def in_unit(unit, factor):
    """Lengths as `factor` times the millimetres, said to be in `unit`."""

    def change(array):
        image = nib.Nifti1Image(array, np.diag([factor, factor, factor, 1]) @ AFFINE)
        image.header.set_xyzt_units(unit)
        return image

    return change


def with_sform(affine):
    def change(array):
        image = nib.Nifti1Image(array, AFFINE)
        for name, row in zip(("srow_x", "srow_y", "srow_z"), affine, strict=True):
            image.header[name] = row
        image._affine = image.header.get_best_affine()  # else nibabel writes the good one again
        return image

    return change


def moved(mm):
    affine = AFFINE.copy()
    affine[0, 3] += mm
    return affine


BROKEN = {
    "truncated": ({"truncated": "fat"}, "A1_fat.nii.gz is truncated"),
    "truncated labels": ({"truncated": "Labels"}, "A1_Labels.nii.gz is truncated"),
    "truncated, not compressed": (
        {"truncated": "fat", "ending": ".nii"},
        "A1_fat.nii is truncated",
    ),
    "4-D": ({"change": {"inn": four_d}}, "A1_inn.nii.gz has the shape 6 x 24 x 28 x 2, but one"),
    "2-D": ({"change": {"inn": lambda a: a[0]}}, "A1_inn.nii.gz has the shape 24 x 28, but one"),
    "shape": (
        {"change": {"opp": lambda a: a[:-1]}},
        "case A1: contrast opp has the shape 5 x 24 x 28, but A1_wat.nii.gz has 6 x 24 x 28",
    ),
    "affine": (
        {"affines": {"opp": moved(2.5)}},
        "case A1: contrast opp has another affine than A1_wat.nii.gz: a corner lies 2.5 mm",
    ),
    "NaN": ({"change": {"fat": with_value(np.nan)}}, "A1_fat.nii.gz holds NaN or inf"),
    "inf": ({"change": {"fat": with_value(-np.inf)}}, "A1_fat.nii.gz holds NaN or inf"),
    "constant": ({"change": {"opp": np.zeros_like}}, "A1_opp.nii.gz is constant"),
    "zero spacing": (
        {"change": {"wat": with_spacing(2, 0, 1)}},
        "A1_wat.nii.gz has the spacing 2, 0, 1 mm",
    ),
    "negative spacing": (
        {"change": {"wat": with_spacing(-2, 1, 1)}},
        "A1_wat.nii.gz has the spacing -2, 1, 1 mm",
    ),
    "singular": (
        {"change": {"wat": with_sform([[1, 0, 0, 0], [0, 1, 0, 0], [0, 1, 0, 0]])}},
        "A1_wat.nii.gz: the affine is singular",
    ),
    "NaN affine": (
        {"change": {"wat": with_sform([[1, 0, 0, np.nan], [0, 1, 0, 0], [0, 0, 1, 0]])}},
        "A1_wat.nii.gz: the affine holds NaN",
    ),
    "complex": (
        {"change": {"wat": lambda a: a.astype(np.complex64)}},
        "A1_wat.nii.gz holds complex64, not one real number a voxel",
    ),
    "colours": ({"change": {"inn": colours}}, "A1_inn.nii.gz holds colours, not one real number"),
    "metres that are millimetres": (
        {"change": {"fat": in_unit("meter", 1)}},
        "A1_fat.nii.gz has voxels of 1982.* mm .its header counts in metres.",
    ),
    "microns that are metres": (
        {"change": {"fat": in_unit("mm", 1e-3)}},
        "A1_fat.nii.gz has voxels of 0.00198.* mm, as no scan",
    ),
    "label colours": (
        {"change": {"Labels": colours}},
        "A1_Labels.nii.gz holds colours, not one real number",
    ),
    "copy": (
        {"copy": ("wat", "fat")},
        "case A1: contrasts 'wat' and 'fat' are the same voxel for voxel",
    ),
    "three copies": (
        {"change": dict.fromkeys(("wat", "opp"), lambda a: make_volumes("A1", SHAPE)["inn"])},
        "case A1: contrasts wat, inn, opp hold copies",
    ),
    "label shape": (
        {"change": {"Labels": lambda a: a[:, :-2]}},
        "case A1: A1_Labels.nii.gz has the shape 6 x 22 x 28, but A1_wat.nii.gz has 6 x 24 x 28",
    ),
    "label affine": (
        {"affines": {"Labels": moved(15.5)}},
        'A1_Labels.nii.gz has another affine than .*: a corner lies 15.5 mm.*label_grid="affine"',
    ),
    "label halves": (
        {"change": {"Labels": with_value(0.5)}},
        "A1_Labels.nii.gz holds the value 0.5",
    ),
    "label NaN": (
        {"change": {"Labels": with_value(np.nan)}},
        "A1_Labels.nii.gz holds the value nan",
    ),
    "label too large": (
        {"change": {"Labels": with_value(256)}},
        "A1_Labels.nii.gz holds the value 256",
    ),
    "label negative": (
        {"change": {"Labels": with_value(-1)}},
        "A1_Labels.nii.gz holds the value -1",
    ),
    "label empty": (
        {"change": {"Labels": np.zeros_like}},
        "case A1: .*A1_Labels.nii.gz holds the values 0 only and none of the disc values 1",
    ),
    "missing": ({"missing": ("inn", "fat")}, "case A1: contrast 'fat' .* cannot be derived"),
    "missing all but labels": ({"missing": CONTRASTS}, "case A1 has no image"),
}


@pytest.fixture(params=BROKEN, ids=lambda name: name.replace(" ", "-"))
def broken(request, tmp_path, write_case):
    """A good case B1 and a case A1 with one fault; the folder and the sentence."""
    faults, match = BROKEN[request.param]
    write_case(tmp_path, "B1")
    write_case(tmp_path, "A1", **faults)
    return tmp_path, match


def test_a_broken_case_gives_one_sentence_and_no_chatter(broken, caplog):
    caplog.clear()  # nibabel grumbles where the fault is written, too
    folder, match = broken
    with pytest.raises(DataError, match=match) as caught:
        cases.load_cases(folder)
    message = str(caught.value)
    assert message.endswith(".")
    assert repair_of(message), "the message names no repair"
    assert "\n" not in message
    assert not caplog.records
    assert cases.load_case(folder / "B1").name == "B1"


def test_check_goes_on_after_a_broken_case(broken):
    folder, match = broken
    bad, good = cases.check_cases(folder)
    assert (bad["case"], good["case"]) == ("A1", "B1")
    pytest.raises(DataError, _raise, bad["errors"][0]).match(match)
    assert good["errors"] == []
    assert all(repair_of(sentence) for sentence in bad["errors"] + bad["warnings"])
    json.dumps([bad, good], allow_nan=False)


def _raise(message):
    raise DataError(message)


@pytest.mark.parametrize("word", ["fat", "Labels"])
def test_a_changed_byte_in_a_compressed_file_is_noticed(data, word):
    path = data / "A1" / f"A1_{word}.nii.gz"
    with gzip.open(path) as stream:
        content = bytearray(stream.read())
    checksum = gzip.compress(content)[-8:]
    content[-1] ^= 1  # one voxel is another now, in a file that unpacks all the same
    path.write_bytes(gzip.compress(content)[:-8] + checksum)
    with pytest.raises(DataError, match=f"A1_{word}.nii.gz is truncated, corrupt.*CRC"):
        cases.load_cases(data)


def test_rubbish_in_place_of_a_file(data):
    path = data / "A1" / "A1_fat.nii.gz"
    for content in (b"", b"not gzip at all", b"\x1f\x8b rubbish after the magic number"):
        path.write_bytes(content)
        with pytest.raises(DataError, match=r"A1_fat.nii.gz is truncated, corrupt or not"):
            cases.load_cases(data)


@pytest.mark.parametrize("ending", [".nii", ".nii.gz"])
def test_another_magic_number(tmp_path, write_case, ending):
    path = write_case(tmp_path, "A1", ending=".nii") / "A1_fat.nii"
    content = path.read_bytes()
    path.unlink()
    content = content[:344] + b"nope" + content[348:]
    path = path.with_suffix(ending)
    path.write_bytes(gzip.compress(content) if ending == ".nii.gz" else content)
    with pytest.raises(DataError, match=r"A1_fat.nii(.gz)? is truncated, corrupt or not a NIfTI"):
        cases.load_cases(tmp_path)


def test_what_is_no_nifti_file_is_called_so(tmp_path, write_case):
    scan = nib.load(write_case(tmp_path, "A1", ending=".nii") / "A1_fat.nii")
    with pytest.raises(DataError, match=f"{tmp_path.name} is a folder; give a NIfTI file"):
        nifti.read_labels(tmp_path)
    nib.save(nib.MGHImage(scan.get_fdata(dtype=np.float32), scan.affine), tmp_path / "a.mgz")
    with pytest.raises(DataError, match=r"a.mgz is no NIfTI file \(MGH\); convert it"):
        nifti.read_image(tmp_path / "a.mgz")
    plain = (tmp_path / "A1" / "A1_fat.nii").rename(tmp_path / "A1_fat.nii.gz")
    with pytest.raises(DataError, match="is not compressed as its name says; rename it to A1_fat"):
        nifti.read_image(plain)


def test_a_name_that_no_disk_takes(tmp_path):
    with pytest.raises(DataError, match=r"nii.gz is truncated, corrupt or not a NIfTI file"):
        nifti.read_image(tmp_path / f"{'x' * 300}.nii.gz")


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


def test_a_file_that_may_not_be_read(data, monkeypatch):
    def refuse(path, *_):  # not nib.load, which hides the reason
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(DataError, match=r"A1_wat.nii.gz may not be read; ask"):
        cases.load_cases(data)


def test_a_trailing_axis_of_one_is_no_fourth_dimension(tmp_path, write_case):
    write_case(tmp_path, "A1", change={"wat": lambda a: a[..., None]})
    (case,) = load_quietly(tmp_path)
    assert case.shape == SHAPE
    cases.save_mask(case, case.discs, tmp_path / "mask.nii")
    assert nib.load(tmp_path / "mask.nii").shape == SHAPE


def test_a_tiny_difference_of_affines_is_none(tmp_path, write_case):
    write_case(tmp_path, "A1", affines={"fat": moved(0.09), "Labels": moved(-0.09)})
    assert load_quietly(tmp_path)


# ---- labels on another grid --------------------------------------------------------------------


def test_labels_with_a_wrong_affine_are_read_by_voxel_and_the_warning_says_how_far(
    tmp_path, write_case
):
    write_case(tmp_path, "A1", affines={"Labels": moved(10.8)})
    with pytest.warns(DataWarning, match="case A1: the affine of labels is off by up to 10.8 mm"):
        (case,) = cases.load_cases(tmp_path)
    np.testing.assert_array_equal(case.labels, canonical("A1", "Labels"))


def test_labels_resampled_by_a_wrong_affine_move_by_it_and_the_log_says_how_far(
    tmp_path, write_case, caplog
):
    step = np.linalg.norm(AFFINE[:3, 2])
    affine = AFFINE.copy()
    affine[:3, 3] += 2 * AFFINE[:3, 2]  # two voxels along the last axis
    write_case(tmp_path, "A1", affines={"Labels": affine})
    with caplog.at_level(logging.INFO, "ivdlib"):
        (case,) = load_quietly(tmp_path, label_grid="affine")
    assert f"case A1: labels lie on another grid (a corner {2 * step:.1f} mm away)" in caplog.text
    np.testing.assert_array_equal(case.labels[..., 2:], canonical("A1", "Labels")[..., :-2])
    affine[:3, 3] += 400
    write_case(tmp_path, "A1", affines={"Labels": affine})
    with pytest.raises(DataError, match="no voxel of A1_Labels.nii.gz lies within the scan"):
        cases.load_cases(tmp_path, label_grid="affine")


def test_labels_in_another_orientation_are_resampled_on_request(tmp_path, write_case):
    def turned(array):
        return nib.as_closest_canonical(nib.Nifti1Image(array, AFFINE))

    write_case(tmp_path, "A1", change={"Labels": turned})
    with pytest.raises(DataError, match='label_grid="affine"'):
        cases.load_cases(tmp_path)
    (case,) = load_quietly(tmp_path, label_grid="affine")
    true = turned(make_volumes("A1", SHAPE)["Labels"])
    np.testing.assert_array_equal(case.labels, np.asarray(true.dataobj))
    assert "resampled" in case.corrections[0]
    with pytest.raises(ConfigError, match="label_grid='world' is unknown"):
        cases.load_cases(tmp_path, label_grid="world")


# ---- the way back ------------------------------------------------------------------------------


def test_a_mask_goes_back_onto_the_grid_of_its_file(tmp_path, write_case, oblique_affine):
    write_case(tmp_path, "A1", (3, 8, 14), affine=oblique_affine)
    (case,) = load_quietly(tmp_path)
    own = make_volumes("A1", (3, 8, 14))
    assert case.discs.any()
    np.testing.assert_array_equal(cases.to_file_grid(case, case.labels), own["Labels"])
    np.testing.assert_array_equal(cases.to_file_grid(case, case.contrasts["opp"]), own["opp"])
    path = tmp_path / "mask.nii.gz"
    cases.save_mask(case, case.discs, path)
    saved, source = nib.load(path), nib.load(case.sources["wat"])
    assert saved.get_data_dtype() == np.uint8
    np.testing.assert_array_equal(np.asarray(saved.dataobj), own["Labels"])
    np.testing.assert_array_equal(saved.affine, source.affine)


@given(
    axes=st.permutations(range(3)),
    signs=st.tuples(*[st.sampled_from((-1, 1))] * 3),
    tilt=st.tuples(*[st.floats(-0.7, 0.7)] * 3),
    spacing=st.tuples(*[st.floats(0.4, 6)] * 3),
    origin=st.tuples(*[st.floats(-300, 300)] * 3),
    unit=st.sampled_from(["unknown", "mm", "meter", "micron"]),
    shape=st.tuples(*[st.integers(2, 6)] * 3),
    numbers=st.randoms(use_true_random=False),
)
@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_any_grid_comes_back_bit_for_bit(
    tmp_path, axes, signs, tilt, spacing, origin, unit, shape, numbers
):
    """Canonical in memory, the file's own grid on the way out; voxels keep their place in mm."""
    mm = np.eye(4)
    mm[:3, :3] = rotation(*tilt)[:, axes] * signs * spacing
    mm[:3, 3] = origin
    scale = {"meter": 1e-3, "micron": 1e3}.get(unit, 1)
    volume = np.arange(np.prod(shape), dtype=np.int16).reshape(shape)
    labels = np.array([numbers.random() < 0.5 for _ in volume.flat], np.uint8).reshape(shape)
    labels.flat[0] = 1
    for word, array in (("t2", volume), ("Labels", labels)):
        image = nib.Nifti1Image(array, np.diag([scale, scale, scale, 1]) @ mm)
        image.header.set_xyzt_units(unit)
        nib.save(image, tmp_path / f"A1_{word}.nii")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DataWarning)  # of the unit
        case = cases.load_case(tmp_path)
    assert orientation.axcodes_of(case.affine) == ("R", "A", "S")
    np.testing.assert_allclose(case.spacing, np.linalg.norm(case.affine[:3, :3], axis=0))
    for value in (0, volume.size // 2, volume.size - 1):
        before = mm @ [*np.argwhere(volume == value)[0], 1]
        after = case.affine @ [*np.argwhere(case.contrasts["t2"] == value)[0], 1]
        np.testing.assert_allclose(before, after, atol=1e-2)
    cases.save_mask(case, case.discs, tmp_path / "mask.nii")
    saved, source = nib.load(tmp_path / "mask.nii"), nib.load(tmp_path / "A1_Labels.nii")
    np.testing.assert_array_equal(saved.dataobj, labels)
    np.testing.assert_array_equal(saved.affine, source.affine)
    for key in ("xyzt_units", "pixdim", "qform_code", "sform_code"):
        np.testing.assert_array_equal(saved.header[key], source.header[key])
    (tmp_path / "mask.nii").unlink()


@pytest.mark.parametrize("qcode", [0, 1])
@pytest.mark.parametrize("scode", [0, 2, 4])
def test_qform_and_sform_survive_with_their_codes(tmp_path, write_case, qcode, scode):
    turned = AFFINE.copy()
    turned[:3, 3] += 40

    def change(array):
        image = nib.Nifti1Image(array, None)
        image.header.set_qform(turned, qcode)
        image.header.set_sform(AFFINE, scode)
        image.header["cal_max"] = 300
        return nib.Nifti1Image(array, None, image.header)

    words = ("wat", "fat", "inn", "opp", "Labels")
    write_case(tmp_path, "A1", change=dict.fromkeys(words, change))
    # both or none: which one holds is a remark of its own, see test_header.py
    with contextlib.nullcontext() if bool(qcode) != bool(scode) else pytest.warns(DataWarning):
        (case,) = cases.load_cases(tmp_path)
    cases.save_mask(case, case.discs, tmp_path / "mask.nii.gz")
    saved, source = nib.load(tmp_path / "mask.nii.gz"), nib.load(case.sources["wat"])
    assert (int(source.header["qform_code"]), int(source.header["sform_code"])) == (qcode, scode)
    for form in (nib.Nifti1Image.get_qform, nib.Nifti1Image.get_sform):
        np.testing.assert_array_equal(form(saved), form(source))
    for key in ("qform_code", "sform_code", "pixdim", "xyzt_units"):
        np.testing.assert_array_equal(saved.header[key], source.header[key])
    assert saved.header["cal_max"] == 0
    np.testing.assert_array_equal(saved.affine, source.affine)


def test_a_nifti2_scan_gets_a_nifti2_mask(tmp_path, write_case):
    words = ("wat", "fat", "inn", "opp", "Labels")
    write_case(tmp_path, "A1", change=dict.fromkeys(words, lambda a: nib.Nifti2Image(a, AFFINE)))
    (case,) = load_quietly(tmp_path)
    cases.save_mask(case, case.discs, tmp_path / "mask.nii.gz")
    assert type(nib.load(tmp_path / "mask.nii.gz")) is nib.Nifti2Image


def test_scaled_integers_are_read_scaled(tmp_path, write_case):
    def scaled(array):
        image = nib.Nifti1Image(array.astype(np.float32) / 4, AFFINE)
        image.set_data_dtype(np.int16)
        return image

    write_case(tmp_path, "A1", change={"wat": scaled})
    (case,) = load_quietly(tmp_path)
    true = make_volumes("A1", SHAPE)["wat"] / 4
    np.testing.assert_allclose(cases.to_file_grid(case, case.contrasts["wat"]), true, atol=0.01)
    cases.save_mask(case, case.labels * 200, tmp_path / "mask.nii.gz")
    assert set(np.unique(nib.load(tmp_path / "mask.nii.gz").dataobj)) == {0, 200}


def test_masks_that_do_not_fit_are_refused_and_nothing_is_left(data):
    case = load_quietly(data)[0]
    out = data / "out"
    with pytest.raises(DataError, match="does not lie on the case's grid"):
        cases.save_mask(case, case.discs[1:], out / "m.nii.gz")
    with pytest.raises(DataError, match="whole numbers from 0 to 255"):
        cases.save_mask(case, case.discs * 0.5, out / "m.nii.gz")
    with pytest.raises(DataError, match="ends in .nii or .nii.gz"):
        cases.save_mask(case, case.discs, out / "m.png")
    (data / "file").write_text("x")
    with pytest.raises(DataError, match="cannot write"):
        cases.save_mask(case, case.discs, data / "file" / "m.nii.gz")
    assert not out.exists() or not [*out.iterdir()]


def test_a_case_made_in_memory_can_be_saved(tmp_path):
    case = Case("m", "s", {"wat": np.ones((3, 4, 5), np.float32)}, np.diag([2, 1, 1, 1]))
    mask = np.zeros((3, 4, 5), bool)
    mask[1, 2] = True
    cases.save_mask(case, mask, tmp_path / "m.nii")
    saved = nib.load(tmp_path / "m.nii")
    np.testing.assert_array_equal(saved.dataobj, mask)
    np.testing.assert_array_equal(saved.affine, case.affine)


# ---- real scans, speed -------------------------------------------------------------------------


def test_the_real_crops(shared):
    folder = shared / "data" / "ivdm3seg_crops"
    began = time.process_time()
    with pytest.warns(DataWarning) as caught:
        loaded = cases.load_cases(folder)
    assert time.process_time() - began < 2
    assert len(caught) == 1
    assert "49 cases" in str(caught[0].message)
    assert len(loaded) == 49
    assert {c.subject for c in loaded} == set("ABCDEF")
    assert all(c.derived == {"wat"} and c.shape == (35, 35, 25) for c in loaded)
    assert all(c.discs.any() and c.spine is None for c in loaded)
    assert loaded[2].columns == {"crop": "3"}
    in_discs = {
        name: np.mean([c.contrasts[name][c.discs].mean() for c in loaded])
        for name in loaded[0].contrasts
    }
    for name, measured in {"inn": 180, "fat": 16, "opp": 162, "wat": 164}.items():
        assert in_discs[name] == pytest.approx(measured, abs=8)
    rows = cases.check_cases(folder)
    assert sum(row["copies"] == [["wat", "inn"]] for row in rows) == 49
    assert not [row for row in rows if row["errors"]]


def test_the_discs_of_the_real_crops_are_taller_in_front(shared):
    """The declared axes are the true ones: axis 1 of the canonical array runs to anterior."""
    with pytest.warns(DataWarning):
        loaded = cases.load_cases(shared / "data" / "ivdm3seg_crops")
    taller = []
    for case in loaded:
        height = case.discs[15:20].sum(axis=2).mean(axis=0)
        inside = np.flatnonzero(height > 0)
        third = len(inside) // 3
        taller.append(height[inside[-third:]].mean() > height[inside[:third]].mean())
    assert np.mean(taller) > 0.7


def test_the_t2_slabs(shared):
    with pytest.warns(DataWarning, match="12 cases .*1 is taken as disc") as caught:
        loaded = cases.load_cases(shared / "data" / "spider_t2_slabs")
    assert len(caught) == 1
    assert len({c.subject for c in loaded}) == len(loaded) == 12
    for case in loaded:
        assert list(case.contrasts) == ["t2"]
        assert case.spine_values == {1, 2, 3}
        assert case.disc_values == {1}
        assert case.spine.sum() > 2 * case.discs.sum() > 0


def test_importing_is_light():
    code = (
        "import sys, ivdlib.data.cases; print(*(m for m in ('pandas', 'nibabel', 'scipy', 'keras', "
    )
    code += "'tensorflow') if m in sys.modules))"
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        cwd=Path(cases.__file__).parents[2],
    )
    assert done.stdout.split() == []


def test_exact_labels_of_a_phantom_stand_beside_the_drawn_ones(tmp_path, write_case):
    folder = write_case(tmp_path, "01")
    labels = nib.load(folder / "01_Labels.nii.gz")
    exact = np.roll(np.asarray(labels.dataobj), 1, axis=2)
    nib.save(nib.Nifti1Image(exact, labels.affine), folder / "01_Exact.nii.gz")
    case = cases.load_case(folder)
    assert case.exact_mask.dtype == bool and case.exact_mask.shape == case.shape
    np.testing.assert_array_equal(cases.to_file_grid(case, case.exact_mask), exact > 0)
    np.testing.assert_array_equal(cases.to_file_grid(case, case.labels), labels.dataobj)
    assert cases.load_case(write_case(tmp_path / "other", "02")).exact_mask is None


def test_a_derived_contrast_that_is_constant_is_refused_with_its_name(tmp_path, write_case):
    folder = write_case(tmp_path, "A1", change={"fat": lambda a: a + 2000})
    (folder / "A1_wat.nii.gz").unlink()
    with pytest.raises(
        DataError, match=r"case A1: wat, derived as max\(inn - fat, 0\), is constant"
    ):
        cases.load_cases(tmp_path)


def test_what_predict_wrote_is_no_contrast(tmp_path, write_case):
    folder = write_case(tmp_path, "A1")
    shutil.copy(folder / "A1_wat.nii.gz", tmp_path / "A1_t2.nii.gz")
    shutil.copy(folder / "A1_Labels.nii.gz", tmp_path / "A1_Discs.nii.gz")
    shutil.rmtree(folder)
    (case,) = load_quietly(tmp_path)
    assert list(case.contrasts) == ["t2"]


def test_a_mask_of_a_case_from_memory_has_its_spacing_everywhere(tmp_path):
    affine = np.diag([4.0, 1.25, 1.25, 1.0])
    case = cases.Case("x", "x", {"wat": np.ones((3, 8, 9), np.float32)}, affine)
    cases.save_mask(case, np.ones((3, 8, 9), bool), tmp_path / "m.nii.gz")
    header = nib.load(tmp_path / "m.nii.gz").header
    assert header.get_zooms() == (4.0, 1.25, 1.25) and header.get_xyzt_units()[0] == "mm"


def test_a_scaled_mask_is_one(tmp_path, write_case):
    """255 times 1/255, as some programs write a mask."""
    folder = write_case(tmp_path, "A1")
    path = folder / "A1_Labels.nii.gz"
    image = nib.load(path)
    mask = np.asarray(image.dataobj) > 0
    scaled = nib.Nifti1Image(np.uint8(mask) * 255, image.affine)
    scaled.header.set_slope_inter(1 / 255, 0)
    nib.save(scaled, path)
    np.testing.assert_array_equal(load_quietly(tmp_path)[0].discs.sum(), mask.sum())


@pytest.mark.parametrize("label_grid", ["voxel", "affine"])
@pytest.mark.parametrize("affine", [np.eye(4), None])
def test_labels_without_a_geometry_are_never_laid_somewhere(
    tmp_path, write_case, affine, label_grid
):
    """As arrays are that were saved without an affine: no header to go by."""
    bare = {"Labels": lambda array: nib.Nifti1Image(array, affine)}
    folder = write_case(tmp_path, "A1", change=bare)
    with pytest.raises(DataError, match="A1_Labels.nii.gz has no geometry of its own"):
        cases.load_case(folder, label_grid=label_grid)


def test_labels_that_lie_half_outside_are_said(tmp_path, write_case):
    moved = AFFINE.copy()
    moved[:3, 3] += 14 * moved[:3, 2]  # half the scan upwards
    folder = write_case(tmp_path, "A1", affines={"Labels": moved})
    with pytest.warns(DataWarning, match="by the affines .* % of labels lie outside the scan"):
        cases.load_case(folder, label_grid="affine")


def test_all_cases_that_cannot_be_used_are_named_at_once(tmp_path, write_case):
    for name in ("P1", "P2", "P3", "P4"):
        write_case(tmp_path, name, truncated="fat" if name in ("P2", "P4") else "")
    with pytest.raises(DataError, match=r"P2_fat.nii.gz is trunc.*\. 1 more cannot be used \(P4\)"):
        cases.load_cases(tmp_path)
    (tmp_path / "subjects.csv").write_text("case,subject\nP1,a\nP3,\n")
    with pytest.raises(DataError, match=r"case P2 is not in .*\. 2 more .* \(P3, P4\); mend this"):
        cases.load_cases(tmp_path)
