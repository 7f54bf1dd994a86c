"""The mixer shows what fusion makes."""

import numpy as np
from widgets import controls, make_case, pixels, said

from ivdlib.course import viewer
from ivdlib.data.contrasts import FUSED
from ivdlib.preprocessing import fusion


def test_mixer_shows_what_fusion_makes():
    case = make_case()
    shown = viewer.fusion_mixer(case)
    control = controls(shown)
    control["brightness"].value = 1

    def check(pair):
        plane = fusion.fuse(case, [pair])[pair][control["sagittal slice"].value]
        wanted = np.round(255 * plane[::-1, ::-1].T)  # anterior left, superior up
        picture = pixels(shown)
        assert picture.shape == (400, 812, 3)  # two panels and the gap between them
        assert np.array_equal(picture[10::20, 12:400:25, 0], wanted)

    check("wat+opp")
    control["water"].value = -0.35
    control["fat"].value = 1.5
    check("-0.35*wat+1.5*fat+1*opp")
    assert "−0.35 × water + 1.5 × fat + 1 × opposed phase" in said(shown)
    control["fat"].value = -0.5
    assert "−0.35 × water − 0.5 × fat + 1 × opposed phase" in said(shown)
    control["sagittal slice"].value = 0
    check("-0.35*wat+-0.5*fat+1*opp")
    assert "slice 0 of case 07" in shown.alt


def test_mixer_shows_one_contrast_beside():
    case = make_case()
    shown = viewer.fusion_mixer(case)
    control = controls(shown)
    assert control["beside it"].value == "fat" and "Beside it: fat alone" in shown.alt
    before = pixels(shown)
    control["beside it"].value = "wat"
    after = pixels(shown)
    assert np.array_equal(before[:, :400], after[:, :400])
    assert not np.array_equal(before[:, 412:], after[:, 412:])
    control["brightness"].value = 4
    assert pixels(shown)[:, :400].mean() > after[:, :400].mean()
    assert np.array_equal(pixels(shown)[:, 412:], after[:, 412:])


def test_mixer_has_buttons_for_the_fused_contrasts_of_the_paper():
    shown = viewer.fusion_mixer(make_case())
    control = controls(shown)
    assert set(FUSED) < set(control)
    control["inn+opp"].click()
    weights = [control[n].value for n in ("water", "fat", "in phase", "opposed phase")]
    assert weights == [0, 0, 1, 1]
    assert "= 1 × in phase + 1 × opposed phase," in said(shown)


def test_mixer_takes_what_there_is():
    control = controls(viewer.fusion_mixer(make_case(("t2", "fat", "opp"))))
    assert list(control) == [
        "t2",
        "fat",
        "opposed phase",
        "sagittal slice",
        "brightness",
        "beside it",
        "fat+opp",
    ]
    assert [control[n].value for n in ("t2", "fat", "opposed phase")] == [0, 1, 1]
    lonely = controls(viewer.fusion_mixer(make_case(("t2",))))
    assert lonely["t2"].value == 1 and not set(FUSED) & set(lonely)


def test_mixer_says_why_there_is_no_picture():
    shown = viewer.fusion_mixer(make_case())
    for name in ("water", "opposed phase"):
        controls(shown)[name].value = 0
    assert "constant" in said(shown) and pixels(shown)[:, :400].max() == 0
    shown.figure()
    controls(shown)["fat"].value = 0.5
    assert "constant" not in said(shown) and pixels(shown)[:, :400].max() == 255
