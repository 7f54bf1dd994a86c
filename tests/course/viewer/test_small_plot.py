"""The quick plot: its curves lie where they should, and it says what it shows."""

import math
import xml.etree.ElementTree as ET

from hypothesis import given
from hypothesis import strategies as st

from ivdlib.course.viewer.small_plot import HIGH, WIDE, small_plot

number = st.floats(allow_nan=True, allow_infinity=True)


def lines(text):
    """Points of each curve."""
    tree = ET.fromstring(text)
    return [
        [tuple(map(float, point.split(","))) for point in (line.get("points") or "").split()]
        for line in tree.iter("polyline")
    ]


def test_a_curve_runs_from_corner_to_corner():
    (points,) = lines(small_plot({"loss": {0: 2.0, 10: 0.0}}, "loss", 10, 2.0))
    (x, y), (right, down) = points
    assert x < right and y < down and right - x > 200 and down - y > 100


def test_two_curves_differ_in_dashes_and_bear_their_names():
    text = small_plot({"trains": {0: 0.0}, "held <out>": {0: 0.5, 3: 0.7}}, "Dice", 4, 1)
    tree = ET.fromstring(text)
    dashes = [line.get("stroke-dasharray") for line in tree.iter("polyline")]
    assert len(set(dashes)) == 2
    words = [word.text for word in tree.iter("text")]
    assert "trains" in words and "held <out>" in words
    told = "Dice over the steps. trains: 0.00 to 0.00; held <out>: 0.50 to 0.70"
    assert tree.get("aria-label") == told


@given(st.dictionaries(st.integers(0, 100), number, max_size=20), number, number)
def test_whatever_comes_stays_within_the_picture(curve, right, top):
    right, top = (abs(v) if math.isfinite(v) else 1.0 for v in (right, top))
    text = small_plot({"loss": curve}, "loss", max(right, 100), min(top, 1e300))
    for points in lines(text):
        assert all(0 <= x <= WIDE and 0 <= y <= HIGH for x, y in points)
