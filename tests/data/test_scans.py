"""A folder of scans as a whole: what is known of it before an image is read."""

import pytest
from dixon_cases import write_case

from ivdlib.data.scans import look
from ivdlib.errors import DataError


def test_a_scan_is_read_when_it_is_asked_for(tmp_path):
    for name in ("ana", "bob"):
        write_case(tmp_path, name)
    (tmp_path / "bob" / "bob_fat.nii.gz").write_bytes(b"x")
    scans = look(tmp_path)
    ana, bob = scans.files
    assert scans.faults == {} and scans.load(ana).name == "ana"
    with pytest.raises(DataError, match="bob_fat"):
        scans.load(bob)


def test_all_faults_of_a_case_are_known_and_the_first_is_raised(tmp_path):
    for name in ("ana", "bob"):
        write_case(tmp_path, name)
    (tmp_path / "bob" / "bob_fat.nii").write_bytes(b"x")
    (tmp_path / "subjects.csv").write_text("case,subject\nana,a\n")
    scans = look(tmp_path)
    ((name, (twice, nobody)),) = scans.faults.items()
    assert name == "bob" and "fat is there 2 times" in twice and "is not in" in nobody
    with pytest.raises(DataError) as caught:
        scans.load(scans.files[1])
    assert str(caught.value) == twice
