"""Drawings are compared by the metrics of the evaluation."""

import numpy as np
import pytest
from bs4 import BeautifulSoup
from widgets import make_case

from ivdlib.course.viewer import contour, hands
from ivdlib.course.viewer.hands import compare_hands
from ivdlib.course.viewer.one_disc import discs_of_slice
from ivdlib.evaluation import metrics


def test_a_drawing_is_compared_by_the_metrics_of_the_evaluation():
    case = make_case()
    disc, _ = discs_of_slice(case, 3, np.roll(case.discs, 1, axis=1))
    truth = disc.masks["truth"]
    exact = contour.edge_of(truth, disc.edges)
    table = compare_hands(disc, [exact, exact + (2.5, 0)], "your drawing")
    assert table.loc["your drawing – the network", "Dice"] < 1
    moved = np.roll(truth, 1, axis=1)
    for row in ("the truth", "the first one"):
        assert list(table.loc[f"your drawing – {row}"]) == [
            metrics.dice(moved, truth),
            metrics.asd_mm(moved, truth, disc.edges),
            metrics.hd95_mm(moved, truth, disc.edges),
        ]
    assert table.loc["one voxel too wide – the truth", "Dice"] == pytest.approx(
        2 * 49 / (49 + 49 + 4 * 7)
    )
    assert "the phantom's rater – the truth" not in table.index
    assert "your drawing – the first one" not in compare_hands(disc, [exact], "your drawing").index


def test_a_drawing_without_a_voxel_has_no_distance():
    disc, _ = discs_of_slice(make_case(), 3, None)
    dot = contour.oval((10.0, 10.0), (0.1, 0.1), 8)
    row = compare_hands(disc, [dot], "your drawing").loc["your drawing – the truth"]
    assert row["Dice"] == 0 and row[1:].isna().all()


def test_the_table_on_a_page_has_two_decimals_and_headings():
    disc, _ = discs_of_slice(make_case(), 3, None)
    table = compare_hands(disc, [contour.oval((10.0, 10.0), (0.1, 0.1), 8)], "a <dot>")
    page = BeautifulSoup(hands.as_html(table), "html.parser")
    assert [head.get_text() for head in page.find_all("th", scope="col")] == list(table)
    row = page.find("th", scope="row")
    assert row.get_text() == "a <dot> – the truth"
    assert [cell.get_text() for cell in row.parent("td")] == ["0.00", "–", "–"]


def test_the_grid_is_told_in_its_own_numbers():
    words = hands.whole_voxels((2.0, 2.5))
    assert "2.50 × 2.00 mm" in words and "0, 2.00 or 3.20 mm" in words
