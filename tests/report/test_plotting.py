import base64

import numpy as np
import pytest
from matplotlib.figure import Figure
from upright import SPACING, corner_plane, panels

from ivdlib.report import plotting


def outlines(axes):
    """Contour lines and fills of a panel."""
    return [c for c in axes.collections if type(c).__name__ == "QuadContourSet"]


def test_upright_puts_anterior_left_and_superior_up():
    shown = plotting.upright(corner_plane())
    assert shown.shape == (30, 20)
    assert shown[0, 0] == 1 and shown.sum() == 1


def test_drawn_slice_has_true_proportions_and_letters():
    figure = plotting.contrast_grid({"wat": corner_plane()}, (4.0, 1.0, 2.5))
    axes = panels(figure)[0]
    assert axes.get_aspect() == 2.5
    places = {text.get_text(): text.get_position() for text in axes.texts}
    assert places["A"][0] < 0.5 < places["P"][0]
    assert places["I"][1] < 0.5 < places["S"][1]


def test_middle_slice_is_the_one_with_most_of_the_mask():
    mask = np.zeros((5, 4, 4), bool)
    assert plotting.middle_slice(mask) == 2
    mask[3, :2] = True
    mask[1, 0] = True
    assert plotting.middle_slice(mask) == 3


def test_around_is_the_box_of_the_mask_with_a_margin_inside_the_slice():
    mask = np.zeros((20, 30), bool)
    mask[2:5, 10:13] = True
    assert plotting.around(mask, 4) == (slice(0, 9), slice(6, 17))
    assert mask[plotting.around(np.zeros_like(mask), 4)].shape == mask.shape


def test_contrast_grid_has_a_panel_for_each_slice_and_outlines_where_asked():
    planes = {name: np.random.default_rng(0).random((20, 30)) for name in "abcde"}
    disc = np.zeros((20, 30), bool)
    disc[5:9, 5:20] = True
    figure = plotting.contrast_grid(planes, SPACING, {"b": {"disc": disc}}, columns=3)
    assert [axes.get_title() for axes in panels(figure)] == list("abcde")
    assert [bool(outlines(axes)) for axes in panels(figure)] == [False, True, False, False, False]


def legend(figure):
    """Colour and dashes of each line of a figure's legend, by its name."""
    return {
        line.get_label(): (line.get_color(), line.get_linestyle())
        for line in figure.legends[0].legend_handles
    }


def test_what_a_mask_is_decides_its_colour_and_not_its_order():
    plane, mask = corner_plane(), corner_plane() > 0
    one = plotting.contrast_grid({"a": plane}, SPACING, {"a": {"truth": mask, "found": mask}})
    other = plotting.contrast_grid({"a": plane}, SPACING, {"a": {"found": mask, "truth": mask}})
    apart = {"a": {"found": mask}, "b": {"truth": mask, "ball": mask}}
    third = plotting.contrast_grid({"a": plane, "b": plane}, SPACING, apart)
    known = {"truth": (plotting.ORANGE, "-"), "found": (plotting.SKY, "--")}
    assert legend(one) == legend(other) == known
    assert legend(third) == known | {"ball": (plotting.GREEN, "-")}


def test_what_was_found_lies_on_the_truth():
    assert list(plotting.styles_of(["ball", "found", "truth"])) == ["truth", "found", "ball"]


def test_letters_stand_on_slices_of_scans_only():
    figure = plotting.contrast_grid({"kernel": np.eye(3)}, SPACING, letters=False)
    assert not panels(figure)[0].texts


def test_titles_are_no_wider_than_their_panel_and_narrow_panels_leave_no_hole():
    narrow = np.zeros((20, 100))
    title = "the network that is built of these modules: Dice 0.896"
    figure = plotting.contrast_grid({title: narrow, "b": narrow}, (1, 1, 1), columns=2)
    figure.draw_without_rendering()
    first, second = (axes.get_window_extent() for axes in panels(figure))
    assert second.x0 - first.x1 < first.width / 2
    assert panels(figure)[0].title.get_window_extent().x1 < second.x0
    assert figure.get_figwidth() < plotting.WIDTH / 2


@pytest.mark.filterwarnings("error")
def test_constant_slice_is_drawn_without_a_warning(tmp_path):
    plotting.save({"x": plotting.contrast_grid({"x": np.zeros((20, 30))}, SPACING)}, tmp_path)


def test_show_gives_the_alternative_text_to_the_notebook(monkeypatch):
    seen = {}
    monkeypatch.setattr(
        "IPython.display.display", lambda data, **more: seen.update(data=data, **more)
    )
    plotting.show(Figure(figsize=(1, 1)), "a blank page")
    assert seen["metadata"] == {"image/png": {"alt": "a blank page"}}
    assert seen["raw"] and seen["data"]["text/plain"] == "a blank page"
    assert base64.b64decode(seen["data"]["image/png"]).startswith(b"\x89PNG")


def test_saved_figure_keeps_the_text_it_was_shown_with(tmp_path, monkeypatch):
    monkeypatch.setattr("IPython.display.display", lambda *_, **__: None)
    figure = Figure(figsize=(1, 1))
    plotting.show(figure, "a blank page")
    plotting.save({"blank": figure}, tmp_path / "figures")
    path = tmp_path / "figures" / "blank.png"
    assert path.name == "blank.png"
    assert b"a blank page" in path.read_bytes()


def test_a_mask_on_several_pictures_has_one_colour_in_the_legend_too():
    planes = {name: np.zeros((8, 8)) for name in "abc"}
    mask = np.pad(np.ones((4, 4), bool), 2)
    figure = plotting.contrast_grid(planes, (1, 1, 1), {name: {"a ball": mask} for name in planes})
    (handle,) = figure.legends[0].legend_handles
    colour, dashes = plotting.OTHERS[0]
    assert handle.get_color() == colour and handle.get_linestyle() in (dashes, "-")
