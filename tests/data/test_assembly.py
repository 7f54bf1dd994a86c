"""A case from its files: copies, contrasts that are missing, files that are broken."""

import itertools
import json

import nibabel as nib
import numpy as np
import pytest
from dixon_cases import AFFINE, CONTRASTS, make_volumes, repair_of
from loaded import SHAPE, canonical, load_quietly, moved

from ivdlib.data import cases
from ivdlib.errors import DataError, DataWarning


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


def test_a_tiny_difference_of_affines_is_none(tmp_path, write_case):
    write_case(tmp_path, "A1", affines={"fat": moved(0.09), "Labels": moved(-0.09)})
    assert load_quietly(tmp_path)


def test_a_derived_contrast_that_is_constant_is_refused_with_its_name(tmp_path, write_case):
    folder = write_case(tmp_path, "A1", change={"fat": lambda a: a + 2000})
    (folder / "A1_wat.nii.gz").unlink()
    with pytest.raises(
        DataError, match=r"case A1: wat, derived as max\(inn - fat, 0\), is constant"
    ):
        cases.load_cases(tmp_path)
