"""The part of a value out of JSON that does not fit is named."""

import math

import pytest

from ivdlib.data.json_shape import misfit

SHAPE = {"name!": str, "size": [float], "more": {...: int}, "stage": (None, int)}


def test_what_fits_has_no_misfit():
    assert misfit({"name": "a", "size": [1, 2.5], "more": {"x": 1}, "stage": None}, SHAPE) == ""
    assert misfit({"name": "a", "unknown": object()}, SHAPE) == ""


@pytest.mark.parametrize(
    ("value", "part"),
    [
        ([], "it"),
        ({}, "name"),
        ({"name": 3}, "name"),
        ({"name": "a", "size": [1, "2"]}, "size[1]"),
        ({"name": "a", "size": [math.inf]}, "size[0]"),
        ({"name": "a", "size": [True]}, "size[0]"),
        ({"name": "a", "more": {"x": 1.5}}, "more.x"),
        ({"name": "a", "stage": "1"}, "stage"),
    ],
)
def test_what_does_not_fit_is_named(value, part):
    assert misfit(value, SHAPE) == part


def test_a_function_may_say_what_fits():
    assert misfit(4, lambda n: n % 2 == 0) == ""
    assert misfit(5, lambda n: n % 2 == 0, "number") == "number"
