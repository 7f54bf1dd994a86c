"""How far discs stand out, and how bright a contrast is shown."""

import numpy as np
import pytest

from ivdlib.course.viewer import contrast


def test_how_far_discs_and_bone_are_apart():
    discs, spine = np.zeros((2, 2, 4), bool), np.zeros((2, 2, 4), bool)
    discs[0, 0], spine[0] = True, True
    volume = np.zeros((2, 2, 4))
    volume[0, 0], volume[0, 1] = [4, 6, 4, 6], [1, 3, 1, 3]  # means 5 and 2, both variances 1
    assert contrast.apart(volume, discs, spine) == 3.0
    assert contrast.apart(-volume, discs, spine) == -3.0
    assert contrast.apart(0 * volume, discs, spine) is None
    assert contrast.apart(volume, discs, None) is None
    assert contrast.apart(volume, discs, discs) is None


@pytest.mark.parametrize(("highest", "times"), [(1.0, 1.0), (0.5, 2.0), (0.3, 3.25), (0.01, 4.0)])
def test_dark_contrasts_are_shown_brighter(highest, times):
    assert contrast.brightness(np.full((2, 3, 4), highest)) == times
    assert contrast.brightness(np.zeros((2, 3, 4))) == 1.0
