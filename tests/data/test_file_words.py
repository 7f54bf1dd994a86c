"""What a file may be that is not named as ours are."""

from pathlib import Path

import pytest

from ivdlib.data.file_words import bare, seems


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("p1_water.nii.gz", ("p1", "wat")),
        ("p1_Lipid.mha", ("p1", "fat")),
        ("p1_in-phase.nii", ("p1", "inn")),
        ("p1_out_of_phase_e2.nrrd", ("p1", "opp")),
        ("p1_segmentation.nii.gz", ("p1", "labels")),
        ("W.nii", ("folder", "wat")),
    ],
)
def test_words_of_scanners_and_people(name, found):
    assert seems(Path("folder") / name) == found


@pytest.mark.parametrize("name", ["p1_t2.nii.gz", "notes.txt", "waterfall.nii"])
def test_another_word_suggests_nothing(name):
    assert seems(Path(name)) is None


def test_the_longest_ending_is_taken_off():
    assert bare("a.NII.GZ") == bare("a.nii.zip") == bare("a.dcm") == "a"
    assert bare("a.b") == "a.b"
