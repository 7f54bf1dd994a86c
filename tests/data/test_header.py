"""Where a header puts the voxels: units, sform and qform."""

import nibabel as nib
import numpy as np
import pytest
from dixon_cases import AFFINE, CONTRASTS, make_volumes, rotation

from ivdlib.data import cases
from ivdlib.data.header import NO_FORM, read_geometry
from ivdlib.errors import DataError, DataWarning

SHAPE = (6, 24, 28)
WORDS = (*CONTRASTS, "Labels")


def header(sform=None, qform=None, unit=None):
    made = nib.Nifti1Header()
    made.set_data_shape(SHAPE)
    edges = np.linalg.norm((AFFINE if sform is None else sform)[:3, :3], axis=0)
    made["pixdim"][1:4] = edges
    if qform is not None:
        made.set_qform(qform, "scanner")  # which sets pixdim, too
    if sform is not None:
        made.set_sform(sform, "aligned")
    if unit is not None:
        made["xyzt_units"] = unit
    return made


def with_header(**forms):
    """Change for `write_case`: the same array under another header."""
    return lambda array: nib.Nifti1Image(array, None, header(**forms))


@pytest.mark.parametrize(
    ("unit", "factor"), [(0, 1), (2, 1), (1, 1000), (3, 0.001), (1 + 8, 1000), (2 + 16, 1)]
)
def test_lengths_are_read_in_the_unit_of_the_header(unit, factor):
    stored = np.diag([1 / factor] * 3 + [1]) @ AFFINE
    found = read_geometry(header(sform=stored, unit=unit), SHAPE, "x.nii")
    np.testing.assert_allclose(found.affine, AFFINE, rtol=1e-5)
    assert [note for note in found.notes if "converted to mm" in note] == list(found.notes)
    assert bool(found.notes) == (factor != 1)


@pytest.mark.parametrize(("unit", "factor"), [(1, 1), (3, 1), (0, 1e-3), (2, 1e3)])
def test_voxels_of_no_body_are_lengths_in_another_unit(unit, factor):
    stored = np.diag([factor] * 3 + [1]) @ AFFINE
    with pytest.raises(DataError, match=r"x.nii has voxels of .* mm.*; write lengths and unit"):
        read_geometry(header(sform=stored, unit=unit), SHAPE, "x.nii")


def test_without_any_form_the_spacing_is_all_there_is():
    found = read_geometry(header(), SHAPE, "x.nii")
    assert found.notes == (NO_FORM,)
    spacing = np.linalg.norm(AFFINE[:3, :3], axis=0)
    np.testing.assert_allclose(np.abs(np.diag(found.affine)[:3]), spacing, rtol=1e-5)


def test_forms_that_agree_need_no_word():
    straight = np.diag([-2.0, -1.25, 1.25, 1])  # a qform holds no shear, and the affine has one
    assert read_geometry(header(straight, straight), SHAPE, "x.nii").notes == ()
    assert read_geometry(header(qform=straight), SHAPE, "x.nii").qform is None


@pytest.mark.parametrize("unit", [2, 3])
def test_forms_that_differ_are_measured_in_mm_and_the_sform_is_used(unit):
    scale = {2: 1, 3: 1000}[unit]
    straight = np.diag([2.0, 1.25, 1.25, 1])
    other = straight.copy()
    other[:3, 3] = 3, 0, 4
    found = read_geometry(
        header(np.diag([scale] * 3 + [1]) @ straight, np.diag([scale] * 3 + [1]) @ other, unit),
        SHAPE,
        "x.nii",
    )
    np.testing.assert_allclose(found.affine, straight)
    np.testing.assert_allclose(found.qform, other, atol=1e-4)
    assert "sform and qform put a corner 5.0 mm apart, and the sform is used" in found.notes[-1]


