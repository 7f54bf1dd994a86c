"""Files beside a mask: numbers, table, colours, probability and spread."""

import re
from pathlib import Path

import nibabel as nib
import numpy as np
import pandas as pd
from found_discs import found

from ivdlib.evaluation.disc_names import DISC_NAMES
from ivdlib.evaluation.disc_table import find_discs
from ivdlib.training import disc_files


def load(path):
    return np.asarray(nib.load(path).dataobj)


def test_numbers_and_table(tmp_path):
    case, segmented, discs = found()
    disc_files.write_disc_files(case, segmented, discs, tmp_path)
    np.testing.assert_array_equal(load(tmp_path / f"01{disc_files.NUMBERED}"), discs.numbered)
    table = pd.read_csv(tmp_path / f"01{disc_files.TABLE}", dtype={"case": str})
    assert list(table["level"]) == list(DISC_NAMES[1:7]) and set(table["case"]) == {"01"}
    assert (table["lordosis_deg"] == round(discs.lordosis_deg, 4)).all()
    assert sorted(p.name for p in tmp_path.iterdir()) == sorted(
        ["01_DiscNumbers.nii.gz", "01_Discs.csv", "levels.ctbl", "levels.label"]
    )


def test_volumes_that_are_asked_for(tmp_path):
    case, segmented, discs = found()
    disc_files.write_disc_files(case, segmented, discs, tmp_path, tuple(disc_files.MORE))
    probability = load(tmp_path / "01_DiscProbability.nii.gz")
    assert set(np.unique(probability)) == {12, 88}
    np.testing.assert_array_equal(load(tmp_path / "01_DiscSpine.nii.gz") > 0, segmented.spine)
    spread = load(tmp_path / "01_DiscSpread.nii.gz")
    assert set(np.unique(spread)) == {0, 50}
    np.testing.assert_array_equal(spread[18] == 50, segmented.mask[18])
    header = nib.load(tmp_path / "01_DiscSpread.nii.gz").header
    assert not header.extensions and header["descrip"].tobytes().strip(b"\0") == b""


def test_without_a_spine_stage_there_is_no_spine(tmp_path):
    case, segmented, discs = found()
    bare = type(segmented)(segmented.mask, segmented.probability, segmented.votes, None)
    disc_files.write_disc_files(case, bare, discs, tmp_path, ("spine",))
    assert not (tmp_path / "01_DiscSpine.nii.gz").exists()


def test_colour_tables_are_as_their_programs_want_them(tmp_path):
    disc_files.write_colours(tmp_path)
    slicer, snap = (tmp_path / name for name in disc_files.COLOUR_TABLES)
    rows = [line.split() for line in slicer.read_text().splitlines() if not line.startswith("#")]
    assert rows[0] == ["0", "Background", "0", "0", "0", "0"]
    assert rows[1][:2] == ["1", "L5/S1"] and rows[-1][:2] == ["100", "S1/2"]
    assert all(len(row) == 6 and all(0 <= int(v) <= 255 for v in row[2:]) for row in rows)
    assert len({tuple(row[2:5]) for row in rows}) == len(rows)
    lines = [line for line in snap.read_text().splitlines() if not line.startswith("#")]
    for line, row in zip(lines[1:], rows[1:], strict=True):
        numbers, name = line.split('"')[0].split(), line.split('"')[1]
        assert numbers[:4] == [row[0], *row[2:5]] and name == row[1] and numbers[4:] == ["1"] * 3


def test_a_colour_table_that_somebody_changed_stays(tmp_path):
    (tmp_path / "levels.ctbl").write_text("mine")
    disc_files.write_colours(tmp_path)
    assert (tmp_path / "levels.ctbl").read_text() == "mine"


def test_the_docs_name_each_column_that_is_written(tmp_path):
    page = (Path(__file__).parents[2] / "docs" / "your_scans.md").read_text(encoding="utf-8")
    section = page.partition("### The columns of the tables")[2].partition("\n## ")[0]
    told = re.findall(r"^\| `(\w+)` \|", section, re.MULTILINE)
    case, segmented, _ = found(contrasts=("wat", "fat"))
    images = case.contrasts | {"inn": case.contrasts["wat"] + case.contrasts["fat"]}
    discs = find_discs(segmented.mask, case.spacing, images, segmented.votes)
    disc_files.write_table("01", discs, tmp_path / "t.csv")
    columns = pd.read_csv(tmp_path / "t.csv").columns
    assert told == [*dict.fromkeys(re.sub(r"^(signal|spread)_\w+", r"\1_X", c) for c in columns)]


def test_no_disc_is_an_empty_table(tmp_path):
    empty = np.zeros((4, 20, 20), np.uint8)
    case, _, discs = found(labels=empty)
    disc_files.write_table("01", discs, tmp_path / "t.csv")
    assert len(pd.read_csv(tmp_path / "t.csv")) == 0 and case.name == "01"
