"""The scan on the graphics card follows the controls."""

import nibabel as nib
import numpy as np
import pytest
from widgets import AFFINE, controls, make_case, said

from ivdlib.course import viewer


def test_graphics_card_gets_the_scan_itself_and_no_address():
    pytest.importorskip("ipyniivue")
    case = make_case()
    shown = viewer.volume(case, np.roll(case.discs, 4, axis=1))
    assert "pip" not in said(shown)
    scan, labels, prediction = shown.widget.children[1].volumes
    assert [v.url for v in (scan, labels, prediction)] == [None] * 3
    files = [nib.Nifti1Image.from_bytes(v.data) for v in (scan, labels, prediction)]
    for file in files:
        assert np.allclose(file.affine, AFFINE)
    frames = np.asarray(files[0].dataobj)
    for number, original in enumerate(case.contrasts.values()):
        assert np.corrcoef(frames[..., number].ravel(), original.ravel())[0, 1] > 0.99
    masks = [np.asarray(file.dataobj) for file in files[1:]]
    assert np.array_equal(masks[0][..., 1], case.discs)
    assert np.array_equal(masks[1][..., 1], np.roll(case.discs, 4, axis=1))
    assert not masks[0][..., 0].any() and not masks[1][..., 0].any()


def test_graphics_card_follows_the_controls_and_they_follow_a_click():
    pytest.importorskip("ipyniivue")
    case = make_case()
    shown = viewer.volume(case, case.discs)
    screen, control = shown.widget.children[1], controls(shown)
    scan, labels, prediction = screen.volumes
    control["contrast"].value = "inn"
    control["truth (orange)"].value = False
    control["left–right"].value = 1
    assert (scan.frame_4d, labels.frame_4d, prediction.frame_4d) == (2, 0, 1)
    assert np.allclose(screen.scene.crosshair_pos, [1.5 / 5, 8.5 / 16, 10.5 / 20])
    place = list(screen.scene.crosshair_pos)
    screen._handle_custom_msg(
        {
            "event": "location_change",
            "data": {"ax_cor_sag": 0, "frac": [0.5] * 3, "mm": [0.0] * 3, "vox": [4, 2, 7],
                     "values": [], "string": "", "xy": [0, 0]},
        },
        [],
    )  # fmt: skip
    assert [control[axis].value for axis in list(control)[1:4]] == [4, 2, 7]
    assert "(4, 2, 7)" in shown.alt
    assert list(screen.scene.crosshair_pos) == place  # the page knows; an answer would lag behind
