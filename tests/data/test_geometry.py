import nibabel as nib
import numpy as np
import pytest
from dixon_cases import rotation

from ivdlib.data import geometry
from ivdlib.errors import DataError

SHAPE = (3, 4, 5)


def numbered():
    return np.arange(np.prod(SHAPE)).reshape(SHAPE)


def test_spacing_is_the_length_of_the_columns(oblique_affine):
    np.testing.assert_allclose(geometry.spacing_mm(oblique_affine), (2, 1.25, 0.9))


def test_corner_displacement_of_a_shift_a_scaling_and_a_turn():
    eye = np.eye(4)
    shifted = eye.copy()
    shifted[:3, 3] = 3, 4, 0
    assert geometry.corner_displacement_mm(eye, shifted, (2, 3, 4)) == pytest.approx(5)
    scaled = np.diag([1, 1, 1.1, 1])
    assert geometry.corner_displacement_mm(eye, scaled, (9, 9, 11)) == pytest.approx(1)
    a = np.radians(2)
    turned = eye.copy()
    turned[:2, :2] = [[np.cos(a), -np.sin(a)], [np.sin(a), np.cos(a)]]
    chord = 2 * np.sin(a / 2) * np.hypot(30, 40)
    assert geometry.corner_displacement_mm(eye, turned, (31, 41, 5)) == pytest.approx(chord)


def test_grids_are_compared_axis_by_axis(oblique_affine):
    """A turn that leaves the corners where they are is a turn all the same."""
    same = geometry.compare_grids(oblique_affine, SHAPE, oblique_affine + 1e-6)
    assert same.same and not same.turned and same.degrees < 0.01 and same.stretch < 1e-5
    order, signs = (2, 0, 1), np.array([1, -1, 1])
    other = oblique_affine.copy()
    other[:3, :3] = oblique_affine[:3, order] * signs
    found = geometry.compare_grids(other, SHAPE, oblique_affine)
    assert found.axes == order and found.mirrored == (False, True, False)
    assert found.turned and not found.alike and found.degrees < 0.01 and found.stretch < 1e-9
    one = geometry.compare_grids(other, (4, 1, 4), oblique_affine)
    assert one.axes == order and not any(one.mirrored)


def test_a_tilt_and_a_stretch_are_measured():
    a = np.diag([2.0, 1.25, 1.25, 1])
    b = a.copy()
    b[:3, :3] = rotation(0, 0, np.radians(12)) @ a[:3, :3] * [1, 1, 1.1]
    found = geometry.compare_grids(a, SHAPE, b)
    assert found.degrees == pytest.approx(12) and found.stretch == pytest.approx(0.1)
    assert not found.turned and not found.alike
    shifted = a.copy()
    shifted[:3, 3] += 5
    assert geometry.compare_grids(a, SHAPE, shifted).alike
    assert not geometry.compare_grids(a, SHAPE, shifted).same
    assert not geometry.compare_grids(a, SHAPE, a, (3, 4, 6)).alike


@pytest.mark.parametrize(
    ("affine", "match"),
    [
        (np.diag([1.0, 0, 1, 1]), "singular"),
        (np.array([[1, 1, 0, 0], [0, 0, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1.0]]), "singular"),
        (np.array([[1, 0, 0, np.nan], [0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1.0]]), "NaN or inf"),
    ],
)
def test_unusable_affines_are_refused(affine, match):
    with pytest.raises(DataError, match=f"scan.nii.*{match}"):
        geometry.check_affine(affine, "scan.nii")


def sheared(degrees):
    affine = np.diag([2.0, 1.25, 1.25, 1])
    affine[:3, 2] = 1.25 * np.array([np.sin(np.radians(degrees)), 0, np.cos(np.radians(degrees))])
    return affine


def test_a_sheared_affine_is_refused():
    geometry.check_affine(sheared(2), "scan.nii")
    with pytest.raises(DataError, match="scan.nii: the axes of its affine are 10.0 degrees off"):
        geometry.check_affine(sheared(-10), "scan.nii")


def test_a_small_voxel_is_not_singular():
    geometry.check_affine(np.diag([1e-3, 1e-3, 1e-3, 1]), "scan.nii")


def test_nearest_resampling_undoes_a_change_of_grid(oblique_affine):
    labels = numbered().astype(np.uint8)
    image = nib.as_closest_canonical(nib.Nifti1Image(labels, oblique_affine))
    back = geometry.resample_nearest(
        np.asarray(image.dataobj), image.affine, oblique_affine, labels.shape
    )
    np.testing.assert_array_equal(back, labels)


def test_nearest_resampling_shifts_by_whole_voxels_and_fills_with_zero():
    labels = np.ones((4, 4, 4), np.uint8)
    moved = np.eye(4)
    moved[0, 3] = 2
    there = geometry.resample_nearest(labels, np.eye(4), moved, (4, 4, 4))
    assert there[:2].all()
    assert not there[2:].any()
    assert there.dtype == np.uint8
