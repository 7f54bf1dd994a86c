"""Scans unlike those of the training are told."""

import json
from types import SimpleNamespace

import numpy as np
import pytest
from passports import CARD, SPACING

from ivdlib.errors import DataError
from ivdlib.training import likeness, weights_passport


def scan(spacing=(2, 1.25, 1.25), shape=(36, 80, 160), discs=None):
    return SimpleNamespace(name="01", spacing=spacing, shape=shape, discs=discs)


def test_what_was_trained_on_is_written_down():
    discs = np.zeros((36, 80, 160), bool)
    discs[6:31, 20:48, 10:40] = True  # 50 mm wide in 72, 35 mm deep, 37.5 of 200 mm high
    other = scan((3, 1, 1.2505), (24, 90, 160), discs[:24, :, :] & False)
    found = likeness.of_scans([scan(discs=discs), other])
    assert found["spacing"] == [[2, 3], [1, 1.25], [1.25, 1.2505]]
    assert found["slices"] == [24, 36] and found["field"] == [[90, 100], [200, 200.08]]
    assert found["disc_mm"] == [0, pytest.approx(50 * 35 * 37.5 / (60 * 200), abs=1e-3)]
    json.dumps(found)
    weights_passport.check_passport(CARD | found, "x")


def unlike(spacing=(2, 1.25, 1.25), shape=(36, 64, 128), card=CARD):
    return likeness.unlike(card, None, scan(spacing, shape))


def test_voxel_size_is_compared():
    for fine in ((2, 1.25, 1.25), (2.09, 1.19, 1.3), (1.91, 1.25, 1.25)):
        assert unlike(fine) == []
    several = CARD | {"neighbours": 1}
    for axis in range(3):
        for factor in (1.06, 0.94, 1.19, 0.81):
            odd = [2, 1.25, 1.25]
            odd[axis] *= factor
            (text,) = unlike(odd, card=several)
            assert (unlike(odd) == []) == (axis == 0)  # how far slices lie apart does not matter
            assert f"{odd[axis]:.4g}" in text and "; resample the scan to 2 x 1.25 x 1.25" in text
        for factor in (1.2, 0.8, 1.2 * (1 + 1e-9), 3):
            odd = [2, 1.25, 1.25]
            odd[axis] *= factor
            with pytest.raises(DataError, match="case 01: .*; resample the scan to 2 x"):
                unlike(odd, card=several)
    mixed = several | {"spacing": [[2, 4], [0.9, 1.25], [0.9, 1.25]]}
    assert unlike((3, 1, 1.1), card=mixed) == []
    (text,) = unlike((4.3, 1, 1.1), card=mixed)
    assert "resample the scan to 4 x 1 x 1.1 mm" in text and "2 to 4 x 0.9 to 1.25" in text
    old = {k: v for k, v in CARD.items() if k != "spacing"}
    assert unlike((9, 9, 9), (3, 3, 3), card=old) == []


def test_a_wider_scan_is_said():
    assert unlike(shape=(90, 83, 167)) == []  # more slices do not matter
    for shape in ((36, 86, 160), (36, 80, 170), (36, 300, 400)):
        (text,) = unlike(shape=shape)
        assert "100 x 200 mm" in text and "; crop" in text
    spine = {"target": "spine", "tile": [50, 80], "factor": 2, "spacing": SPACING}  # of before
    case = scan(shape=(36, 80, 190))
    (text,) = likeness.unlike(CARD, spine, case)
    assert "100 x 160 pixels" in text  # what the spine network saw counts
    assert likeness.unlike(CARD, spine, scan(shape=(36, 100, 160))) == []


def test_a_mask_of_another_size_is_said():
    # 36 slices are 72 mm, of which 60 count: 60 × 200 mm² by 3 to 5 mm are 36 to 60 ml.
    assert likeness.odd_volume(CARD, scan(), 36 * 0.31) == ""
    assert likeness.odd_volume(CARD, scan(), 60 * 2.9) == ""
    for ml in (36 * 0.29, 60 * 3.1):
        text = likeness.odd_volume(CARD, scan(), ml)
        assert f"holds {ml:.1f} ml" in text and "36 to 60 ml" in text and "; look" in text
    old = {k: v for k, v in CARD.items() if k != "disc_mm"}
    assert likeness.odd_volume(old, scan(), 1e6) == ""
