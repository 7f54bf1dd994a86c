"""Experiments against the first: order, counting, and what one person cannot tell."""

import numpy as np
import pandas as pd
import pytest

from ivdlib.evaluation import statistics
from ivdlib.report.differences import TOLD, Difference, drawn_differences, told_differences


def difference(network="FDS-CNN", shift=0.1, people=3, name="two"):
    zero = pd.Series(np.zeros(people), index=[f"p{k}" for k in range(people)])
    found = statistics.compare(zero + shift + 0.01 * np.arange(people), zero)
    return Difference(name, "one", network, "contrasts", found)


def test_ours_is_told_first_and_the_others_are_counted():
    many = [difference("U-Net", name=f"n{k}") for k in range(TOLD + 2)]
    told = told_differences([*many, difference()])
    assert told[0].startswith("FDS-CNN, trained on contrasts, finds the discs better in two")
    assert len(told) == TOLD + 1 and told[-1] == "The table has 3 more."
    assert told_differences([]) == []


def test_one_person_gives_a_number_and_neither_interval_nor_nan():
    alone = difference(people=1)
    (told,) = told_differences([alone])
    assert told.endswith("Dice differs by +0.100.")
    assert alone.cells() == ("two − one", "FDS-CNN", "contrasts", "+0.1000 –", "–", "1")
    assert drawn_differences([alone])["src"].startswith("data:image/png")


@pytest.mark.parametrize("shift", [-0.5, 0.5])
def test_the_picture_says_which_side_is_worse(shift):
    assert (
        "Left of zero an experiment is worse than one."
        in drawn_differences([difference(shift=shift), difference("U-Net")])["alt"]
    )
    assert drawn_differences([]) is None
