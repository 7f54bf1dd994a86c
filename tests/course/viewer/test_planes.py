"""Three planes through a voxel, upright, in proportion, with outlines."""

import numpy as np
import pytest
from matplotlib.colors import to_rgb
from widgets import SHAPE, controls, make_case, pixels, said

from ivdlib.course import viewer
from ivdlib.errors import ConfigError, DataError
from ivdlib.report.plotting import ORANGE, SKY, VERMILION


def panel_columns(case) -> tuple[int, int, int]:
    """First column of each plane: 400 pixels for the largest edge, 40 mm; gaps of 12 pixels."""
    sagittal, coronal = 400, round(SHAPE[0] * case.spacing[0] * 10)
    return 0, sagittal + 12, sagittal + 12 + coronal + 12


def test_planes_are_upright_and_in_proportion(no_graphics_card):
    case = make_case(("wat",), labels=False)
    case.contrasts["wat"][:] = np.linspace(0, 10, case.contrasts["wat"].size).reshape(SHAPE)
    case.contrasts["wat"][2, 12:, 15:] = 1000  # anterior and superior
    shown = viewer.volume(case)
    picture = pixels(shown)
    assert picture.shape == (400, 400 + 200 + 200 + 2 * 12, 3)
    sagittal, coronal, axial = panel_columns(case)
    assert picture[50, sagittal + 50].min() == 255 and picture[50, sagittal + 350].max() < 20
    assert picture[350, sagittal + 50].max() < 20
    controls(shown)["posterior–anterior"].value = 13
    controls(shown)["inferior–superior"].value = 17
    controls(shown)["left–right"].value = 0  # else the cross lies on the bright voxels
    picture = pixels(shown)
    for column in (coronal, axial):
        assert picture[30, column + 105].min() == 255  # slice 2 of 5 is in the middle
        assert picture[30, column + 60].max() < 20
        assert picture[350, column + 105].max() < 20


def test_planes_go_through_the_voxel_of_the_sliders(no_graphics_card):
    case = make_case(("wat",), labels=False)
    shown = viewer.volume(case)
    before = pixels(shown)
    case_voxel = {"left–right": 1, "posterior–anterior": 3, "inferior–superior": 17}
    for axis, value in case_voxel.items():
        controls(shown)[axis].value = value
    assert "(1, 3, 17)" in shown.alt and "(1, 3, 17)" in said(shown)
    picture = pixels(shown)
    line = np.round(255 * np.array(to_rgb(VERMILION)))
    towards_line = np.abs(picture.astype(int) - line).sum(axis=2)
    assert towards_line[:, round(400 * (1 - 3.5 / 16))].mean() < towards_line.mean() - 100
    assert towards_line[round(400 * (1 - 17.5 / 20)), :400].mean() < towards_line.mean() - 100
    assert (before != picture).any()


def test_first_slice_is_the_one_with_most_disc(no_graphics_card):
    assert controls(viewer.volume(make_case()))["left–right"].value == 3
    assert controls(viewer.volume(make_case(labels=False)))["left–right"].value == 2


def test_overlays_are_outlined_in_their_colours_and_switched(no_graphics_card):
    case = make_case()
    shown = viewer.volume(case, case.discs)
    orange, sky = (np.round(255 * np.array(to_rgb(c))).astype(int) for c in (ORANGE, SKY))

    def count(colour):
        return int((np.abs(pixels(shown).astype(int) - colour).max(axis=2) <= 1).sum())

    assert min(count(orange), count(sky)) > 300  # orange between the dashes
    controls(shown)["truth (orange)"].value = False
    dashes = count(sky)
    assert count(orange) == 0
    assert "orange" not in said(shown) and "found (blue)" in said(shown)
    controls(shown)["found (blue)"].value = False
    assert count(sky) == 0 and "outlines" not in said(shown)
    controls(shown)["truth (orange)"].value = True
    assert 0.4 < dashes / count(orange) < 0.6


def test_only_overlays_that_there_are_have_a_switch(no_graphics_card):
    names = set(controls(viewer.volume(make_case(labels=False))))
    assert names == {"contrast", "left–right", "posterior–anterior", "inferior–superior"}


def test_without_ipyniivue_it_says_how_to_install_it(no_graphics_card):
    assert "pip install 'ivdlib[viewer]'" in said(viewer.volume(make_case()))


@pytest.mark.parametrize(
    ("given", "error", "sentence"),
    [
        ({"contrasts": ["t2"]}, ConfigError, "no contrast 't2'; there are wat, fat, inn, opp"),
        ({"contrasts": []}, DataError, "no contrasts"),
        ({"prediction": np.zeros((5, 16, 21), bool)}, DataError, r"\(5, 16, 21\)"),
        ({"prediction": np.full(SHAPE, 0.5)}, DataError, "other values than 0 and 1"),
    ],
)
def test_volume_refuses(given, error, sentence):
    with pytest.raises(error, match=sentence):
        viewer.volume(make_case(), **given)


@pytest.mark.parametrize("widget", [viewer.volume, viewer.fusion_mixer])
def test_case_without_contrasts_is_refused(widget):
    with pytest.raises(DataError, match="case 07 has no contrasts"):
        widget(make_case(()))
