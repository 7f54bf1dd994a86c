"""Experiments against the first of them: differences in words, in a table, in a picture."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import pandas as pd

from ivdlib.evaluation import in_short, statistics
from ivdlib.profiles import TITLES
from ivdlib.report import diagrams, plotting

TOLD = 4
"""Differences that are told in words; all are in the table and in the picture."""


class Difference(NamedTuple):
    """An experiment against the first, by one network that was trained in one way.

    Attributes
    ----------
    name, first : str
        Of the experiments.
    network, arm : str
        As they are shown.
    found : Comparison
        Of the first one's patients, `name` minus `first`.
    """

    name: str
    first: str
    network: str
    arm: str
    found: statistics.Comparison

    def cells(self) -> tuple[str, ...]:
        """Cells of the table: experiments, network, trained on, difference, p, people."""
        found = self.found
        interval = f"{found.mean:+.4f} {statistics.shown_interval(found.low, found.high)}"
        return (f"{self.name} − {self.first}", self.network, self.arm, interval,
                statistics.shown_p(found.p), str(len(found.differences)))  # fmt: skip


def told_differences(differences: Sequence[Difference]) -> list[str]:
    """Say which experiment finds the discs better; FDS-CNN's differences before others."""
    told = []
    for one in _ours_first(differences)[:TOLD]:
        mean = one.found.mean
        how = "better" if mean > 0 else "worse" if mean < 0 else "as well"
        told.append(
            f"{one.network}, trained on {one.arm}, finds the discs {how} in {one.name} "
            f"{'than' if mean else 'as'} in {one.first}: Dice differs by "
            f"{in_short.shown_difference(one.found)}."
        )
    more = len(differences) - len(told)
    return [*told, f"The table has {more} more."] if more else told


def drawn_differences(differences: Sequence[Difference]) -> dict[str, str] | None:
    """Draw the differences and their intervals beside zero.

    Returns
    -------
    dict or None
        `src` and `alt` of the picture; None if there is no difference to draw.
    """
    if not differences:
        return None
    rows = pd.DataFrame(
        {"claim": f"{one.network}, {one.arm}", "series": f"{one.name} − {one.first}",
         "mean": one.found.mean, "low": one.found.low, "high": one.found.high}
        for one in _ours_first(differences)
    )  # fmt: skip
    alt = (
        f"Mean difference in Dice to {differences[0].first}, patient by patient, with its 95 % "
        "interval: a line for each network and kind of training, a colour and marker for each "
        f"experiment. Left of zero an experiment is worse than {differences[0].first}."
    )
    figure = diagrams.forest(rows, "difference in Dice")
    return {"src": plotting.data_uri(figure, alt), "alt": alt}


def _ours_first(differences: Sequence[Difference]) -> list[Difference]:
    """FDS-CNN before the others; what is of one network and kind of training stands together."""
    ours = TITLES["fds_cnn"]
    return sorted(differences, key=lambda one: (one.network != ours, one.network, one.arm))
