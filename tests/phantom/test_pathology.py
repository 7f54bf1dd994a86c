"""Findings of the phantom's people: how common, how large, where."""

import numpy as np
import pytest

from ivdlib.phantom import RATES, Conditions
from ivdlib.phantom.pathology import HEIGHT_LEFT, draw_findings, expected_height
from ivdlib.phantom.subject import ALL_LEVELS, draw_person

PEOPLE = 1500


@pytest.fixture(scope="module")
def people():
    return [
        draw_findings(np.random.default_rng(k), ALL_LEVELS, Conditions()) for k in range(PEOPLE)
    ]


def share(people, has):
    return np.mean([bool(has(person)) for person in people])


def test_findings_are_as_common_as_published(people):
    assert share(people, lambda p: p.nodes) == pytest.approx(RATES["schmorl"], abs=0.03)
    assert share(people, lambda p: p.haemangiomas) == pytest.approx(RATES["haemangioma"], abs=0.04)
    assert share(people, lambda p: abs(p.cobb_deg) > 6) == pytest.approx(
        RATES["scoliosis"], abs=0.03
    )
    grades = np.array([person.grade for person in people])
    worn = (grades >= 3).mean(axis=0)
    by_level = dict(zip(ALL_LEVELS, worn, strict=True))
    assert by_level["L4/5"] == pytest.approx(2 * RATES["degeneration"], abs=0.05)
    assert by_level["L2/3"] > 1.2 * by_level["T11/12"]
    assert by_level["S1/2"] == 0
    assert set(np.unique(grades)) == {1, 2, 3, 4, 5}
    fatty = [spot.fatty for person in people for spot in person.haemangiomas]
    assert np.mean(fatty) == pytest.approx(0.79, abs=0.05)
    nodes = [node.level for person in people for node in person.nodes]
    assert np.mean(np.isin(nodes, ["L1/2", "L2/3"])) == pytest.approx(0.54, abs=0.06)


def test_sizes_are_within_the_published_ranges(people):
    bulge = np.array([person.bulge_mm for person in people])
    push = np.array([person.protrusion_mm for person in people])
    grades = np.array([person.grade for person in people])
    assert ((bulge == 0) | ((bulge >= 1) & (bulge <= 3))).all()
    assert ((push == 0) | ((push >= 3) & (push <= 6))).all()
    assert not bulge[grades < 3].any() and not push[grades < 3].any()
    for person in people:
        assert all(2 <= node.depth_mm <= 6 and 3 <= node.width_mm <= 10 for node in person.nodes)
        assert all(5 <= spot.diameter_mm <= 15 for spot in person.haemangiomas)
        assert abs(person.cobb_deg) <= 15


def test_a_rate_of_nought_and_of_one():
    none, all_ = ({name: rate for name in RATES} for rate in (0.0, 1.0))
    for seed in range(20):
        healthy = draw_findings(np.random.default_rng(seed), ALL_LEVELS, Conditions(rates=none))
        assert not healthy.rows(ALL_LEVELS) and max(healthy.grade) <= 2
        sick = draw_findings(np.random.default_rng(seed), ALL_LEVELS, Conditions(rates=all_))
        assert sick.nodes and sick.haemangiomas and abs(sick.cobb_deg) > 6
        assert min(sick.grade[ALL_LEVELS.index("L5/S1")], sick.grade[ALL_LEVELS.index("L4/5")]) >= 3
        kinds = {row["kind"] for row in sick.rows(ALL_LEVELS)}
        assert {"schmorl", "haemangioma"} <= kinds


def test_another_rate_leaves_the_rest_of_a_person_alone():
    usual = draw_person(3, 1, 0)
    other = draw_person(3, 1, 0, Conditions(rates={"haemangioma": 1.0, "schmorl": 1.0}))
    assert other.findings.grade == usual.findings.grade
    np.testing.assert_array_equal(other.volume_ml, usual.volume_ml)
    np.testing.assert_array_equal(other.centre, usual.centre)


def test_wear_costs_height_and_keeps_the_mean_of_the_population():
    heights, grades = [], []
    for subject in range(1, 400):
        person = draw_person(subject, 1, 0)
        heights.append(person.height[3:10])
        grades.append(person.findings.grade[3:10])
    heights, grades = np.array(heights), np.array(grades)
    healthy = np.array([heights[grades[:, k] <= 2, k].mean() for k in range(7)])
    worn = np.array([heights[grades[:, k] == 3, k].mean() for k in range(7)])
    np.testing.assert_allclose(worn / healthy, HEIGHT_LEFT[3], atol=0.06)
    flat = np.array([draw_person(s, 1, 0, Conditions(rates={"degeneration": 0})).height[3:10]
                     for s in range(1, 400)])  # fmt: skip
    np.testing.assert_allclose(heights.mean(axis=0), flat.mean(axis=0), rtol=0.03)
    assert expected_height("L4/5", 0.0) == 1
    assert expected_height("L4/5", 0.5) == pytest.approx(1 - (0.8 * 0.2 + 0.17 * 0.4 + 0.03 * 0.6))


def test_the_second_stage_has_the_same_findings():
    assert draw_person(5, 1, 0).findings == draw_person(5, 2, 0).findings
    assert draw_person(5, 1, 0).tissues == draw_person(5, 2, 0).tissues
    assert draw_person(6, 1, 0).findings != draw_person(5, 1, 0).findings
