"""Lesson 01b's checks of numbers: right passes, plausible wrong answers are told their mistake."""

from pathlib import Path

import jupytext
import numpy as np
import pytest

from ivdlib.course import exercises
from ivdlib.course.exercises import WrongAnswer

SOURCE = Path(__file__).resolve().parents[2] / "notebooks" / "src" / "01b_learning.py"
GIVEN = {
    "np": np,
    "exercises": exercises,
    "mine": np.array([1.0, 0.9, 0.7]),
    "my_weights": np.array([-0.5, 1.2, 1.1]),
    "high": 1.25,
}
CHANCE = 1 / (1 + np.exp(-1.35))


@pytest.fixture(scope="module")
def checks():
    cells = jupytext.read(SOURCE).cells
    return [cell.source for cell in cells if "test" in cell.metadata.get("tags", [])]


def told(check, **answer):
    """The sentence of a check for an answer; nothing if it is right."""
    try:
        exec(check, {**GIVEN, **answer})
    except WrongAnswer as wrong:
        return str(wrong)
    return ""


@pytest.mark.parametrize(
    ("answer", "sentence"),
    [
        (CHANCE * 0.7, ""),
        ((CHANCE - 1) * 0.7, "for a voxel that is disc"),
        (-CHANCE * 0.7, "the sign is wrong"),
        (CHANCE, "multiply it by the feature"),
        (CHANCE * 0.9, "the weight of water"),
        (CHANCE * 1.1, "you multiplied by the weight"),
        (1.35 * 0.7, "the sigmoid is missing"),
        (CHANCE * (1 - CHANCE) * 0.7, "the first link of the chain is missing"),
        ((1 - CHANCE) * 0.7, "the sign in exp"),
        (None, "not answered yet"),
        ("a half", "expected a number, got text"),
    ],
)
def test_a_slope_by_hand(checks, answer, sentence):
    found = told(checks[0], slope=answer)
    assert sentence in found if sentence else not found


@pytest.mark.parametrize(
    ("answer", "sentence"),
    [
        (16, ""),
        (15, "one layer short"),
        (11, "each layer add three pixels"),
        (31, "each layer add one pixel"),
        (32, "the height in pixels"),
        (20, "you took the 40 for pixels"),
        (None, "not answered yet"),
        ([16], "expected a number, got an array"),
    ],
)
def test_layers_for_a_field(checks, answer, sentence):
    found = told(checks[2], layers=answer)
    assert sentence in found if sentence else not found


@pytest.mark.parametrize(
    ("high", "layers", "sentence"),
    [
        (1.25, 40 / (2 * 1.24999998), ""),  # nearly 16, with the spacing as the file holds it
        (0.8, 25, ""),
        (0.8, 50, "the height in pixels"),
        (0.8, 49, "each layer add one pixel"),
        (0.8, 17, "each layer add three pixels"),
        (0.8, 24, "one layer short"),
    ],
)
def test_layers_for_other_pixels(checks, high, layers, sentence):
    found = told(checks[2], high=high, layers=layers)
    assert sentence in found if sentence else not found
