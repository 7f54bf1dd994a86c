"""Draw a disc: what is told when, and that sliders, board and table show one drawing."""

import dataclasses

import ipywidgets
import numpy as np
import pytest
from bs4 import BeautifulSoup
from matplotlib.colors import to_rgb
from widgets import SHAPE, controls, make_case, said, screen_pixels

from ivdlib.course import viewer
from ivdlib.course.viewer import contour
from ivdlib.course.viewer.picture import COLOURS
from ivdlib.errors import DataError


@pytest.fixture(params=(False, True), ids=("sliders", "board"))
def shown(request):
    """A drawing that has not begun, without and with anywidget."""
    if request.param:
        pytest.importorskip("anywidget")
    else:
        request.getfixturevalue("no_board")
    case = make_case()
    return viewer.draw_disc(case, np.roll(case.discs, 1, axis=1))


@pytest.fixture
def drawing(no_board):
    case = make_case()
    return viewer.draw_disc(case, np.roll(case.discs, 1, axis=1))


def draw(shown, moved: float = 0) -> None:
    """Draw the truth, so many mm too far to the right."""
    truth = contour.edge_of(shown._disc.masks["truth"], shown._disc.edges)
    shown._set(truth + (moved, 0), 0)


def cells(shown) -> dict[str, list[str]]:
    """The table below the picture."""
    rows = BeautifulSoup(shown.widget.children[2].value, "html.parser").find_all("tr")[1:]
    return {row.th.get_text(): [cell.get_text() for cell in row("td")] for row in rows}


def test_nothing_is_told_before_one_is_done(shown):
    draw(shown)
    assert cells(shown) == {} and "Dice" not in said(shown)
    assert shown._overlays.layout.display == "none"
    assert "truth" not in shown.alt
    controls(shown)["show the truth"].click()
    assert cells(shown)["your drawing – the truth"] == ["1.00", "0.00", "0.00"]
    assert "your drawing – the first one" not in cells(shown)
    assert shown._overlays.layout.display is None
    assert "truth (orange, solid), network (blue, dashed), drawing (purple" in shown.alt
    assert "2.50 × 2.00 mm" in said(shown) and "0, 2.00 or 3.20 mm" in said(shown)


def test_the_first_drawing_is_kept_hidden_and_then_compared(shown):
    keep, show = (controls(shown)[name] for name in ("keep it and draw again", "show the truth"))
    assert keep.disabled and show.disabled  # nothing is drawn yet
    draw(shown)
    keep.click()
    assert np.array_equal(shown._contour, shown._disc.start()) and keep.disabled
    assert "first drawing is kept, and hidden" in said(shown)
    assert "first drawing" not in shown.alt
    draw(shown, moved=6)
    show.click()
    first = cells(shown)["your drawing – the first one"]
    assert first == cells(shown)["your drawing – the truth"] and first[0] != "1.00"
    assert "first drawing (green, dash-dotted)" in shown.alt
    controls(shown)["start again"].click()
    assert cells(shown) == {} and "kept" not in said(shown) and show.disabled


def test_one_drawing_alone_is_the_first_one_kept(shown):
    draw(shown)
    controls(shown)["keep it and draw again"].click()
    controls(shown)["show the truth"].click()
    assert cells(shown)["your drawing – the truth"][0] == "1.00"  # not that of the oval
    assert "your drawing – the first one" not in cells(shown)
    draw(shown)
    assert cells(shown)["your drawing – the first one"][0] == "1.00"


def test_the_numbers_follow_a_point(shown):
    control = controls(shown)
    control["from the left (mm)"].value += 1  # of the oval's right end
    control["show the truth"].click()
    before = cells(shown)["your drawing – the truth"]
    control["from the left (mm)"].value += 8
    assert cells(shown)["your drawing – the truth"] != before
    table = shown.scores().loc["your drawing – the truth"]
    assert cells(shown)["your drawing – the truth"] == [f"{value:.2f}" for value in table]


