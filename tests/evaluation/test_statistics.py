"""Statistics over patients, against slow and obvious ones."""

import itertools
import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ivdlib.errors import DataError
from ivdlib.evaluation import statistics


def rows(**scores):
    """Rows by subject, each a list of (case, contrast, seed, dice)."""
    names = ("case", "contrast", "seed", "dice")
    return pd.DataFrame(
        [
            {"subject": s} | dict(zip(names, row, strict=True))
            for s, of in scores.items()
            for row in of
        ]
    )


def test_seeds_images_and_scans_are_averaged_within_a_patient():
    found = statistics.by_patient(
        rows(
            b=[("03", "fat", 0, 0.5)],
            # Two images of a scan weigh as one of the other; the second seed as much as the first.
            a=[("01", "fat", 0, 0.1), ("01", "wat", 0, 0.4), ("02", "fat", 0, 0.9)]
            + [("01", "fat", 1, 0.2)],
        )
    )
    assert list(found.index) == ["a", "b"]
    assert found["a"] == pytest.approx((((0.1 + 0.4) / 2 + 0.9) / 2 + 0.2) / 2)
    assert found["b"] == 0.5


def test_missing_scores_are_not_averaged_over():
    with pytest.raises(DataError, match="Dice is missing for 01"):
        statistics.by_patient(rows(a=[("01", "fat", 0, math.nan), ("02", "fat", 0, 0.5)]))
    with pytest.raises(DataError, match="no scored row"):
        statistics.by_patient(rows(a=[("01", "fat", 0, 0.5)]).iloc[:0])


def test_interval_is_that_of_the_textbook():
    values = np.array([1.0, 2.0, 4.0, 9.0])
    half = 3.182446305 * values.std(ddof=1) / 2  # t for three degrees of freedom
    assert statistics.interval(values) == pytest.approx((4 - half, 4 + half))
    assert all(map(math.isnan, statistics.interval([0.5])))
    assert statistics.interval([0.25, 0.25]) == (0.25, 0.25)


def slow_sign_flip(values):
    sums = [
        abs(sum(s * v for s, v in zip(signs, values, strict=True)))
        for signs in itertools.product((1, -1), repeat=len(values))
    ]
    return sum(s >= abs(sum(values)) - 1e-9 for s in sums) / len(sums)


@given(st.lists(st.integers(-20, 20), min_size=2, max_size=7))
def test_sign_flips_are_exact(values):
    assert statistics.sign_flip(np.array(values) / 100) == pytest.approx(slow_sign_flip(values))


@pytest.mark.parametrize("n", [2, 6, 8, 12])
def test_the_least_p_is_two_in_all_flips(n):
    assert statistics.sign_flip(np.linspace(0.01, 0.03, n)) == pytest.approx(2 / 2**n)


def test_many_patients_are_sampled():
    values = np.random.default_rng(1).normal(0.3, 1.0, 40)
    normal = math.erfc(abs(values.sum()) / np.linalg.norm(values) / math.sqrt(2))
    assert 0.01 < normal < 0.9
    assert statistics.sign_flip(values) == pytest.approx(normal, abs=0.02)
    assert math.isnan(statistics.sign_flip([0.1]))


def test_comparison():
    first = pd.Series({"a": 0.9, "b": 0.8, "c": 0.85})
    second = pd.Series({"c": 0.80, "b": 0.7, "a": 0.88})  # another order
    found = statistics.compare(first, second)
    assert found.differences.to_dict() == pytest.approx({"a": 0.02, "b": 0.1, "c": 0.05})
    assert found.mean == pytest.approx(0.17 / 3)
    assert found.low < 0 < found.mean < found.high
    assert found.p == pytest.approx(0.25)
    turned = statistics.compare(second, first)
    assert (turned.low, turned.high) == pytest.approx((-found.high, -found.low))
    assert statistics.compare(first, first - 0.5).low == pytest.approx(0.5)
    with pytest.raises(DataError, match="patients c stand on one side"):
        statistics.compare(first, second.drop("c"))
    alone = statistics.compare(first[:1], second[2:])
    assert alone.mean == pytest.approx(0.02) and math.isnan(alone.low) and math.isnan(alone.p)


def test_numbers_for_readers():
    assert statistics.shown_interval(-0.5, 0.25, 2) == "[-0.50, +0.25]"
    assert statistics.shown_interval(0.5, 0.25, 2, sign="") == "[0.50, 0.25]"
    assert statistics.shown_interval(math.nan, math.nan) == statistics.shown_p(math.nan) == "–"
    assert statistics.shown_p(0.0004) == "<0.001" and statistics.shown_p(1.0) == "1.000"


def test_the_wider_of_two_intervals_decides():
    first = pd.Series({"a": 0.90, "b": 0.80, "c": 0.85, "d": 0.7})
    second = first - [0.02, 0.03, 0.02, 0.03]
    trainings = pd.Series([0.0, 0.05])
    alone = statistics.compare(first, second)
    both = statistics.compare(first, second, trainings)
    low, high = statistics.interval(trainings)
    assert both.mean == alone.mean
    assert both.high - both.low == pytest.approx(high - low)
    assert high - low > alone.high - alone.low
    narrow = statistics.compare(first, second, pd.Series([0.025, 0.0251]))
    assert (narrow.low, narrow.high) == pytest.approx((alone.low, alone.high))
    one = statistics.compare(first, second, pd.Series([0.025]))
    assert (one.low, one.high) == pytest.approx((alone.low, alone.high))


def test_alike_means_that_the_narrower_interval_lies_within():
    first = pd.Series(np.linspace(0.7, 0.9, 8))
    found = statistics.compare(first, first + np.array([-1, 1, -1, 1, -1, 1, -1, 1]) * 0.005)
    low, high = statistics.interval(found.differences, 0.9)
    assert found.within(high + 1e-9) and not found.within(high - 1e-4)
    assert not statistics.compare(first[:1], first[:1]).within(1.0)  # one patient says nothing
    spread = statistics.compare(first, first, pd.Series([-0.1, 0.1]))
    assert not spread.within(0.01)  # the trainings disagree