@pytest.mark.parametrize("qform", [False, True])
@pytest.mark.parametrize(("unit", "scale"), [(2, 1), (3, 1000)])
def test_a_pixdim_that_contradicts_the_sform_is_told_once(qform, unit, scale):
    """The spacing of the qform is pixdim's: with one or without, it is one fault."""
    straight = np.diag([3, 2.5, 2.5, 1])
    stored = np.diag([scale] * 3 + [1]) @ straight
    made = header(stored, np.diag([scale] * 3 + [1]) if qform else None, unit)
    made["pixdim"][1:4] = scale
    found = read_geometry(made, SHAPE, "x.nii")
    np.testing.assert_allclose(found.affine, straight)
    (text,) = [note for note in found.notes if "converted to mm" not in note]
    assert text.startswith("pixdim says voxels of 1 x 1 x 1 mm and the sform 3 x 2.5 x 2.5 mm")
    assert "sform is used; " in text


def test_a_spacing_that_was_rounded_is_no_contradiction():
    straight = np.diag([1 / 3, 0.9375, 0.9375, 1])
    made = header(straight)
    made["pixdim"][1:4] = np.float32([1 / 3, 0.9375 + 1e-5, 0.9375])
    assert read_geometry(made, SHAPE, "x.nii").notes == ()
    made["pixdim"][1] = 0.4  # six slices, 0.4 mm in all
    assert "pixdim says voxels of 0.4 x" in read_geometry(made, SHAPE, "x.nii").notes[0]


def test_the_thickness_of_one_slice_can_contradict_too():
    made = header(np.diag([4.0, 1.25, 1.25, 1]))
    made["pixdim"][1:4] = 1, 1.25, 1.25
    (text,) = read_geometry(made, (1, 24, 28), "x.nii").notes
    assert "pixdim says voxels of 1 x 1.25 x 1.25 mm and the sform 4 x" in text


def test_forms_with_other_spacings_and_other_places_are_two_faults():
    made = header(np.diag([3, 2.5, 2.5, 1]), np.eye(4), 2)
    made["pixdim"][1:4], made["qoffset_x"] = 1, 30
    spacing, place = read_geometry(made, SHAPE, "x.nii").notes
    assert "pixdim" in spacing and "sform and qform put a corner 30.0 mm apart" in place


def test_forms_with_other_axes_name_axcodes():
    made = header(np.diag([2.0, 1.25, 1.25, 1]), np.diag([-2.0, 1.25, 1.25, 1]))
    (text,) = read_geometry(made, SHAPE, "x.nii").notes
    assert "by the sform the axes run to R, A, S, by the qform to L, A, S" in text
    assert text.partition("; ")[2].count("axcodes") == 1


@pytest.mark.parametrize("tilt", np.linspace(-0.04, 0.04, 9))
@pytest.mark.parametrize("signs", [(-1, -1, 1), (1, -1, -1), (-1, 1, -1), (1, 1, 1), (-1, 1, 1)])
def test_the_rounding_of_a_turn_is_no_contradiction(tilt, signs):
    """Near half a turn the qform's numbers cannot say it better than to half a millimetre."""
    affine = np.eye(4)
    affine[:3, :3] = rotation(tilt, -tilt / 3, tilt / 20) @ np.diag(signs) * (2, 1.25, 1.25)
    header = nib.Nifti1Header()
    header.set_data_shape((36, 256, 256))
    for set_form in (header.set_sform, header.set_qform):
        set_form(affine, 1)
    assert read_geometry(header, (36, 256, 256), "x").notes == ()
    header["quatern_b"] += 2e-7  # another program's rounding
    assert read_geometry(header, (36, 256, 256), "x").notes == ()
    turned = affine.copy()
    turned[:3, :3] = rotation(0.01, 0, 0) @ affine[:3, :3]
    header.set_qform(turned, 1)
    assert "sform and qform" in read_geometry(header, (36, 256, 256), "x").notes[0]