def test_sliders_choose_move_add_and_remove_points(shown):
    control = controls(shown)
    left, top, _, down = shown._disc.window
    control["point"].value = 4
    control["from the left (mm)"].value = 3.5
    control["from below (mm)"].value = 2.25
    assert np.allclose(shown._contour[3], (left + 3.5, top + down - 2.25), atol=0.13)
    others = np.delete(shown._disc.start(), 3, axis=0)
    assert np.array_equal(np.delete(shown._contour, 3, axis=0), others)
    control["add a point"].click()
    assert (control["point"].value, control["point"].max) == (5, 13)
    assert np.allclose(shown._contour[4], (shown._contour[3] + shown._contour[5]) / 2)
    for _ in range(20):
        control["remove it"].click()
    assert len(shown._contour) == control["point"].max == 3


def test_every_disc_of_the_slice_can_be_drawn(shown):
    draw(shown)
    assert "Disc 1" in shown.alt and "contrast wat" in shown.alt
    controls(shown)["contrast"].value = "fat"
    assert "contrast fat" in shown.alt and shown._begun
    controls(shown)["disc"].index = 1
    assert np.array_equal(shown._contour, shown._disc.start())  # another disc, a new drawing
    assert "Disc 2" in shown.alt
    draw(shown)
    controls(shown)["show the truth"].click()
    assert cells(shown)["your drawing – the truth"][0] == "1.00"


def test_while_nothing_is_drawn_an_example_says_that_it_is_one(shown):
    assert "no person drew" in shown.alt and "first drawing (green" in shown.alt
    assert {"the example – the truth", "the example – the first one"} < set(shown.scores().index)
    assert "example" in shown.figure().axes[0].get_title()
    draw(shown)
    assert "example" not in shown.alt + shown.figure().axes[0].get_title()
    assert "your drawing – the truth" in shown.scores().index


def test_a_phantoms_label_counts_as_a_raters(no_board):
    case = make_case()
    exact = dataclasses.replace(case, exact_mask=np.roll(case.discs, 1, axis=2))
    assert "the phantom's rater – the truth" in viewer.draw_disc(exact).scores().index
    index = viewer.draw_disc(case).scores().index
    assert not [row for row in index if "rater" in row or "network" in row]


def test_overlays_are_switched_and_the_contour_is_drawn(drawing):
    def count(name):
        colour = np.round(255 * np.array(to_rgb(COLOURS[name][1])))
        return int((np.abs(screen_pixels(drawing) - colour).max(axis=2) <= 1).sum())

    draw(drawing)
    assert count("drawing") > 300 and count("truth") == count("found") == 0
    controls(drawing)["show the truth"].click()
    assert min(count("truth"), count("found")) > 100
    controls(drawing)["truth (orange)"].value = False
    assert count("truth") == 0 < count("found")


def test_the_board_and_the_sliders_show_one_contour():
    pytest.importorskip("anywidget")
    shown = viewer.draw_disc(make_case())
    page, control = shown.widget.children[1], controls(shown)
    assert isinstance(page, ipywidgets.DOMWidget) and page.contour == shown._contour.tolist()
    control["point"].value = 3
    control["from the left (mm)"].value += 2
    assert page.chosen == 2 and page.contour == shown._contour.tolist()
    triangle = [[10.0, 20.0], [30.0, 20.0], [20.0, 30.0]]
    page.set_state({"contour": triangle, "chosen": 1})  # as the browser does
    assert shown._contour.tolist() == triangle
    assert (control["point"].value, control["point"].max) == (2, 3)
    left, top, _, down = page.window
    assert abs(control["from the left (mm)"].value - (30 - left)) <= 0.125
    assert abs(control["from below (mm)"].value - (top + down - 20)) <= 0.125
    before = page.picture
    control["contrast"].value = "fat"
    assert page.picture != before and page.contour == triangle


def test_without_anywidget_it_says_how_to_install_it(drawing):
    assert "pip install 'ivdlib[draw]'" in said(drawing)


@pytest.mark.parametrize(
    ("case", "found", "sentence"),
    [
        (make_case(()), None, "case 07 has no contrasts"),
        (make_case(labels=False), None, "case 07 has no labelled discs"),
        (make_case(), np.zeros((5, 16, 21), bool), r"\(5, 16, 21\)"),
        (make_case(), np.full(SHAPE, 0.5), "other values than 0 and 1"),
    ],
)
def test_draw_disc_refuses(case, found, sentence):
    with pytest.raises(DataError, match=sentence):
        viewer.draw_disc(case, found)
