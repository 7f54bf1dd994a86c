"""Numbers for people, and the key."""

import pytest
from incoming_volume import volume

from ivdlib.data.incoming.frame import Patient
from ivdlib.data.incoming.grouping import scans_of
from ivdlib.data.incoming.naming import doubts_about_people, name_scans, read_key, write_key
from ivdlib.errors import DataError


def named(path, *volumes):
    scans, _ = scans_of(volumes)
    known = read_key(path)
    refused = name_scans(scans, known)
    scans = [scan for scan in scans if scan not in refused]
    write_key(path, scans, known)
    return [(scan.case, scan.subject, scan.stage) for scan in scans]


def test_names_stay_when_others_come(tmp_path):
    key = tmp_path / "key.csv"
    eva, ada = Patient("E1"), Patient("A0")
    assert named(key, volume("wat", who=eva)) == [("sub-001", "sub-001", "1")]
    more = [volume("wat", who=ada), volume("wat", who=eva), volume("wat", who=eva, study="1.9")]
    assert named(key, *more) == [
        ("sub-002", "sub-002", "1"), ("sub-001", "sub-001", "1"), ("sub-001_ses-2", "sub-001", "2")
    ]  # fmt: skip
    assert named(key, volume("wat", who=eva)) == [("sub-001", "sub-001", "1")]
    assert sorted(read_key(key)["case"]) == ["sub-001", "sub-001_ses-2", "sub-002"]


def test_the_names_of_bids_are_kept(tmp_path):
    found = named(tmp_path / "key.csv", volume("wat", kept="sub-07_ses-b", who=Patient(" ")))
    assert found == [("sub-07_ses-b", "sub-07", "b")]


def test_a_file_that_is_no_key_is_refused(tmp_path):
    (tmp_path / "key.csv").write_text("a,b\n1,2\n")
    with pytest.raises(DataError, match="no key of an import"):
        read_key(tmp_path / "key.csv")
    (tmp_path / "key.csv").write_bytes(b"\xff\xfe\0")
    with pytest.raises(DataError, match="cannot be read as the key"):
        read_key(tmp_path / "key.csv")


def test_doubts_about_who_is_who_name_nobody(tmp_path):
    same = [volume("wat", who=Patient(n, "Meier^Eva", "19500101")) for n in ("1a", "2b")]
    other = [volume("wat", who=Patient("3c", name), study=name) for name in ("Li^A", "Wu^B")]
    scans, _ = scans_of([*same, *other])
    name_scans(scans, read_key(tmp_path / "none"))
    first, second = doubts_about_people(scans)
    assert first.startswith("sub-001 and sub-002 have one name and date of birth")
    assert second.startswith("sub-003 has 2 names under one number")


def test_a_scan_is_known_by_its_images_and_not_by_their_order(tmp_path):
    key = tmp_path / "key.csv"
    late = [volume(c, n, "12") for n, c in enumerate(("inn", "opp"))]
    assert named(key, *late) == [("sub-001", "sub-001", "1")]
    early = [volume(c, n + 5, "10") for n, c in enumerate(("inn", "opp"))]
    assert {case for case, *_ in named(key, *late, *early)} == {"sub-001", "sub-001_run-2"}
    assert named(key, late[0]) == [("sub-001", "sub-001", "1")]
    assert named(key, *late) == [("sub-001", "sub-001", "1")]  # the key forgets no image


def test_no_two_scans_have_one_name(tmp_path):
    key = tmp_path / "key.csv"
    bids = volume("wat", kept="sub-001", who=Patient(), study="b")
    dicom = volume("wat", who=Patient("D1"), study="d")
    assert sorted(named(key, dicom, bids)) == [
        ("sub-001", "sub-001", "1"), ("sub-002", "sub-002", "1")
    ]  # fmt: skip
    other = volume("wat", kept="sub-001", who=Patient(), study="elsewhere", identity="x")
    scans, _ = scans_of([other])
    (refused,) = name_scans(scans, read_key(key))
    assert refused is scans[0] and not refused.case
