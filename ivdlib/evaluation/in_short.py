"""The tables in short, each with a sentence that says what it shows: the last screen of a run."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from ivdlib.evaluation import comparisons, tables
from ivdlib.evaluation.comparisons import WITH, WITHOUT, difference, disc_rows, patient_dice, side
from ivdlib.evaluation.scores import has_fusion, of_single_contrasts, singles
from ivdlib.evaluation.statistics import Comparison
from ivdlib.profiles import COMPARED, TITLES

IN_SHORT = "in_short.txt"
"""Among the tables of an experiment."""

LOST = 0.1
"""A mean Dice below it says that a training found next to nothing on an image."""


def in_short(metrics: pd.DataFrame, label: str) -> str:
    """Tables 1 to 3 for a terminal, as far as there are rows for them.

    Parameters
    ----------
    metrics : DataFrame
        Rows of `metrics.csv`.
    label : str
        Data, profile, seeds; see `Experiment.label`.

    Returns
    -------
    str
        The label; for each table its caption, a line a network (two decimals; the last is the
        FDS-CNN of the paper) and a sentence, which is made from the numbers.
    """
    parts = [f"Mean Dice over scans; {label}."]
    for number, told in what_tables_say(metrics).items():
        frame = tables.dice_table(metrics, number)
        marked = [f"{' ' if k else '→'} {sentence}" for k, sentence in enumerate(told)]
        lines = [tables.caption(number, has_fusion(metrics)), _shown(frame), *marked]
        parts.append("\n".join(lines))
    return "\n\n".join(parts) + "\n"


def what_tables_say(metrics: pd.DataFrame) -> dict[int, list[str]]:
    """Say what Tables 1 to 3 show, in sentences that are made from the numbers.

    Parameters
    ----------
    metrics : DataFrame
        Rows of `metrics.csv`.

    Returns
    -------
    dict of int to list of str
        By the number of the table, as far as there are rows for it. For Table 1 who finds the discs
        best and which image a training missed, for Table 2 what the best fused contrast is worth,
        for Table 3 what fusion brings.

    Raises
    ------
    DataError
        If an image has no score.
    """
    says = {1: _first_and_second, 2: _best_fused, 3: _gain}
    return {
        number: [*says[number](metrics)]
        for number in (tables.CAPTIONS if has_fusion(metrics) else (1,))
        if (tables.dice_table(metrics, number)["source"] == "ours").any()
    }


def _shown(frame: pd.DataFrame) -> str:
    paper = frame["source"] == "paper"
    frame = frame[~paper | (frame["network"] == TITLES["fds_cnn"])].drop(
        columns=["source", "scans"]
    )
    names = frame.pop("network") + np.where(paper[frame.index], ", in the paper", "")
    frame.index = pd.Index(names.str.ljust(names.str.len().max()))
    return frame.rename_axis(None).to_string(float_format="{:.2f}".format, na_rep="–")


def _first_and_second(metrics: pd.DataFrame) -> Iterator[str]:
    """Who finds the discs best, and on which image they are hardest to find."""
    people = {name: patient_dice(metrics, name) for name in COMPARED}
    people = {name: dice for name, dice in people.items() if dice is not None}
    if not people:  # rows that need no network, so far
        return
    first, *others = sorted(people, key=lambda name: -people[name].mean())
    told = f"{COMPARED[first]} " + ("finds the discs best" if others else "alone was scored")
    if others and (lead := difference(side(metrics, first), side(metrics, others[0]))):
        told += f", ahead of {COMPARED[others[0]]} by {shown_difference(lead)}"
    images = {name: patient_dice(metrics, first, None, [name]) for name in singles(metrics)}
    images = {name: dice.mean() for name, dice in images.items() if dice is not None}
    worst = min(images, key=images.get)
    yield told + (f"; {worst} is its hardest image." if len(images) > 1 else ".")
    for name in people:
        yield from _lost(metrics, name)


def _lost(metrics: pd.DataFrame, network: str) -> Iterator[str]:
    """Which images some training of a network missed while it found the discs on others."""
    rows = of_single_contrasts(disc_rows(metrics))
    arm = WITH if has_fusion(rows) else WITHOUT
    rows = rows[(rows["network"] == network) & (rows["trained_on"] == arm)]
    each = rows.groupby(["fold", "seed", "contrast"])["dice"].mean().unstack("contrast")
    lost = (each < LOST)[[name for name in singles(metrics) if name in each]]
    lost = lost[~lost.all(axis=1)].sum()
    for image, count in lost[lost > 0].items():
        yield (
            f"{COMPARED[network]} finds next to nothing on {image} in {count} of {len(each)} "
            "trainings, which lowers its mean (lesson 05: when a network misses one image)."
        )


def _best_fused(metrics: pd.DataFrame) -> Iterator[str]:
    """Whether a fused contrast is worth more than the best single one."""
    if found := comparisons.best_fused(metrics):
        fused, single = found.label.split(" − ")
        yield (
            f"FDS-CNN's best fused contrast, {fused}, differs from its best single one, "
            f"{single}, by {shown_difference(found)}."
        )


def _gain(metrics: pd.DataFrame) -> Iterator[str]:
    """What training with fused contrasts brings each network on the single ones."""
    gains = {
        title: difference(*(side(metrics, name, arm) for arm in (WITH, WITHOUT)))
        for name, title in COMPARED.items()
    }
    told = [f"{title} by {shown_difference(gain)}" for title, gain in gains.items() if gain]
    if told:
        yield f"Training with fusion changes the Dice on the same images: {', '.join(told)}."


def shown_difference(found: Comparison) -> str:
    """A difference, and whether its interval over patients leaves out zero."""
    if not np.isfinite(found.low):
        return f"{found.mean:+.3f}"
    sure = "more than chance" if found.low > 0 or found.high < 0 else "may be chance"
    people = len(found.differences)
    return f"{found.mean:+.3f} ({found.low:+.3f} to {found.high:+.3f}, {people} people: {sure})"
