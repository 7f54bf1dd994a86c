"""Grey values of a picture are stretched over the scan."""

import numpy as np
from widgets import controls, make_case, pixels

from ivdlib.course import viewer


def test_contrasts_can_be_chosen_and_are_stretched_over_the_scan(no_graphics_card):
    case = make_case()
    shown = viewer.volume(case, contrasts=["opp", "fat"])
    assert list(controls(shown)["contrast"].options) == ["opp", "fat"]
    first = pixels(shown)
    case.contrasts["opp"] *= 3  # another scale, the same picture
    assert np.array_equal(first, pixels(viewer.volume(case, contrasts=["opp"])))
    controls(shown)["contrast"].value = "fat"
    assert not np.array_equal(first, pixels(shown))
