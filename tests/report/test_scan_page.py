"""The page of a scan, and the summary of many."""

import re

import numpy as np
import pandas as pd
import pytest
from bs4 import BeautifulSoup
from found_discs import found
from spines import spine

from ivdlib.errors import ConfigError, DataWarning
from ivdlib.evaluation.disc_names import NAMES
from ivdlib.report import disc_figures, scan_page
from ivdlib.report.scan_summary import write_summary
from ivdlib.training import mask_files


def page_of(tmp_path, warned=(), **how):
    case, segmented, discs = found(**how)
    scan_page.write_page(case, segmented, discs, tmp_path, warned)
    return BeautifulSoup((tmp_path / f"{case.name}.html").read_text(), "html.parser"), discs


def test_a_page_shows_discs_by_name_with_their_numbers(tmp_path):
    soup, discs = page_of(tmp_path)
    rows = soup.select("table.discs tbody tr")
    assert [row.th.text for row in rows] == list(reversed(NAMES[1:7]))  # as they stand
    head = [cell.text for cell in soup.select("table.discs thead th")]
    volume = rows[-1].select("td")[head.index("volume, ml") - 1].text
    assert volume.startswith(f"{discs.rows[0]['volume_ml']:.1f} ± ")
    text = soup.text
    assert "6 discs, from L5/S1 up to T12/L1" in text and "no medical device" in text
    assert "Nothing odd was noticed" in text and soup.select_one("#first") is None
    assert re.search(r"lying:\s+\d+°", text) and "five lumbar" in text
    image = soup.img
    assert image["src"].startswith("data:image/png") and "6 discs outlined" in image["alt"]
    assert (tmp_path / "01_Discs.png").is_file()


def test_warnings_stand_first(tmp_path):
    soup, _ = page_of(tmp_path, ["case 01: its pixels <b>are</b> odd."], labels=spine(count=3))
    first = soup.select_one("#first")
    assert first.find_parent("section").find_next("h2").text == "Look first"
    told = [item.text for item in first.find_parent("section").select("li")]
    assert any("only 3 discs were found" in text for text in told)
    assert "Its pixels <b>are</b> odd." in told  # escaped, not obeyed
    assert soup.select_one("table.discs tbody th").text.endswith("?")


def test_a_disc_at_the_border_is_told(tmp_path):
    labels = spine(count=6)
    labels[:, :, np.argwhere(labels == 6).mean(axis=0).astype(int)[2] + 1 :] = 0
    labels = labels[:, :, : np.flatnonzero(labels.any(axis=(0, 1)))[-1] + 1]
    soup, _ = page_of(tmp_path, labels=labels)
    assert "Cut by the edge of the scan" in soup.text
    assert soup.select_one("table.discs tbody th").text == "T12/L1 (cut)"


def test_no_disc_is_a_page_too(tmp_path):
    soup, _ = page_of(tmp_path, labels=np.zeros((6, 40, 50), np.uint8))
    assert "No disc was found." in soup.text and not soup.select("table.discs")


def test_one_image_has_no_votes(tmp_path):
    soup, _ = page_of(tmp_path, contrasts=("t2",))
    assert soup.select_one("#votes") is None and "±" not in soup.select_one("table.discs").text


def test_the_picture_shows_the_image_that_shows_discs_best():
    assert disc_figures.shown_contrast(found(contrasts=("fat", "inn", "wat"))[0]) == "wat"
    assert disc_figures.shown_contrast(found(contrasts=("fat",))[0]) == "fat"


def test_what_cannot_be_asked_for():
    with pytest.raises(ConfigError, match="there is no 'nonsense' to save"):
        scan_page.discs_beside(["nonsense"])
    with pytest.raises(ConfigError, match="'L6' is no name of a disc"):
        scan_page.discs_beside(lowest="L6")


def written(folder, name, labels=None, warned=()):
    """All files of a scan, as `predict` writes them."""
    case, segmented, _ = found(name, labels=labels)
    beside = scan_page.discs_beside()
    beside.write(case, segmented, folder, [["DataWarning", text] for text in warned])
    mask_files.write_mask_file(case, segmented.mask, folder / f"{name}_Discs.nii.gz", {},
                               [["DataWarning", text] for text in warned])  # fmt: skip
    assert all((folder / f"{name}{suffix}").is_file() for suffix in beside.suffixes)


def test_the_odd_ones_of_many_stand_first(tmp_path):
    written(tmp_path, "01", warned=["case 01: something was assumed."])
    with pytest.warns(DataWarning, match="the names of its discs are uncertain"):
        written(tmp_path, "02", spine(count=3))
    paths = write_summary(tmp_path, ["01", "02"], {"03": "case 03: it is broken."})
    table = pd.read_csv(tmp_path / "summary.csv", dtype={"case": str})
    assert list(table["case"]) == ["01"] * 6 + ["02"] * 3
    soup = BeautifulSoup((tmp_path / "index.html").read_text(), "html.parser")
    rows = [[cell.get_text(" ", strip=True) for cell in row.find_all(["th", "td"])]
            for row in soup.select("tbody tr")]  # fmt: skip
    assert [row[:2] for row in rows] == [["03", "failed"], ["02", "look"], ["01", "fine"]]
    assert rows[0][3] == "it is broken." and rows[2][3] == "something was assumed."
    assert rows[2][2] == "6 discs, L5/S1 to T12/L1"
    assert [a["href"] for a in soup.select("tbody a")] == ["02.html", "01.html"]
    assert "1 failed, 1 to look at first, 1 fine" in soup.text
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
