"""Arguments and results in a few words."""

import numpy as np
import pytest

from ivdlib.course.own.words import FEW, result_in_words, words, written_out


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.123456, "0.1235"), (3, "3"), ("wat", "'wat'"), (np.array([True, False]), "[1, 0]"),
        (np.eye(2), "[[1., 0.], [0., 1.]]"), (np.zeros((5, 6)), "an array of 5 × 6"),
        ({"a": 0.5}, "{'a': 0.5}"), (np.float32(0.5), "0.5"), (None, "None"), (abs, "abs"),
        (["a", "b"], "['a', 'b']"),
    ],
)  # fmt: skip
def test_words(value, text):
    assert words(value) == text


@pytest.mark.parametrize(
    ("found", "right", "text"),
    [
        (1.0, 2.0, ""), ("1", 2.0, "return a number, not a str"),
        (np.zeros(3), 2.0, "the result should be a number, and is an array of shape (3,)"),
        (1.0, np.zeros(3), "the result should be an array of shape (3,), and is a number"),
        (np.zeros(2), np.zeros(2, bool), "the result should hold True and False, not numbers"),
        (np.nan, 2.0, "the result holds NaN or infinity: something is divided by zero"),
        (1.0, {"a": 1}, "return a dict, not a number"),
        ({"b": 1}, {"a": 1}, "the dict lacks 'a' and should not have 'b'"),
        ({"a": 2}, {"a": 1}, ""),
        (1.0, "wat", "return a str, not a number"), (np.nan, np.nan, ""),
    ],
)  # fmt: skip
def test_what_is_wrong_with_the_kind_of_a_result(found, right, text):
    assert result_in_words(found, right) == text


@pytest.mark.parametrize(
    ("value", "whole"),
    [
        (0.5, True), ("wat", True), (np.eye(2), True), (np.zeros((5, 6)), False), (abs, False),
        ({"a": [1, 2]}, True), ({"a": np.zeros(FEW + 1)}, False), (["a"] * FEW, True),
        (["a"] * (FEW + 1), False), ([["a"], np.zeros((5, 6))], False),
    ],
)  # fmt: skip
def test_whether_words_tell_all(value, whole):
    assert written_out(value) is whole
    assert ("an array of" not in words(value) and "…" not in words(value)) or not whole
