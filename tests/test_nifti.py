"""Files that are written: only geometry goes along from the scan that they lie on."""

import gzip
import struct

import nibabel as nib
import numpy as np
import pytest
from dixon_cases import rotation

from ivdlib import cases
from ivdlib.nifti import GEOMETRY, write_image, write_mask
from ivdlib.orientation import file_grid

PRIVATE = "Doe^Jane"
KINDS = {"nifti1": nib.Nifti1Image, "nifti2": nib.Nifti2Image}
FREE = ("descrip", "aux_file", "db_name", "data_type", "intent_name")
"""Fields of a header that hold text."""


def talkative(array, affine, kind="nifti1", order="<"):
    """An image whose header says what it can about the person, in an odd way besides."""
    made = KINDS[kind](array, None, KINDS[kind].header_class(endianness=order))
    header = made.header
    header.set_sform(affine, 4)
    header.set_qform(affine, 1)
    header.set_xyzt_units("mm", "sec")
    for code in (0, 2, 4, 6, 44):  # ignored, DICOM, AFNI, comment, a code that nobody gave out
        header.extensions.append(nib.nifti1.Nifti1Extension(code, PRIVATE.encode()))
    for field in FREE:
        if field in header:
            header[field] = PRIVATE.encode()
    header["intent_code"], header["intent_p1"] = 1005, 19700101
    header["toffset"], header["cal_max"], header["pixdim"][4] = 1970, 300, 2.5
    header["slice_start"], header["slice_duration"], header["dim_info"] = 1, 0.5, 57
    return made


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("ending", [".nii", ".nii.gz"])
def test_a_mask_has_the_geometry_of_its_scan_and_nothing_else(tmp_path, kind, order, ending):
    shape, affine = (3, 5, 4), np.eye(4)
    affine[:3, :3] = rotation(0.2, 0, -0.15)[:, [1, 2, 0]] * (2, -1.25, 0.9)
    image = talkative(np.ones(shape, np.int16), affine, kind, order)
    image.header.set_slope_inter(0.5, 3)
    path = tmp_path / f"{PRIVATE}{ending}"
    write_mask(np.ones(shape, bool), file_grid(shape, affine, image.header), path)
    saved = nib.load(path)
    assert type(saved) is KINDS[kind]
    for form in (nib.Nifti1Image.get_qform, nib.Nifti1Image.get_sform):
        np.testing.assert_array_equal(form(saved), form(image))
    fresh = KINDS[kind](np.ones(shape, np.uint8), np.eye(4)).header
    for field in saved.header:
        told = image.header if field in GEOMETRY else fresh
        if field == "pixdim":  # a mask has no time
            np.testing.assert_array_equal(saved.header[field][:4], image.header[field][:4])
            np.testing.assert_array_equal(saved.header[field][4:], 1)
        elif field not in ("scl_slope", "scl_inter"):
            np.testing.assert_array_equal(saved.header[field], told[field], err_msg=field)
    assert not saved.header.extensions
    data = path.read_bytes()
    data = gzip.decompress(data) if ending.endswith(".gz") else data
    place, kinds = (112, "<2f") if kind == "nifti1" else (176, "<2d")
    assert struct.unpack_from(kinds, data, place) == (1, 0)
    assert PRIVATE.encode() not in data + path.read_bytes()  # nor in what gzip notes of a name


def test_a_mask_of_a_whole_case_tells_nothing_of_the_person(tmp_path, write_case):
    words = ("wat", "fat", "inn", "opp", "Labels")
    affine = np.diag([2.0, 1.25, 1.25, 1])
    write_case(tmp_path / "in", "A1", change=dict.fromkeys(words, lambda a: talkative(a, affine)))
    (case,) = cases.load_cases(tmp_path / "in")
    for name in ("one.nii.gz", "two.nii.gz"):
        cases.save_mask(case, case.discs, tmp_path / name)
    one, two = ((tmp_path / name).read_bytes() for name in ("one.nii.gz", "two.nii.gz"))
    assert PRIVATE.encode() not in gzip.decompress(one)
    assert one == two  # the same mask gives the same bytes, whatever it is called, and when


def test_an_image_is_written_as_its_ending_says(tmp_path):
    image = nib.Nifti1Image(np.arange(24, dtype=np.uint8).reshape(2, 3, 4), np.eye(4))
    for name in ("a.nii", "a.nii.gz", "a.NII.GZ"):
        write_image(image, tmp_path / name)
        np.testing.assert_array_equal(nib.load(tmp_path / name).dataobj, image.dataobj)
        assert ((tmp_path / name).read_bytes()[:2] == b"\x1f\x8b") == name.lower().endswith(".gz")
