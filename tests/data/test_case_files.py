"""Case and contrast in the name of a file."""

from pathlib import Path

import pytest

from ivdlib.data import case_files


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
