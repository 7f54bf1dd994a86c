"""Draw a disc: what is told when, and that board, buttons and table show one drawing."""

import dataclasses

import numpy as np
import pytest
from bs4 import BeautifulSoup
from matplotlib.colors import to_rgb
from widgets import SHAPE, controls, make_case, pixels_of_tag, said

from ivdlib.course import viewer
from ivdlib.course.viewer import contour
from ivdlib.course.viewer.picture import COLOURS
from ivdlib.errors import DataError


@pytest.fixture
def shown():
    """A drawing that has not begun."""
    case = make_case()
    return viewer.draw_disc(case, np.roll(case.discs, 1, axis=1))


def board(shown):
    """What the page shows and changes."""
    return shown.widget.children[1]


def send(shown, points: np.ndarray, chosen: int = 0) -> None:
    """Change the contour as the page does."""
    board(shown).set_state({"contour": points.tolist(), "chosen": chosen})


def draw(shown, moved: float = 0) -> None:
    """Draw the truth, so many mm too far to the right."""
    truth = contour.edge_of(shown._disc.masks["truth"], shown._disc.edges)
    send(shown, truth + (moved, 0))


def points(shown) -> np.ndarray:
    """The contour that the page shows, mm."""
    return np.array(board(shown).contour)


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
    assert np.array_equal(points(shown), shown._disc.start()) and keep.disabled
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
    moved = points(shown)
    moved[0, 0] += 1  # the right end of the oval
    send(shown, moved)
    controls(shown)["show the truth"].click()
    before = cells(shown)["your drawing – the truth"]
    moved[0, 0] += 8
    send(shown, moved)
    assert cells(shown)["your drawing – the truth"] != before
    table = shown.scores().loc["your drawing – the truth"]
    assert cells(shown)["your drawing – the truth"] == [f"{value:.2f}" for value in table]


@pytest.mark.parametrize("chosen", (0, 3, 11))
def test_buttons_add_a_point_after_the_chosen_one_and_remove_it_again(shown, chosen):
    control, page, start = controls(shown), board(shown), points(shown)
    assert len(start) == 12
    page.set_state({"chosen": chosen})
    control["add a point"].click()
    assert page.chosen == chosen + 1
    assert np.allclose(points(shown)[page.chosen], (start[chosen] + start[(chosen + 1) % 12]) / 2)
    assert np.array_equal(np.delete(points(shown), page.chosen, axis=0), start)
    control["remove the point"].click()
    assert page.chosen == chosen and np.array_equal(points(shown), start)
    for _ in range(20):
        control["remove the point"].click()
        assert page.chosen < len(page.contour)
    assert len(page.contour) == 3


def test_every_disc_of_the_slice_can_be_drawn(shown):
    draw(shown)
    assert "Disc 1" in shown.alt and "contrast wat" in shown.alt
    before, drawn = board(shown).picture, board(shown).contour
    controls(shown)["contrast"].value = "fat"
    assert "contrast fat" in shown.alt and board(shown).contour == drawn
    assert board(shown).picture != before
    controls(shown)["disc"].index = 1
    assert np.array_equal(points(shown), shown._disc.start())  # another disc, a new drawing
    assert "Disc 2" in shown.alt and board(shown).window == list(shown._disc.window)
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


def test_a_phantoms_label_counts_as_a_raters():
    case = make_case()
    exact = dataclasses.replace(case, exact_mask=np.roll(case.discs, 1, axis=2))
    assert "the phantom's rater – the truth" in viewer.draw_disc(exact).scores().index
    index = viewer.draw_disc(case).scores().index
    assert not [row for row in index if "rater" in row or "network" in row]


def test_overlays_are_shown_when_one_is_done_and_can_be_switched(shown):
    def seen(name):
        """Whether an outline is in the picture; its text must say the same."""
        tag = BeautifulSoup(board(shown).picture, "html.parser").img
        word, code, _ = COLOURS[name]
        away = np.abs(pixels_of_tag(tag) - np.round(255 * np.array(to_rgb(code)))).max(axis=2)
        there = int((away <= 1).sum()) > 100
        assert there == (word in tag["alt"])
        return there

    draw(shown)
    assert not seen("truth") and not seen("found")
    controls(shown)["show the truth"].click()
    assert seen("truth") and seen("found")
    controls(shown)["truth (orange)"].value = False
    assert not seen("truth") and seen("found")


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
