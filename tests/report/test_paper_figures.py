"""Figures of the paper: masks beside the truth, and the way of a slice."""

import numpy as np
import pytest
from upright import SPACING, corner_plane, panels

from ivdlib.report import paper_figures, plotting


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("value", [True, False])
def test_full_and_empty_masks_are_drawn_without_a_warning(value, tmp_path):
    mask = np.full((20, 30), value)
    figure = paper_figures.overlay({"t2": corner_plane()}, {"t2": mask}, ~mask, SPACING)
    assert len(panels(figure)) == 2  # one contrast: a picture, and the pair of masks below it
    plotting.save({"all": figure}, tmp_path)


def test_overlay_shows_the_prediction_left_of_the_truth():
    prediction, truth = np.zeros((20, 30), bool), np.zeros((20, 30), bool)
    prediction[3, 4] = True
    truth[10:] = True
    figure = paper_figures.overlay({"wat": corner_plane()}, {"wat": prediction}, truth, SPACING)
    shown = np.asarray(panels(figure)[1].images[0].get_array())
    assert np.array_equal(shown[:, :20], plotting.upright(prediction))
    assert np.array_equal(shown[:, -20:], plotting.upright(truth))


def test_region_overview_draws_tiles_where_they_were_cut():
    plane = corner_plane((24, 32))
    kept = np.zeros_like(plane, bool)
    kept[:, :16] = True
    figure = paper_figures.region_overview(
        plane, SPACING, (4, 16), (12, 16), [(4, 0), (4, 16)], kept, kept, plane
    )
    boxes = [patch.get_bbox().extents for patch in figure.axes[3].patches]
    shown = np.asarray(figure.axes[3].images[0].get_array())
    assert shown.sum() == 0  # the bright corner lies outside what is kept
    for (x0, y0, x1, y1), start in zip(boxes, (0, 16), strict=True):
        marked = np.zeros_like(plane)
        marked[4:16, start : start + 16] = 1
        inside = np.zeros_like(plotting.upright(marked))
        inside[round(y0 + 0.5) : round(y1 + 0.5), round(x0 + 0.5) : round(x1 + 0.5)] = 1
        assert np.array_equal(inside, plotting.upright(marked))


def test_tile_larger_than_the_slice_is_drawn_around_the_slice():
    figure = paper_figures.region_overview(corner_plane(), SPACING, (0, 20), (112, 128), [(0, 0)])
    (box,) = figure.axes[3].patches
    assert tuple(box.get_bbox().extents) == (-0.5, -0.5, 19.5, 29.5)


def test_region_overview_says_what_is_not_there():
    figure = paper_figures.region_overview(corner_plane(), SPACING, (0, 20), (20, 32), [(0, 0)])
    words = " ".join(
        [axes.get_title() for axes in figure.axes] + [figure.axes[4].texts[0].get_text()]
    )
    assert "not looked for" in words and "lesson 04" in words
