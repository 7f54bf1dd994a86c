"""Discs of a scan by name and measured, with the spread between votes."""

import numpy as np
import pytest
from scipy import ndimage
from spines import SPACING, spine

from ivdlib.evaluation.disc_names import DISC_NAMES
from ivdlib.evaluation.disc_table import REMNANT, SPREAD, find_discs


@pytest.fixture(scope="module")
def labels():
    return spine(count=6)


def test_rows_have_names_and_measurements(labels):
    discs = find_discs(labels > 0, SPACING, {"wat": np.where(labels, 100.0, 20.0)})
    assert [row["level"] for row in discs.rows] == list(DISC_NAMES[1:7])
    assert [row["from_sacrum"] for row in discs.rows] == [1, 2, 3, 4, 5, 6]
    for row in discs.rows:
        assert row["volume_ml"] > 3 and row["signal_wat"] == 100 and not row["uncertain"]
        assert not any(key.startswith("spread_") for key in row)
    np.testing.assert_array_equal(discs.numbered, labels)
    assert 20 < discs.lordosis_deg < 60


def test_the_remnant_has_a_number_of_its_own():
    labels = spine("S1/2", 5)
    discs = find_discs(labels > 0, SPACING)
    assert discs.rows[0]["from_sacrum"] == 0
    assert set(np.unique(discs.numbered)) == {0, 1, 2, 3, 4, REMNANT}


def test_the_spread_is_that_of_the_votes(labels):
    mask = labels > 0
    thicker = ndimage.binary_dilation(mask, np.ones((1, 1, 3)))
    plain = find_discs(mask, SPACING, votes={"wat": mask, "fat": mask}).rows
    wide = find_discs(mask, SPACING, votes={"wat": mask, "fat": thicker}).rows
    for one, other in zip(plain, wide, strict=True):
        assert all(one[f"spread_{key}"] == pytest.approx(0, abs=1e-9) for key in SPREAD)
        assert other["spread_height_middle_mm"] == pytest.approx(1.25, abs=0.25)  # half of 2.5 mm
        assert other["spread_volume_ml"] > 0.5


def test_what_a_vote_finds_elsewhere_is_no_disc(labels):
    mask = labels > 0
    stray = mask.copy()
    stray[:, 95:110, 100:150] = True
    rows = find_discs(mask, SPACING, votes={"wat": mask, "fat": stray}).rows
    assert all(row["spread_volume_ml"] == pytest.approx(0, abs=1e-9) for row in rows)


def test_one_vote_has_no_spread(labels):
    rows = find_discs(labels > 0, SPACING, votes={"wat": labels > 0}).rows
    assert not any(key.startswith("spread_") for key in rows[0])


def test_no_disc():
    discs = find_discs(np.zeros((4, 5, 6), bool), SPACING)
    assert discs.rows == [] and np.isnan(discs.lordosis_deg) and not discs.numbered.any()
