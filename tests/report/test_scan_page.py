"""The page of a scan, and the summary of many."""

import re
import weakref

import numpy as np
import pytest
from bs4 import BeautifulSoup
from found_discs import found
from spines import spine

from ivdlib.errors import ConfigError
from ivdlib.evaluation.disc_names import DISC_NAMES
from ivdlib.report import scan_page

ODD = ("DataWarning", "case 01: its pixels <b>are</b> odd.")
USUAL = ("AsUsual", "case 01: some specks were left out.")


def page_of(tmp_path, warned=(), **how):
    case, segmented, discs = found(**how)
    scan_page.write_page(case, segmented, discs, tmp_path, warned)
    return BeautifulSoup((tmp_path / f"{case.name}.html").read_text(), "html.parser"), discs


def test_a_page_shows_discs_by_name_with_their_numbers(tmp_path):
    soup, discs = page_of(tmp_path)
    rows = soup.select("table.discs tbody tr")
    assert [row.th.text for row in rows] == list(reversed(DISC_NAMES[1:7]))  # as they stand
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
    soup, _ = page_of(tmp_path, [ODD, USUAL], labels=spine(count=3))
    first = soup.select_one("#first")
    assert first.find_parent("section").find_next("h2").text == "Look first"
    told = [item.text for item in first.find_parent("section").select("li")]
    assert any("only 3 discs were found" in text for text in told)
    assert "Its pixels <b>are</b> odd." in told  # escaped, not obeyed
    assert soup.select_one("table.discs tbody th").text.endswith("?")
    assert not any("specks" in text for text in told)
    decided = soup.select_one("#decisions").find_parent("section")
    assert "Some specks were left out." in [item.text for item in decided.select("li")]


def test_what_is_always_done_is_nothing_odd(tmp_path):
    soup, _ = page_of(tmp_path, [USUAL])
    assert "Nothing odd was noticed" in soup.text and "Some specks were left out." in soup.text


def test_a_disc_at_the_border_is_told(tmp_path):
    labels = spine(count=6)
    labels[:, :, np.argwhere(labels == 6).mean(axis=0).astype(int)[2] + 1 :] = 0
    labels = labels[:, :, : np.flatnonzero(labels.any(axis=(0, 1)))[-1] + 1]
    soup, _ = page_of(tmp_path, labels=labels)
    assert "Cut by the edge of the scan" in soup.text and "Nothing odd was noticed" in soup.text
    assert soup.select_one("table.discs tbody th").text == "T12/L1 (cut)"


@pytest.mark.parametrize("told", ["all discs are", "the lowest disc is"])
def test_a_cut_lowest_disc_is_looked_at_first(tmp_path, told):
    labels = spine(count=6)
    bottom = int(np.argwhere(labels == 1).mean(axis=0)[2])
    labels = labels[17:19] if told.startswith("all") else labels[:, :, bottom:]
    soup, _ = page_of(tmp_path, labels=labels)
    first = soup.select_one("#first").find_parent("section").text.lower()
    assert f"{told} " in first and "cut by the edge" in first


def test_no_disc_is_a_page_too(tmp_path):
    soup, _ = page_of(tmp_path, labels=np.zeros((6, 40, 50), np.uint8))
    assert "No disc was found." in soup.text and not soup.select("table.discs")


def test_one_disc_is_one(tmp_path):
    soup, _ = page_of(tmp_path, labels=spine(count=1))
    assert "1 disc, L5/S1?." in soup.text and "Nothing odd" not in soup.text


def test_one_image_has_no_votes(tmp_path):
    soup, _ = page_of(tmp_path, contrasts=("t2",))
    assert soup.select_one("#votes") is None and "±" not in soup.select_one("table.discs").text


def test_what_cannot_be_asked_for():
    with pytest.raises(ConfigError, match="there is no 'nonsense' to save"):
        scan_page.discs_beside(["nonsense"])
    with pytest.raises(ConfigError, match="'L6' is no name of a disc"):
        scan_page.discs_beside(lowest="L6")


def test_nothing_of_a_picture_is_left_in_memory(tmp_path, monkeypatch):
    """Each canvas holds some 24 MB, in a cycle: of fifty thousand scans none may stay."""
    drawn, usual = [], scan_page.disc_figures.three_slices

    def draw(*arguments):
        figure = usual(*arguments)
        drawn.append(weakref.ref(figure))
        return figure

    monkeypatch.setattr(scan_page.disc_figures, "three_slices", draw)
    page_of(tmp_path)
    assert [ref() for ref in drawn] == [None]
