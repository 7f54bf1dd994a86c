"""The receptive field of stacked dilated convolutions, as a widget."""

import numpy as np
import pytest
from matplotlib.colors import to_rgb
from widgets import controls, pixels, said

from ivdlib.course import viewer
from ivdlib.errors import ConfigError
from ivdlib.report.plotting import ORANGE


def test_field_draws_each_stack_to_one_scale_with_its_holes():
    shown = viewer.receptive_field([(1, 1), (2, 2)])
    picture = pixels(shown)
    cell = 250 // 11  # reach 4, and one pixel around
    side = 11 * cell
    assert picture.shape == (side, 2 * side + 12, 3)
    middles = slice(cell // 2, None, cell)
    for number, seen in enumerate((25, 25)):
        panel = picture[:, number * (side + 12) :][:, :side][middles, middles]
        assert panel.shape[:2] == (11, 11)
        assert (panel.min(axis=2) < 255).sum() == seen
        assert np.allclose(panel[5, 5], 255 * np.array(to_rgb(ORANGE)), atol=1)
    assert (picture[:, side + 12 :][middles, middles][5, [1, 2, 3]].min(axis=1) < 255).tolist() == [
        True, False, True,
    ]  # fmt: skip


def test_field_says_size_and_holes():
    shown = viewer.receptive_field()
    words = said(shown)
    assert "Rates 1, 1, 1: a field of 7 × 7 pixels without holes." in words
    assert "Rates 2, 2, 2: a field of 13 × 13 pixels; 120 of its 169 pixels are holes" in words
    assert "Rates 1, 2, 3: a field of 13 × 13 pixels without holes." in words
    titles = [axes.get_title() for axes in shown.figure().axes]
    assert titles[1] == "rates 2, 2, 2\n13 × 13 pixels, 71 % holes"


def test_field_sliders_change_the_stack_chosen_and_no_other():
    shown = viewer.receptive_field([(1, 1, 1), (1, 2)])
    control = controls(shown)
    control["stack to change"].value = 1
    rates = [control[f"rate of convolution {k}"] for k in (1, 2, 3, 4)]
    assert control["convolutions"].value == 2
    assert [slider.disabled for slider in rates] == [False, False, True, True]
    control["convolutions"].value = 3
    rates[2].value = 5
    assert not rates[2].disabled
    assert "Rates 1, 1, 1:" in said(shown) and "Rates 1, 2, 5:" in said(shown)
    control["stack to change"].value = 0
    assert [slider.value for slider in rates[:3]] == [1, 1, 1]
    assert "Rates 1, 1, 1:" in said(shown) and "Rates 1, 2, 5:" in said(shown)


@pytest.mark.parametrize(
    ("rates", "sentence"),
    [
        ([(1, 0)], "rate 0 is no whole number from 1"),
        ([(1.5,)], "rate 1.5"),
        ([(10,)], "rate 10"),
        ([], "0 stacks"),
        ([()], "stack of 0 convolutions"),
        ([(1,) * 5], "stack of 5 convolutions"),
        ([(1,)] * 5, "5 stacks"),
    ],
)
def test_field_refuses(rates, sentence):
    with pytest.raises(ConfigError, match=sentence):
        viewer.receptive_field(rates)