def test_a_qform_that_is_no_rotation_is_not_asked():
    made = header(AFFINE, AFFINE)
    made["quatern_b"] = made["quatern_c"] = 2
    found = read_geometry(made, SHAPE, "x.nii")
    assert found.qform is None
    np.testing.assert_allclose(found.affine, AFFINE, atol=1e-5)


# ---- in a case ---------------------------------------------------------------------------------


STRAIGHT = np.diag([-2.0, -1.25, 1.25, 1])
SHIFTED = STRAIGHT.copy()
SHIFTED[0, 3] = 6


def test_a_case_in_microns_is_read_in_mm_with_one_warning(tmp_path, write_case):
    stored = np.diag([1000] * 3 + [1]) @ AFFINE
    change = dict.fromkeys(WORDS, with_header(sform=stored, unit=3))
    write_case(tmp_path, "A1", change=change)
    with pytest.warns(DataWarning, match="header of all files: lengths stand in microns") as caught:
        (case,) = cases.load_cases(tmp_path)
    assert len(caught) == 1
    np.testing.assert_allclose(case.spacing, np.linalg.norm(AFFINE[:3, :3], axis=0), rtol=1e-5)
    cases.save_mask(case, case.discs, tmp_path / "mask.nii")
    saved = nib.load(tmp_path / "mask.nii")
    np.testing.assert_allclose(saved.affine, stored, rtol=1e-5)
    assert saved.header["xyzt_units"] == 3
    np.testing.assert_array_equal(saved.dataobj, make_volumes("A1", SHAPE)["Labels"])


def test_files_in_several_units_lie_on_one_grid(tmp_path, write_case):
    stored = np.diag([1e-3] * 3 + [1]) @ AFFINE
    write_case(tmp_path, "A1", change={"opp": with_header(sform=stored, unit=1)})
    with pytest.warns(DataWarning, match="case A1: header of opp: lengths stand in metres"):
        cases.load_cases(tmp_path)


def test_a_header_without_forms_is_a_guess_unless_the_axes_are_declared(tmp_path, write_case):
    write_case(tmp_path, "A1", change=dict.fromkeys(WORDS, with_header()))
    with pytest.warns(DataWarning, match="header of all files: neither sform nor qform is set"):
        cases.load_cases(tmp_path)
    (tmp_path / "dataset.json").write_text('{"axcodes": ["L", "P", "S"]}')
    assert cases.load_cases(tmp_path)[0].notes == ()


def test_forms_that_differ_are_named_with_their_files(tmp_path, write_case):
    change = dict.fromkeys(WORDS, with_header(sform=STRAIGHT))
    change["fat"] = change["inn"] = with_header(sform=STRAIGHT, qform=SHIFTED)
    write_case(tmp_path, "A1", change=change)
    with pytest.warns(DataWarning, match="header of fat, inn: sform and qform put a corner 6.0 mm"):
        cases.load_cases(tmp_path)


@pytest.mark.parametrize(
    ("odd", "hint"),
    [
        ("opp", "but its qform agrees, so its sform is likely wrong"),
        ("wat", "but the qform of A1_wat.nii.gz agrees, whose sform is likely wrong"),
    ],
)
def test_a_contrast_on_another_grid_whose_qform_fits_is_told(tmp_path, write_case, odd, hint):
    change = dict.fromkeys(WORDS, with_header(sform=STRAIGHT))
    change[odd] = with_header(sform=SHIFTED, qform=STRAIGHT)
    write_case(tmp_path, "A1", change=change)
    with pytest.raises(DataError, match=rf"a corner lies 6.0 mm away .*{hint}; mend the header"):
        cases.load_cases(tmp_path)


def test_labels_whose_qform_fits_are_told(tmp_path, write_case):
    change = dict.fromkeys(WORDS, with_header(sform=STRAIGHT))
    change["Labels"] = with_header(sform=SHIFTED, qform=STRAIGHT)
    write_case(tmp_path, "A1", change=change)
    with pytest.warns(DataWarning, match="labels is off by up to 6.0 mm, but its qform agrees"):
        cases.load_cases(tmp_path)
