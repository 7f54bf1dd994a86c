"""What a network looked at lies where it can be."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from widgets import controls, make_case, pixels, said

from ivdlib.course import viewer
from ivdlib.course.viewer.saliency import side_of_share
from ivdlib.errors import DataWarning


@pytest.fixture(scope="module")
def shown(scan):
    return viewer.saliency(scan)


@pytest.mark.slow
def test_it_begins_in_a_disc_and_looks_around_it(shown, scan):
    row, column = shown._pixel
    k = controls(shown)["sagittal slice"].value
    assert scan.discs[k, row, column]
    assert float(said(shown).partition("disc ")[2][:4]) > 0.5
    looked_at = shown._looked_at
    assert looked_at[~shown._region.mask[k]].max() == 0
    assert looked_at[:, (np.arange(256) < 128) != (column < 128)].max() == 0  # the other tile
    assert looked_at[row - 15 : row + 16, column - 15 : column + 16].sum() > 0.4 * looked_at.sum()
    assert "could see 317 × 317, of which only the tile is there" in said(shown)


@pytest.mark.slow
def test_a_click_and_the_arrow_keys_move_the_sliders_and_draw_once(shown, monkeypatch):
    before, drawn = pixels(shown), []
    look = shown._look
    monkeypatch.setattr(shown, "_look", lambda: (drawn.append(shown._pixel), look()))
    height, width = before.shape[:2]
    first, last = shown._region.window
    panel = (width - 12) // 2
    assert panel == pytest.approx((last - first) * height / 256, abs=2)
    for left in (0, panel + 12):  # either panel
        shown._screen._point((left + 0.25 * panel) / width, 0.75)
        assert shown._pixel == (pytest.approx(last - 28, abs=1), 64)
    row, column = shown._pixel
    shown._screen._step(2, 10)
    assert drawn[-1] == (row - 2, column + 10)
    assert len(drawn) == 3
    assert not np.array_equal(pixels(shown), before)
    assert f"the pixel ({row - 2}, {column + 10})" in shown.alt
    shown._screen._step(1000, -1000)  # as far as there is something
    assert shown._pixel == (first, 0)


@pytest.mark.slow
def test_a_network_without_dilation_sees_less(shown):
    controls(shown)["trained network"].value = "no_dilation"
    words = said(shown)
    assert words.startswith("trained without dilation at this pixel")
    assert "could see 105 × 105; its pyramid also takes the mean of the whole tile" in words
    controls(shown)["trained network"].value = "fds_cnn"


@pytest.mark.slow
def test_a_crop_without_labels_will_do():
    with pytest.warns(DataWarning):
        small = viewer.saliency(make_case(("t2",), labels=False))
    assert "mean over t2" in said(small)


@given(
    arrays.arrays(float, (7, 9), elements=st.floats(0, 9)),
    st.tuples(st.integers(0, 6), st.integers(0, 8)),
    st.floats(0.05, 0.95),
)
def test_the_square_is_the_smallest_that_holds_the_share(looked_at, pixel, share):
    looked_at[pixel] += 1
    side = side_of_share(looked_at, pixel, share)

    def held(reach):
        rows, columns = (slice(max(at - reach, 0), at + reach + 1) for at in pixel)
        return looked_at[rows, columns].sum() if reach >= 0 else 0

    wanted = share * looked_at.sum()
    assert held(side // 2) >= wanted * (1 - 1e-9)
    assert held(side // 2 - 1) < wanted * (1 + 1e-9)
