"""A case that was made in memory is saved."""

import nibabel as nib
import numpy as np

from ivdlib.data import cases
from ivdlib.data.case import Case


def test_a_case_made_in_memory_can_be_saved(tmp_path):
    case = Case("m", "s", {"wat": np.ones((3, 4, 5), np.float32)}, np.diag([2, 1, 1, 1]))
    mask = np.zeros((3, 4, 5), bool)
    mask[1, 2] = True
    cases.save_mask(case, mask, tmp_path / "m.nii")
    saved = nib.load(tmp_path / "m.nii")
    np.testing.assert_array_equal(saved.dataobj, mask)
    np.testing.assert_array_equal(saved.affine, case.affine)


def test_a_mask_of_a_case_from_memory_has_its_spacing_everywhere(tmp_path):
    affine = np.diag([4.0, 1.25, 1.25, 1.0])
    case = cases.Case("x", "x", {"wat": np.ones((3, 8, 9), np.float32)}, affine)
    cases.save_mask(case, np.ones((3, 8, 9), bool), tmp_path / "m.nii.gz")
    header = nib.load(tmp_path / "m.nii.gz").header
    assert header.get_zooms() == (4.0, 1.25, 1.25) and header.get_xyzt_units()[0] == "mm"
