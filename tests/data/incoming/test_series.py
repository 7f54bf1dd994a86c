"""Slices put together to images, and their values."""

import numpy as np
import pytest
from made_up_dicom import classic, header, philips_enhanced, read, siemens
from pydicom.uid import generate_uid

from ivdlib.data.incoming.series import find_series

OBLIQUE = np.array([
    [1.9, -0.3, 0.1, -40], [0.45, 1.2, 0.05, 20], [-0.2, 0.02, 1.25, 7], [0, 0, 0, 1.0]
])  # fmt: skip


def oblique():
    """An affine with axes at right angles, 2 x 1.25 x 1.25 mm."""
    turn, _ = np.linalg.qr(OBLIQUE[:3, :3])
    found = np.eye(4)
    found[:3, :3] = turn * np.sign(np.diag(turn)) * [2, 1.25, 1.25]
    found[:3, 3] = OBLIQUE[:3, 3]
    return found


@pytest.fixture
def array():
    return np.random.default_rng(0).integers(-50, 500, (5, 6, 7)).astype(np.int16)


def test_an_oblique_volume_lies_where_its_slices_do(tmp_path, array):
    affine = oblique()
    siemens(tmp_path, {"wat": array}, affine)
    (volume,), left = find_series(tmp_path)
    assert not left
    values = volume.load()
    for voxel in np.ndindex(array.shape):
        there = np.linalg.inv(volume.affine) @ affine @ [*voxel, 1]
        assert np.allclose(there, np.rint(there), atol=1e-4)
        assert values[tuple(np.rint(there[:3]).astype(int))] == array[voxel]


def test_values_are_rescaled_slice_by_slice(tmp_path, array):
    study, series = generate_uid(), generate_uid()
    for n, slope in enumerate((1.0, 0.25, 3.0)):
        ds = header(study, series, 3, "t1_dixon_W", RescaleSlope=slope, RescaleIntercept=n)
        shifted = np.eye(4)
        shifted[0, 3] = -float(n)  # one slice each
        classic(tmp_path / str(n), array[n : n + 1], shifted, ds)
    (volume,), _ = find_series(tmp_path)
    values = volume.load()
    assert values.dtype == np.float32
    found = {round(float(v), 3) for v in values.ravel()}
    expected = {round(float(array[n, i, j]) * s + n, 3) for n, s in enumerate((1.0, 0.25, 3.0))
                for i in range(6) for j in range(7)}  # fmt: skip
    assert found == expected
    assert volume.facts["slope"] == "0.25 to 3"


def test_one_slice_is_an_image_of_its_thickness(tmp_path, array):
    siemens(tmp_path, {"wat": array[:1]}, oblique())
    (volume,), _ = find_series(tmp_path)
    assert volume.shape == (6, 7, 1)
    assert np.allclose(np.linalg.norm(volume.affine[:3, 2]), 2.0)


def test_time_points_are_parted(tmp_path, array):
    study, series = generate_uid(), generate_uid()
    for n in (1, 2):
        ds = header(study, series, 3, "dixon_W", AcquisitionNumber=n)
        classic(tmp_path / str(n), array + n, oblique(), ds)
    volumes, left = find_series(tmp_path)
    assert len(volumes) == 2 and not left
    assert {int(v.load().max()) - int(array.max()) for v in volumes} == {1, 2}


def test_what_cannot_be_put_together_is_said(tmp_path, array):
    study = generate_uid()
    ds = header(study, generate_uid(), 3, "dixon_W")
    for n in (1, 2):  # nothing tells the two apart
        classic(tmp_path / "twice" / str(n), array, oblique(), ds)
    ds = header(study, generate_uid(), 4, "dixon_F")
    for n, x in enumerate((0.0, 2.0, 5.1)):
        place = np.eye(4)
        place[0, 3] = x
        classic(tmp_path / "uneven" / str(n), array[:1], place, ds)
    volumes, left = find_series(tmp_path)
    assert not volumes
    said = {one.what: one.why for one in left}
    assert "several times at one place" in said["series 3 (dixon_W), wat"]
    assert "equal distances" in said["series 4 (dixon_F), fat"]
    assert all(one.serious and one.patient for one in left)


def test_a_header_without_places_is_refused(tmp_path, array):
    ds = header(generate_uid(), generate_uid(), 3, "dixon_W")
    classic(tmp_path, array[:1], np.eye(4), ds)
    path = next(tmp_path.iterdir())
    whole = read(path)
    del whole.ImagePositionPatient
    whole.save_as(path)
    assert "does not say where" in find_series(tmp_path)[1][0].why


def test_frames_of_an_enhanced_file_are_sorted_by_place(tmp_path, array):
    philips_enhanced(tmp_path, {"wat": array, "fat": array[::-1]}, oblique())
    volumes, _ = find_series(tmp_path)
    found = {v.contrast: v.load() for v in volumes}
    assert np.array_equal(found["wat"], found["fat"][..., ::-1])
    assert len(volumes) == 2
