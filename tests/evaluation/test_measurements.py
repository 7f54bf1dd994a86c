"""Measures of discs, on shapes whose size is known."""

import numpy as np
import pytest
from spines import spine

from ivdlib.errors import DataError
from ivdlib.evaluation.measurements import lordosis_deg, measure

SPACING = (2.0, 1.25, 1.25)
FINE = (4.0, 0.5, 0.5)


def wedge(tilt, front, back, depth, spacing=FINE, width=28.0):
    """A disc with plane faces, `front` and `back` high at its ends, tilted."""
    shape = [round(2 * side / edge) for side, edge in zip((30, 40, 40), spacing, strict=True)]
    x, y, z = ((np.arange(n) - n / 2 + 0.5) * s for n, s in zip(shape, spacing, strict=True))
    y, z = np.meshgrid(y, z, indexing="ij")
    r = np.radians(tilt)
    u, w = y * np.cos(r) - z * np.sin(r), y * np.sin(r) + z * np.cos(r)
    height = back + (u / depth + 0.5) * (front - back)
    section = (np.abs(u) <= depth / 2) & (np.abs(w) <= height / 2)
    return ((np.abs(x) <= width / 2)[:, None, None] & section).astype(np.uint8)


@pytest.mark.parametrize("tilt", [-12, 0, 17, 31, 45])
@pytest.mark.parametrize(("front", "back"), [(10, 10), (13, 7), (6, 8)])
def test_a_disc_is_measured_in_its_own_frame(tilt, front, back):
    (row,) = measure(wedge(tilt, front, back, 34.0), FINE)
    at = {"height_front_mm": 0.9, "height_middle_mm": 0.5, "height_back_mm": 0.1}
    for key, share in at.items():
        assert row[key] == pytest.approx(back + share * (front - back), abs=0.4)
    assert row["depth_mm"] == pytest.approx(34, abs=0.8)
    opened = 2 * np.degrees(np.arctan((front - back) / 2 / 34))
    assert row["wedge_deg"] == pytest.approx(opened, abs=1)
    assert row["tilt_deg"] == pytest.approx(tilt, abs=1)
    assert row["lower_face_deg"] == pytest.approx(-tilt - opened / 2, abs=1)
    assert row["upper_face_deg"] == pytest.approx(-tilt + opened / 2, abs=1)
    assert row["farfan"] == pytest.approx((front + back) / 2 / 34, abs=0.015)
    assert row["volume_ml"] == pytest.approx(28 * 34 * (front + back) / 2 / 1000, rel=0.04)
    assert row["width_mm"] == 28 and not row["cut"]


def test_a_voxel_size_of_the_challenge_is_fine_enough():
    (row,) = measure(wedge(20, 12, 8, 34.0, SPACING), SPACING)
    for key, true in (("height_front_mm", 11.6), ("height_middle_mm", 10), ("height_back_mm", 8.4)):
        assert row[key] == pytest.approx(true, abs=0.7)


def test_discs_are_numbered_as_they_are_labelled():
    labels = spine(count=3)
    rows = measure(labels, SPACING)
    assert [row["disc"] for row in rows] == [1, 2, 3]
    labels[labels == 2] = 0
    assert [row["disc"] for row in measure(labels, SPACING)] == [1, 3]


def test_lordosis_lies_between_the_plates_of_l1_and_s1():
    rows = [{"lower_face_deg": -35.0}, {"lower_face_deg": 2.0}, {"lower_face_deg": 8.0}]
    assert lordosis_deg(rows, ["L5/S1", "L4/5", "T12/L1"]) == 43
    assert np.isnan(lordosis_deg(rows, ["L4/5", "L3/4", "L2/3"]))


def test_a_disc_at_the_border_is_cut():
    disc = wedge(0, 10, 10, 34.0)
    assert measure(disc[:, :, 75:], FINE)[0]["cut"]


def test_signal_is_the_mean_and_fat_its_share():
    labels = wedge(0, 10, 10, 34.0)
    inside = labels > 0
    water, fat = np.where(inside, 90.0, 500.0), np.where(inside, 10.0, 3.0)
    images = {"wat": water, "fat": fat, "inn": water + fat}
    (row,) = measure(labels, FINE, images)
    assert row["signal_wat"] == 90 and row["signal_inn"] == 100
    assert row["signal_fat"] == 10 and row["fat_share"] == pytest.approx(0.1)
    (row,) = measure(labels, FINE, images | {"inn": 2 * images["inn"]})
    assert "fat_share" not in row  # the images are scaled apart
    assert "fat_share" not in measure(labels, FINE, {"t2": water})[0]


def test_what_is_too_small_has_no_lengths():
    labels = np.zeros((5, 6, 7), np.uint8)
    labels[2, 3, 3] = 1
    (row,) = measure(labels, SPACING)
    assert np.isnan(row["height_middle_mm"]) and row["volume_ml"] > 0


def test_nothing_and_nonsense():
    assert measure(np.zeros((3, 4, 5), np.uint8), SPACING) == []
    for bad in (np.ones((4, 4), np.uint8), np.full((3, 4, 5), 0.5)):
        with pytest.raises(DataError, match="whole numbers over"):
            measure(bad, SPACING)
    with pytest.raises(DataError):
        measure(np.zeros((3, 4, 5), np.uint8), (1.0, 0.0, 1.0))
