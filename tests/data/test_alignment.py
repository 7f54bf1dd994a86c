"""Two files of a case: whether their voxels correspond, and what is said where they do not."""

import itertools
import json

import nibabel as nib
import numpy as np
import pytest
from dixon_cases import CONTRASTS, rotation
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ivdlib.data import cases, geometry
from ivdlib.data.alignment import straightened
from ivdlib.data.orientation import axcodes_of
from ivdlib.errors import DataError, DataWarning
from ivdlib.evaluation import scoring

TURNS = [
    (order, signs)
    for order in itertools.permutations(range(3))
    for signs in itertools.product((1, -1), repeat=3)
]
"""Array axis → world axis and direction: all 48."""

SHAPES = [(8, 40, 44), (3, 40, 44), (2, 36, 36), (40, 44, 8), (24, 24, 24), (1, 40, 44)]
"""Thin slabs, where a mirrored affine moves corners by a few mm only, a thick one, one slice."""


def affine_of(turn, spacing=(0.9, 0.9, 0.9), tilt=(0.1, 0, -0.05)):
    """Affine whose array axes run along the world axes of `turn`, slightly oblique."""
    order, signs = turn
    directions = rotation(*tilt)[:, list(order)] * np.array(signs)
    affine = np.eye(4)
    affine[:3, :3] = directions * np.array(spacing)
    affine[:3, 3] = -12, 30, 5
    return affine


def numbers(shape):
    """An array that no turn and no mirror leaves as it is."""
    return (1 + np.arange(np.prod(shape)).reshape(shape) % 250).astype(np.uint8)


def turned(array, affine, turn):
    """Turn array and affine alike: the same voxels in the same places, stored another way."""
    order, signs = turn
    ornt = np.column_stack([order, signs]).astype(float)
    back = nib.orientations.inv_ornt_aff(ornt, array.shape)
    return nib.orientations.apply_orientation(array, ornt), affine @ back


def write(folder, scan, scan_affine, labels, labels_affine):
    folder.mkdir(exist_ok=True)
    nib.save(nib.Nifti1Image(scan.astype(np.int16), scan_affine), folder / "01_t2.nii")
    nib.save(nib.Nifti1Image(labels.astype(np.uint8), labels_affine), folder / "01_Labels.nii")


def load(folder, **options):
    return cases.load_case(folder, discs=set(range(1, 251)), spine={1}, **options)


