"""Canonical axes and the way back, bit for bit."""

import contextlib
import warnings

import nibabel as nib
import numpy as np
import pytest
from dixon_cases import AFFINE, make_volumes, rotation
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from loaded import load_quietly

from ivdlib.data import cases, geometry, orientation
from ivdlib.errors import DataError, DataWarning


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


SHAPE = (3, 4, 5)


def header_of(affine):
    return nib.Nifti1Image(np.zeros(SHAPE, np.uint8), affine).header


def numbered():
    return np.arange(np.prod(SHAPE)).reshape(SHAPE)


def test_canonical_axes_and_the_way_back(oblique_affine):
    grid = orientation.file_grid(SHAPE, oblique_affine, header_of(oblique_affine))
    array = numbered()
    canonical = orientation.to_canonical(array, grid)
    affine = orientation.canonical_affine(grid)
    expected = nib.as_closest_canonical(nib.Nifti1Image(array.astype(np.int16), oblique_affine))
    np.testing.assert_array_equal(canonical, np.asarray(expected.dataobj))
    np.testing.assert_allclose(affine, expected.affine, atol=1e-12)
    assert orientation.axcodes_of(affine) == ("R", "A", "S")
    assert canonical.flags.c_contiguous
    np.testing.assert_array_equal(orientation.from_canonical(canonical, grid), array)


def test_a_voxel_keeps_its_place_in_the_world(oblique_affine):
    grid = orientation.file_grid(SHAPE, oblique_affine, header_of(oblique_affine))
    array = numbered()
    canonical, affine = orientation.to_canonical(array, grid), orientation.canonical_affine(grid)
    for value in (0, 17, 59):
        before = oblique_affine @ [*np.argwhere(array == value)[0], 1]
        after = affine @ [*np.argwhere(canonical == value)[0], 1]
        np.testing.assert_allclose(before, after, atol=1e-9)


@pytest.mark.parametrize("codes", ["RPS", "LAS", "SRP", "IAL"])
def test_declared_axes_decide_the_canonical_array(oblique_affine, codes):
    grid = orientation.file_grid(
        SHAPE, oblique_affine, header_of(oblique_affine), orientation.check_axcodes(codes, "x")
    )
    array = numbered()
    canonical, affine = orientation.to_canonical(array, grid), orientation.canonical_affine(grid)
    place = np.argwhere(canonical == 0)[0]
    for world, letters in enumerate(("RL", "AP", "SI")):
        axis = next(i for i, code in enumerate(codes) if code in letters)
        first = codes[axis] == letters[0]
        assert place[world] == (0 if first else canonical.shape[world] - 1)
        assert canonical.shape[world] == SHAPE[axis]
    assert orientation.axcodes_of(affine) == ("R", "A", "S")
    in_file = geometry.spacing_mm(oblique_affine)
    order = [next(i for i, c in enumerate(codes) if c in pair) for pair in ("RL", "AP", "SI")]
    np.testing.assert_allclose(geometry.spacing_mm(affine), [in_file[i] for i in order])
    origin = affine @ [*place, 1]
    np.testing.assert_allclose(origin[:3], oblique_affine[:3, 3], atol=1e-9)
    np.testing.assert_array_equal(orientation.from_canonical(canonical, grid), array)


def test_declaring_what_the_header_says_changes_nothing(oblique_affine):
    codes = orientation.axcodes_of(oblique_affine)
    header = header_of(oblique_affine)
    plain = orientation.file_grid(SHAPE, oblique_affine, header)
    declared = orientation.file_grid(SHAPE, oblique_affine, header, codes)
    np.testing.assert_allclose(
        orientation.canonical_affine(plain), orientation.canonical_affine(declared), atol=1e-12
    )


@pytest.mark.parametrize(
    "codes", ["RAA", "RAX", "RA", "ras", ["R", "A"], ["RL", "A", "S"], 3, None]
)
def test_unknown_axcodes_are_refused(codes):
    with pytest.raises(DataError, match="dataset.json.*axcodes"):
        orientation.check_axcodes(codes, "dataset.json")
