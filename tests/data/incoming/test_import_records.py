"""What an import writes beside the images."""

import json

import pandas as pd
from incoming_volume import volume

from ivdlib.data.incoming import import_records
from ivdlib.data.incoming.grouping import scans_of
from ivdlib.data.incoming.volume import LeftOut


def test_rows_of_images_that_are_gone_do_not_count(tmp_path):
    row = {"case": "sub-001", "why": "so", "series": "3"}
    import_records.write_imported(
        tmp_path, {"sub-001": [row | {"contrast": "wat"}, row | {"contrast": "fat"}]}
    )
    (tmp_path / "sub-001").mkdir()
    (tmp_path / "sub-001" / "sub-001_fat.nii.gz").touch()
    assert dict(import_records.read_done(tmp_path)) == {"sub-001": [row | {"contrast": "fat"}]}


def test_an_empty_table_has_a_head(tmp_path):
    import_records.write_imported(tmp_path, {})
    assert not import_records.read_done(tmp_path)


def test_a_line_of_people_that_was_corrected_stays(tmp_path):
    (scan,), _ = scans_of([volume("wat")])
    scan.case, scan.subject, scan.stage = "sub-002", "sub-002", "1"
    for case in ("sub-001", "sub-002"):
        (tmp_path / case).mkdir()
    (tmp_path / "subjects.csv").write_text("case,subject,stage\nsub-001,anna,2\nsub-009,x,1\n")
    import_records.write_people(tmp_path, [scan])
    table = pd.read_csv(tmp_path / "subjects.csv", dtype=str)
    assert table.to_numpy().tolist() == [["sub-001", "anna", "2"], ["sub-002", "sub-002", "1"]]


def test_what_was_left_out_is_of_the_last_call_for_a_folder(tmp_path):
    def said():
        return [x["series"] for x in json.loads((tmp_path / "import.json").read_text())["left_out"]]

    one, other = tmp_path / "a", tmp_path / "b"
    import_records.write_left_out(tmp_path, one, [LeftOut("series 5 (Mueller) of sub-001", "")])
    import_records.write_left_out(tmp_path, other, [LeftOut("Mueller/IM1", "")])
    assert said() == ["series 5 of sub-001", "a file"]
    import_records.write_left_out(tmp_path, one, [])
    assert said() == ["a file"]
