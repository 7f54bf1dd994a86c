"""The window about a disc, its masks, and the examples."""

import numpy as np
import pytest
from widgets import make_case

import ivdlib
from ivdlib.course.viewer import contour
from ivdlib.course.viewer.hands import compare_hands
from ivdlib.course.viewer.one_disc import MARGIN_MM, discs_of_slice
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


def test_the_truth_of_a_phantom_is_the_disc_and_its_label_a_raters(small_phantom):
    case, k = small_phantom
    for disc in discs_of_slice(case, k, None):
        table = compare_hands(disc, [contour.edge_of(disc.masks["truth"], disc.edges)], "x")
        assert table.loc["x – the truth", "Dice"] > 0.99  # a hole is filled at most
        assert 0.6 < table.loc["the phantom's rater – the truth", "Dice"] < 1


def test_examples_err_as_the_phantoms_rater_does(small_phantom):
    case, k = small_phantom
    tables = [compare_hands(disc, disc.examples(), "x") for disc in discs_of_slice(case, k, None)]
    rows = ("x – the truth", "the phantom's rater – the truth")
    example, rater = (np.mean([t.loc[row, "mean distance (mm)"] for t in tables]) for row in rows)
    assert 0.4 < example / rater < 1.1


def test_the_start_is_inside_the_window_and_gives_nothing_away(small_phantom):
    case, k = small_phantom
    for disc in discs_of_slice(case, k, None):
        left, top, across, down = disc.window
        assert len(disc.start()) == 12
        assert np.allclose(disc.start().mean(axis=0), (left + across / 2, top + down / 2))
        assert compare_hands(disc, [disc.start()], "x").loc["x – the truth", "Dice"] < 0.6
