"""The window about a disc, and what a drawing in it is compared with."""

import numpy as np
import pytest
from widgets import make_case

import ivdlib
from ivdlib.course.viewer import contour
from ivdlib.course.viewer.one_disc import MARGIN_MM, discs_of_slice
from ivdlib.evaluation import metrics
from ivdlib.phantom import make_phantom
from ivdlib.report.plotting import middle_slice, upright


@pytest.fixture(scope="module")
def small_phantom(tmp_path_factory):
    """A scan with a rater's labels and the discs as they are, and the slice to draw in."""
    root = make_phantom(tmp_path_factory.mktemp("drawn"), 1, 1, slices=3)
    case = ivdlib.load_case(root)
    return case, middle_slice(case.discs)


def test_masks_are_those_of_one_disc_upright():
    case = make_case()
    lower, upper = discs_of_slice(case, 3, np.roll(case.discs, 1, axis=1))
    assert (lower.name, upper.name) == ("1", "2") and lower.edges == (2.0, 2.5)
    assert set(lower.masks) == {"truth", "found"}
    both = lower.masks["truth"] | upper.masks["truth"]
    assert np.array_equal(both, upright(case.discs[3]))
    assert not (lower.masks["found"] & upper.masks["found"]).any()
    assert lower.masks["truth"].sum() == 49 and lower.masks["found"].sum() == 49


def test_the_window_holds_the_disc_and_its_margin():
    _, upper = discs_of_slice(make_case(), 3, None)
    left, top, across, down = upper.window
    assert (left, top) == (0, 0)  # the slice ends there
    assert (across, down) == (16 * 2.5, (6 + 7) * 2.0) and MARGIN_MM == 14
    picture = upper.picture(np.zeros((20, 16), np.uint8), {"truth": upper.masks["truth"]})
    height, width = picture.pixels.shape[:2]
    assert width / height == pytest.approx(across / down, rel=0.02)
    rows, columns = np.nonzero(picture.pixels.any(axis=2))
    corner = upper.pixels_of(contour.edge_of(upper.masks["truth"], upper.edges)).min(axis=0)
    assert np.allclose((columns.min(), rows.min()), corner, atol=0.51 * width / across * 2.5)


def test_a_drawing_is_compared_by_the_metrics_of_the_evaluation():
    case = make_case()
    disc, _ = discs_of_slice(case, 3, np.roll(case.discs, 1, axis=1))
    truth = disc.masks["truth"]
    exact = contour.edge_of(truth, disc.edges)
    table = disc.compare([exact, exact + (2.5, 0)], "your drawing")
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
    assert "your drawing – the first one" not in disc.compare([exact], "your drawing").index


def test_a_drawing_without_a_voxel_has_no_distance():
    disc, _ = discs_of_slice(make_case(), 3, None)
    dot = contour.oval((10.0, 10.0), (0.1, 0.1), 8)
    row = disc.compare([dot], "your drawing").loc["your drawing – the truth"]
    assert row["Dice"] == 0 and row[1:].isna().all()


def test_the_truth_of_a_phantom_is_the_disc_and_its_label_a_raters(small_phantom):
    case, k = small_phantom
    for disc in discs_of_slice(case, k, None):
        table = disc.compare([contour.edge_of(disc.masks["truth"], disc.edges)], "x")
        assert table.loc["x – the truth", "Dice"] > 0.99  # a hole is filled at most
        assert 0.6 < table.loc["the phantom's rater – the truth", "Dice"] < 1


def test_examples_err_as_the_phantoms_rater_does(small_phantom):
    case, k = small_phantom
    tables = [disc.compare(disc.examples(), "x") for disc in discs_of_slice(case, k, None)]
    rows = ("x – the truth", "the phantom's rater – the truth")
    example, rater = (np.mean([t.loc[row, "mean distance (mm)"] for t in tables]) for row in rows)
    assert 0.4 < example / rater < 1.1


def test_the_start_is_inside_the_window_and_gives_nothing_away(small_phantom):
    case, k = small_phantom
    for disc in discs_of_slice(case, k, None):
        left, top, across, down = disc.window
        assert len(disc.start()) == 12
        assert np.allclose(disc.start().mean(axis=0), (left + across / 2, top + down / 2))
        assert disc.compare([disc.start()], "x").loc["x – the truth", "Dice"] < 0.6
