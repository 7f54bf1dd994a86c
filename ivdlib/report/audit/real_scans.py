"""Sections of AUDIT.md on real scans beyond the folds: whole fields, and grades of degeneration."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from ivdlib.evaluation import full_fields
from ivdlib.profiles import title
from ivdlib.report.audit.sections import NUMBERS, compared, markdown_table, section


def full_fields_section(fields: Mapping[str, pd.DataFrame]) -> str:
    """Networks on real whole fields: which transfers best, and what the differences are worth."""
    rows, pairs = [], []
    for name, frame in fields.items():
        for row in full_fields.by_network(frame).itertuples():
            shares = (f"{row.found:.1%}", *("–" if np.isnan(v) else f"{v:.1%}"
                                            for v in (row.of_trainings, row.of_scans)))  # fmt: skip
            cells = (name, row.network, row.trained_on, f"{row.trainings}, {row.scans}", *shares)
            rows.append((*cells, f"{row.fill:.2f}", f"{row.bone:.1%}", f"{row.below:.0%}",
                         f"{row.astray:.0%}"))  # fmt: skip
        pairs += [(name, words, *compared(found)) for words, found in full_fields.pairs(frame)]
    about = (
        "Real scans of the whole field, whose vertebral bodies are labelled: between each two lies "
        "one disc. A gap is found if exactly one piece of the mask lies in it and fills "
        f"{full_fields.FILLED:.0%} of it or more. Nothing was trained on these scans or chosen by "
        "them. Spread: standard deviation over trainings, and over scans."
    )
    if any(name.endswith(full_fields.CUT) for name in fields):
        about += (
            f" *{full_fields.CUT}*: scans cut, about their bodies, to the field that the network "
            "was trained on, as `ivdlib predict` advises for a wider one: a spine network that "
            "never saw so wide a field does not find the spine in it."
        )
    heads = ("trained, tested", "network", "trained on", "trainings, scans", "gaps found",
             "spread, trainings", "spread, scans", "fill", "deep in bone", "disc below",
             "pieces astray")  # fmt: skip
    text = section("Real whole fields: which network transfers best", heads, rows, about)
    more = markdown_table(("trained, tested", "share of gaps found", "mean", *NUMBERS), pairs)
    return f"{text}\n{more}" if rows else ""


def grades(found: Mapping[str, pd.DataFrame]) -> str:
    """Dice by Pfirrmann grade of degeneration, from the tables of `benchmarks/grades.py`."""
    every = sorted({grade for frame in found.values() for grade in frame["grade"]})
    rows = []
    for name, frame in found.items():
        counted = {row.grade: f"{row.discs} ({row.patients})" for row in frame.itertuples()}
        rows.append((name, "*discs (patients)*", *(counted.get(grade, "–") for grade in every)))
        for network, mine in frame.groupby("network", sort=False):
            dice = {row.grade: f"{row.dice:.4f} ({row.missed:.1%})" for row in mine.itertuples()}
            rows.append((name, title(network), *(dice.get(grade, "–") for grade in every)))
    about = (
        "Dice, and in brackets the share of discs missed, by Pfirrmann grade of each disc: 1 is "
        "healthy, 5 collapsed. Discs of a patient and grade are averaged first, then patients. "
        "Descriptive: patients of a grade are not those of another."
    )
    heads = ("experiment", "network", *(f"grade {grade}" for grade in every))
    return section("By grade of degeneration", heads, rows, about)
