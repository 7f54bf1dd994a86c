"""The summary of many scans."""

import pandas as pd
import pytest
from bs4 import BeautifulSoup
from found_discs import found
from spines import spine

from ivdlib.errors import DataWarning
from ivdlib.report import scan_page
from ivdlib.report.scan_summary import write_summary
from ivdlib.training import mask_files


def written(folder, name, labels=None, warned=()):
    """All files of a scan, as `predict` writes them."""
    case, segmented, _ = found(name, labels=labels)
    beside = scan_page.discs_beside()
    warned = [list(one) for one in warned]
    beside.write(case, segmented, folder, warned)
    path = folder / f"{name}_Discs.nii.gz"
    mask_files.write_mask_file(case, segmented.mask, path, {}, warned)
    assert all((folder / f"{name}{suffix}").is_file() for suffix in beside.suffixes)


def test_the_odd_ones_of_many_stand_first(tmp_path):
    written(tmp_path, "01", warned=[("DataWarning", "case 01: something was assumed.")])
    with pytest.warns(DataWarning, match="the names of its discs are uncertain"):
        written(tmp_path, "02", spine(count=3))
    written(tmp_path, "00", warned=[("AsUsual", "case 00: some specks were left out.")])
    paths = write_summary(tmp_path, ["00", "01", "02"], {"03": "case 03: it is broken."})
    table = pd.read_csv(tmp_path / "summary.csv", dtype={"case": str})
    assert list(table["case"]) == ["00"] * 6 + ["01"] * 6 + ["02"] * 3
    soup = BeautifulSoup((tmp_path / "index.html").read_text(), "html.parser")
    rows = [[cell.get_text(" ", strip=True) for cell in row.find_all(["th", "td"])]
            for row in soup.select("tbody tr")]  # fmt: skip
    states = [["03", "failed"], ["01", "look"], ["02", "look"], ["00", "fine"]]
    assert [row[:2] for row in rows] == states
    assert rows[0][3] == "it is broken." and rows[1][3] == "something was assumed."
    assert rows[3][2:] == ["6 discs, L5/S1 to T12/L1", ""]
    assert [a["href"] for a in soup.select("tbody a")] == ["01.html", "02.html", "00.html"]
    assert "1 failed, 2 to look at first, 1 fine" in soup.text
    for name, state in (("01", "look"), ("02", "look"), ("00", "fine")):  # one rule for both pages
        page = (tmp_path / f"{name}.html").read_text(encoding="utf-8")
        assert ("Look first" in page) == (state == "look"), name
    assert tmp_path / "summary.csv" in paths and tmp_path / "index.html" in paths


def test_parquet_holds_the_same(tmp_path):
    pytest.importorskip("pyarrow")
    written(tmp_path, "01")
    write_summary(tmp_path, ["01"], {})
    pd.testing.assert_frame_equal(
        pd.read_parquet(tmp_path / "summary.parquet"),
        pd.read_csv(tmp_path / "summary.csv", dtype={"case": str}),
    )


def test_nothing_but_failures(tmp_path):
    write_summary(tmp_path, [], {"01": "case 01: no spine was found."})
    assert "no spine was found." in (tmp_path / "index.html").read_text()
    assert len(pd.read_csv(tmp_path / "summary.csv")) == 0
