"""Persons of the phantom against the statistics of the real labels."""

import numpy as np
import pytest

from ivdlib.phantom.subject import ALL_LEVELS, LABELLED, draw_person

REAL_ML = np.array([14.0, 17.9, 17.1, 16.0, 12.4, 9.2, 7.2])
REAL_SD = np.array([3.5, 5.0, 3.4, 4.2, 3.4, 2.3, 2.1])
REAL_SPACING = np.array([36.8, 38.8, 38.5, 36.9, 35.0, 32.8])
OURS = slice(3, 10)


def test_the_labelled_levels():
    assert LABELLED == ("L5/S1", "L4/5", "L3/4", "L2/3", "L1/2", "T12/L1", "T11/12")
    assert (ALL_LEVELS[2], ALL_LEVELS[10]) == ("S1/2", "T10/11"), "there, but not labelled"


def test_the_population_has_the_volumes_and_spacings_of_the_real_scans():
    people = [draw_person(subject, 1, 5) for subject in range(1, 201)]
    volumes = np.array([person.volume_ml[OURS] for person in people])
    spacing = np.array([np.diff(person.centre[OURS, 2]) for person in people])
    assert np.all(np.abs(volumes.mean(axis=0) - REAL_ML) < 0.35 * REAL_SD)
    assert np.all(np.abs(volumes.std(axis=0) / REAL_SD - 1) < 0.45)
    np.testing.assert_allclose(spacing.mean(axis=0), REAL_SPACING, atol=1.0)


@pytest.mark.parametrize("subject", range(1, 6))
def test_the_second_stage_is_the_same_person_after_bed_rest(subject):
    before, after = draw_person(subject, 1, 0), draw_person(subject, 2, 0)
    growth = after.height / before.height - 1
    assert growth.min() >= 0.0099
    assert growth.max() <= 0.1001
    longer = np.ptp(after.centre[OURS, 2]) - np.ptp(before.centre[OURS, 2])
    assert 2.9 <= longer <= 6.1
    assert np.ptp(after.tilt[OURS]) < np.ptp(before.tilt[OURS])
    assert after.findings == before.findings
    np.testing.assert_array_equal(after.marrow_fat, before.marrow_fat)


def test_two_subjects_differ():
    assert not np.allclose(draw_person(1, 1, 0).volume_ml, draw_person(2, 1, 0).volume_ml)
    assert not np.allclose(draw_person(1, 1, 0).volume_ml, draw_person(1, 1, 1).volume_ml)