many = settings(
    max_examples=150,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


@many
@given(
    scan_turn=st.sampled_from(TURNS),
    turn=st.sampled_from(TURNS),
    shape=st.sampled_from(SHAPES),
    place=st.sampled_from(["same box", "same first voxel", "same middle"]),
)
@pytest.mark.filterwarnings("ignore::ivdlib.errors.DataWarning")
def test_labels_under_a_turned_affine_are_never_read_as_they_are(
    tmp_path, scan_turn, turn, shape, place
):
    """The array is the scan's, voxel by voxel, and only the affine is turned or mirrored."""
    affine = affine_of(scan_turn)
    array = numbers(shape)
    other = affine.copy()
    order, signs = turn
    other[:3, :3] = affine[:3, list(order)] * np.array(signs)
    if place == "same middle":
        middle = (np.array(shape) - 1) / 2
        other[:3, 3] += (affine - other)[:3, :3] @ middle
    elif place == "same box":
        box = turned(array, affine, turn)
        if box[0].shape != shape:
            return
        other = box[1]
    write(tmp_path, array, affine, array, other)
    moved = geometry.corner_displacement_mm(affine, other, shape)
    if moved <= geometry.AFFINE_TOLERANCE_MM:  # nothing turned but an axis of one voxel
        np.testing.assert_array_equal(load(tmp_path).labels, load(tmp_path).contrasts["t2"])
        return
    with pytest.raises(DataError, match=r"its axes run to .*label_grid=\"affine\"") as caught:
        load(tmp_path)
    assert "--label-grid" in str(caught.value).rpartition(";")[2]


@many
@given(
    scan_turn=st.sampled_from(TURNS),
    turn=st.sampled_from(TURNS),
    shape=st.sampled_from(SHAPES),
    whole=st.booleans(),
)
@pytest.mark.filterwarnings("ignore::ivdlib.errors.DataWarning")
def test_labels_that_are_stored_another_way_are_exact_or_refused(
    tmp_path, scan_turn, turn, shape, whole
):
    """Array and affine are turned alike, as another program saves them."""
    affine = affine_of(scan_turn, (2.0, 1.25, 0.9)) if whole else affine_of(scan_turn)
    array = numbers(shape)
    labels, other = turned(array, affine, turn)
    write(tmp_path, array, affine, labels, other)
    case = load(tmp_path, label_grid="affine")
    np.testing.assert_array_equal(case.labels, case.contrasts["t2"])
    try:
        plain = load(tmp_path)
    except DataError as error:
        assert "turns them without loss" in str(error).rpartition(";")[2]
    else:
        np.testing.assert_array_equal(plain.labels, plain.contrasts["t2"])


@pytest.mark.parametrize("axis", [0, 1, 2])
@pytest.mark.parametrize("stored", [False, True])
def test_a_mirrored_label_file_of_a_thin_slab_is_refused_with_its_cause(
    tmp_path, write_case, axis, stored
):
    """Eight slices of 0.9 mm: the corners lie 6.3 mm apart, where 15 mm were allowed."""
    affine = np.diag([0.9, 0.9, 0.9, 1.0])
    shape = [24, 24, 24]
    shape[axis] = 8
    other = affine.copy()
    other[axis] *= -1
    other[axis, 3] = 6.3 if stored else 0
    folder = write_case(tmp_path, "A1", tuple(shape), affine=affine, affines={"Labels": other})
    (row,) = cases.check_cases(tmp_path)
    (text,) = row["errors"]
    side = ("left-right", "front-back", "up-down")[axis]
    assert f"A1_Labels.nii.gz lies mirrored ({side})" in text
    codes = [*"RAS"]
    codes[axis] = "LPI"[axis]
    assert f"its axes run to {', '.join(codes)}, those of A1_wat.nii.gz to R, A, S" in text
    assert "--label-grid affine" in text
    assert ("turns them without loss" in text) == stored
    assert ('"axcodes": ["R", "A", "S"]' in text) != stored
    (row,) = cases.check_cases(tmp_path, label_grid="affine")
    if stored:
        case = cases.load_case(folder, label_grid="affine")
        plain = np.asarray(nib.load(folder / "A1_Labels.nii.gz").dataobj)
        np.testing.assert_array_equal(case.labels, np.flip(plain, axis))


def test_declared_axes_settle_which_header_is_right(tmp_path, write_case):
    affine = np.diag([0.9, 0.9, 0.9, 1.0])
    mirrored = np.diag([-0.9, 0.9, 0.9, 1.0])
    write_case(tmp_path, "A1", (8, 24, 24), affine=affine, affines={"Labels": mirrored})
    (tmp_path / "dataset.json").write_text('{"axcodes": ["R", "A", "S"]}')
    (row,) = cases.check_cases(tmp_path)
    assert row["errors"] == []
    assert any("labels" in text and "dataset.json" in text for text in row["corrections"])
    # but a file that was stored the other way round is not what was declared
    mirrored[0, 3] = 6.3
    write_case(tmp_path, "A1", (8, 24, 24), affine=affine, affines={"Labels": mirrored})
    (row,) = cases.check_cases(tmp_path)
    assert "lies mirrored (left-right)" in row["errors"][0]


def test_axes_in_another_order_are_named(tmp_path, write_case):
    affine = np.diag([0.9, 0.9, 0.9, 1.0])
    other = affine[:, [1, 0, 2, 3]]
    write_case(tmp_path, "A1", (8, 8, 24), affine=affine, affines={"Labels": other})
    (text,) = cases.check_cases(tmp_path)[0]["errors"]
    assert "has its axes in another order" in text
    assert "its axes run to A, R, S, those of A1_wat.nii.gz to R, A, S" in text


@pytest.mark.parametrize(("edge", "fine"), [(2.2, False), (2.02, True), (1.99, True)])
def test_another_voxel_size_is_refused_and_rounding_is_not(tmp_path, write_case, edge, fine):
    affine, other = np.diag([2, 1.25, 1.25, 1.0]), np.diag([edge, 1.25, 1.25, 1.0])
    write_case(tmp_path, "A1", (16, 24, 28), affine=affine, affines={"Labels": other})
    (row,) = cases.check_cases(tmp_path)
    if fine:
        assert row["errors"] == [] and "read voxel by voxel" in row["warnings"][0]
    else:
        (text,) = row["errors"]
        assert "has voxels of 2.2 x 1.25 x 1.25 mm, A1_wat.nii.gz of 2 x 1.25 x 1.25 mm" in text
        assert "--label-grid affine" in text


@pytest.mark.parametrize(("degrees", "fine"), [(4, True), (25, False)])
def test_a_slight_tilt_is_a_note_and_another_direction_is_refused(
    tmp_path, write_case, degrees, fine
):
    affine = np.diag([2, 1.25, 1.25, 1.0])
    other = affine.copy()
    other[:3, :3] = rotation(np.radians(degrees), 0, 0) @ affine[:3, :3]
    write_case(tmp_path, "A1", affine=affine, affines={"Labels": other})
    (row,) = cases.check_cases(tmp_path)
    if fine:
        assert row["errors"] == [] and "read voxel by voxel" in row["warnings"][0]
    else:
        assert "has its axes up to 25 degrees off those of A1_wat.nii.gz" in row["errors"][0]


def test_one_slice_has_no_direction_through_it_but_a_thickness(tmp_path, write_case):
    affine = np.diag([4, 1.25, 1.25, 1.0])

    def errors(thickness, *words):
        affines = dict.fromkeys(words, np.diag([thickness, 1.25, 1.25, 1.0]))
        middle = {w: lambda array: array[4:5] for w in (*CONTRASTS, "Labels")}
        write_case(tmp_path, "A1", (9, 24, 28), affine=affine, affines=affines, change=middle)
        return cases.check_cases(tmp_path)[0]["errors"]

    assert errors(-4, "Labels", "fat") == []
    assert "A1_Labels.nii.gz has voxels of 1 x 1.25 x 1.25 mm" in errors(1, "Labels")[0]
    assert "contrast fat has voxels of 1 x 1.25 x 1.25 mm" in errors(1, "fat")[0]


def test_contrasts_that_are_mirrored_are_named_so(tmp_path, write_case):
    affine, other = np.diag([2, 1.25, 1.25, 1.0]), np.diag([2, -1.25, 1.25, 1.0])
    write_case(tmp_path, "A1", affine=affine, affines={"inn": other})
    (text,) = cases.check_cases(tmp_path)[0]["errors"]
    assert "contrast inn lies mirrored (front-back)" in text and "axcodes" in text
    (tmp_path / "dataset.json").write_text('{"axcodes": ["R", "P", "S"]}')
    assert cases.check_cases(tmp_path)[0]["errors"] == []


def test_a_mask_is_scored_on_the_grid_of_its_truth_alone(tmp_path):
    labels = np.zeros((6, 24, 28), np.uint8)
    labels[1:4, 6:12, 9:14] = 1
    affine = np.diag([2, 1.25, 1.25, 1.0])
    nib.save(nib.Nifti1Image(labels, affine), tmp_path / "truth.nii")

    def scored(array, other):
        nib.save(nib.Nifti1Image(array, other), tmp_path / "mask.nii")
        return scoring.score_files(tmp_path / "mask.nii", tmp_path / "truth.nii")

    assert scored(labels, affine + 1e-5)["volume"]["dice"] == 1
    with pytest.raises(DataError, match=r"mask.nii lies mirrored \(left-right\)"):
        scored(labels, np.diag([-2, 1.25, 1.25, 1.0]))
    with pytest.raises(DataError, match="mask.nii has voxels of 2 x 1.25 x 1.5 mm"):
        scored(labels, np.diag([2, 1.25, 1.5, 1.0]))
    shifted = affine.copy()
    shifted[2, 3] = 2
    with pytest.raises(DataError, match=r"a corner lies 2.0 mm away"):
        scored(labels, shifted)
    with pytest.raises(DataError, match=r"mask.nii has the shape 6 x 24 x 27"):
        scored(labels[..., 1:], affine)
    (tmp_path / "dataset.json").write_text(json.dumps({"axcodes": ["R", "A", "S"]}))
    assert scored(labels, np.diag([-2, 1.25, 1.25, 1.0]))["volume"]["dice"] == 1


@pytest.mark.parametrize("turn", TURNS)
def test_a_grid_is_straightened_to_the_other(turn):
    affine = affine_of(((0, 1, 2), (1, 1, 1)), (2, 1.25, 0.9))
    array, other = turned(numbers((4, 5, 6)), affine, turn)
    back, shape = straightened(other, array.shape, affine, (4, 5, 6))
    np.testing.assert_allclose(back, affine, atol=1e-9)
    assert shape == (4, 5, 6)
    assert axcodes_of(back) == ("R", "A", "S")


def test_a_shift_and_a_slight_tilt_as_in_set_16_stay_readable(tmp_path, write_case):
    """Oblique scan, labels whose affine is straight: 10.8 mm at the corners."""
    affine = np.diag([2.0, 1.25, 1.25, 1.0])
    affine[:3, :3] = rotation(0.0, 0.0, np.radians(3)) @ affine[:3, :3]
    other = np.diag([2.0, 1.25, 1.24, 1.0])
    other[:3, 3] = 5, 5, 4
    write_case(tmp_path, "16", affine=affine, affines={"Labels": other})
    with pytest.warns(DataWarning, match="read voxel by voxel"):
        (case,) = cases.load_cases(tmp_path)
    assert case.labels.any()
