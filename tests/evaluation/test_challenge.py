"""Scores disc by disc: what belongs to which disc, what is missed, what lies at the border."""

import numpy as np
import pytest
from shapes import SPACING, cube

from ivdlib.errors import DataError
from ivdlib.evaluation import challenge, metrics
from ivdlib.preprocessing.tiles import TileGrid


def spine(count, shape=(12, 20, 120), step=13):
    truth = np.zeros(shape, bool)
    for k in range(count):
        truth |= cube(shape, (2, 5, 4 + step * k), (8, 10, 5))
    return truth


def test_disc_scores_of_a_perfect_prediction():
    truth = spine(7)
    rows = challenge.disc_scores(truth, truth, SPACING)
    assert [row["level"] for row in rows][:2] == ["L5/S1", "L4/5"]
    assert [row["disc"] for row in rows] == list(range(1, 8))
    assert all(row["dice"] == 1 and row["asd_mm"] == row["centre_distance_mm"] == 0 for row in rows)
    assert not any(row["missed"] or row["touches_border"] for row in rows)


def test_each_disc_has_its_own_score():
    truth = spine(4)
    pred = truth.copy()
    pred[:, :, :13] = np.roll(truth[:, :, :13], 2, axis=1)
    pred[:, :, 28:37] = False
    rows = challenge.disc_scores(pred, truth, SPACING)
    assert [row["dice"] for row in rows] == pytest.approx([0.8, 1.0, 0.0, 1.0])
    assert rows[0]["centre_distance_mm"] == pytest.approx(2.5)
    diagonal = metrics.diagonal_mm(truth.shape, SPACING)
    assert rows[2]["missed"]
    assert rows[2]["asd_mm"] == rows[2]["centre_distance_mm"] == pytest.approx(diagonal)
    assert [row["level"] for row in rows] == [""] * 4


def test_a_disc_far_away_counts_against_the_nearest_one():
    truth = spine(3)
    pred = truth | cube(truth.shape, (2, 5, 100), (8, 10, 5))
    rows = challenge.disc_scores(pred, truth, SPACING)
    assert [row["dice"] for row in rows] == pytest.approx([1.0, 1.0, 2 / 3])
    assert rows[2]["centre_distance_mm"] == pytest.approx((100 - 30) * 1.25 / 2)


def test_specks_of_the_truth_are_no_discs():
    truth = spine(2)
    truth[0, 0, 110] = True
    assert len(challenge.disc_scores(spine(2), truth, SPACING)) == 2
    assert metrics.score_volume(spine(2), truth, SPACING)["dice"] < 1


def test_discs_at_the_border_are_marked():
    truth = cube((10, 10, 60), (2, 2, 5), (6, 6, 5)) | cube((10, 10, 60), (2, 4, 30), (6, 6, 5))
    rows = challenge.disc_scores(truth, truth, SPACING)
    assert [row["touches_border"] for row in rows] == [False, True]
    assert metrics.score_volume(truth, truth, SPACING)["touches_border"]
    inside = cube((10, 10, 60), (2, 2, 5), (6, 6, 5))
    assert not metrics.score_volume(truth, inside, SPACING)["touches_border"]


def test_score_gives_both_views():
    truth = spine(3)
    pred = truth.copy()
    pred[:, :, :13] = False
    result = challenge.score(pred, truth, SPACING)
    assert result["volume"]["dice"] == pytest.approx(2 * 2 / 5)
    assert result["volume"]["truth_ml"] == pytest.approx(3 * 400 * 3.125e-3)
    assert result["volume"]["pred_ml"] == pytest.approx(2 * 400 * 3.125e-3)
    assert result["mean_over_discs"]["dice"] == pytest.approx(2 / 3)
    assert len(result["discs"]) == 3


def test_without_discs_there_is_nothing_to_average():
    empty = np.zeros((4, 5, 6), bool)
    result = challenge.score(empty, empty, SPACING)
    assert result["discs"] == [] and result["mean_over_discs"] == {}
    assert result["volume"]["dice"] == 1.0 and not result["volume"]["touches_border"]


def test_discs_need_a_volume():
    flat = np.ones((5, 6), bool)
    with pytest.raises(DataError, match="whole volumes"):
        challenge.disc_scores(flat, flat, (1, 1))


def test_discs_that_a_seam_cuts_are_marked():
    truth = spine(3)  # along the last axis from 4, 17 and 30 on, 5 voxels each
    grid = TileGrid(truth.shape, (20, 32))  # seams where a tile ends: the third lies across one
    rows = challenge.disc_scores(truth, truth, SPACING, grid.holds)
    starts = [c for s, _, c in grid.positions if s == 0]
    held = [any(c <= z and z + 5 <= c + 32 for c in starts) for z in (4, 17, 30)]
    assert [row["seam"] for row in rows] == [not h for h in held]
    whole = challenge.disc_scores(truth, truth, SPACING, TileGrid(truth.shape, (20, 120)).holds)
    assert not any(row["seam"] for row in whole)
    narrow = challenge.disc_scores(truth, truth, SPACING, TileGrid(truth.shape, (8, 120)).holds)
    assert all(row["seam"] for row in narrow)  # too narrow for any disc
    assert "seam" not in challenge.disc_scores(truth, truth, SPACING)[0]


def test_pieces_that_touch_no_disc_are_counted():
    truth, pred = np.zeros((2, 6, 10, 30), bool)
    truth[1:5, 2:8, 4:8] = True
    pred[1:5, 2:8, 5:9] = True  # touches it
    pred[1:3, 2:6, 20:22] = pred[4, 8, 28] = True  # 16 voxels and 1
    found = challenge.score(pred, truth, (2.0, 1.0, 0.5))
    assert found["astray"] == {"pieces": 2, "ml": pytest.approx(0.017)}
    assert challenge.score(truth, truth, (2.0, 1.0, 0.5))["astray"]["pieces"] == 0
