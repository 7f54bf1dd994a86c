"""Scores of networks on real scans of the whole field that have labelled bodies and no discs.

Rows come from `benchmarks/weights/full_fields.py`, see `ivdlib.evaluation.gaps`: every trained
network of an experiment on every scan. None was trained on these scans or chosen by them.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from ivdlib.evaluation import scores
from ivdlib.evaluation.comparisons import WITH, WITHOUT, Side, difference
from ivdlib.evaluation.statistics import TRAINING, Comparison
from ivdlib.profiles import title

FILLED = 0.4
"""A gap between two bodies is *found* if exactly one piece of the mask lies in it and fills at
least this share of it: a disc of usual height fills some .7."""

OF_FIELDS = "full_fields"
"""Where the rows lie, beside the page of the audit."""

CUT = "_cut"
"""Behind the name of scans that were cut to the field that the network was trained on."""

OF_A_FIELD = ("fold", "seed", "gaps", "found", "fill", "bone", "astray", "specks")


def read(folder: str | os.PathLike) -> dict[str, pd.DataFrame]:
    """Rows by "experiment on scans"; empty if there are none.

    Raises
    ------
    DataError
        If a file cannot be read or lacks a column.
    """
    paths = sorted((Path(folder) / OF_FIELDS).glob("*_on_*.csv.gz"))
    return {
        path.name.removesuffix(".csv.gz").replace("_on_", " on "): scores.numbers(path, OF_A_FIELD)
        for path in paths
    }


def side_on_fields(rows: pd.DataFrame, network: str, arm: str) -> Side | None:
    """Share of gaps found by each training of a network, by scan; None if nothing was scored."""
    mine = rows[(rows["network"] == network) & (rows["trained_on"] == arm)]
    if mine.empty:
        return None
    sums = mine.groupby(["subject", *TRAINING])[["found", "gaps"]].sum()
    return Side(sums["found"] / sums["gaps"])


def compare_on_fields(rows: pd.DataFrame, first: str, second: str) -> Comparison | None:
    """Compare two networks by the share of gaps found, both trained alike.

    Each network sees every scan, so the interval over trainings is that over networks: the luck of
    a training, where the one over patients is that of who was scanned.
    """
    arm = WITH if (rows["trained_on"] == WITH).any() else WITHOUT
    return difference(side_on_fields(rows, first, arm), side_on_fields(rows, second, arm))


def by_network(rows: pd.DataFrame) -> pd.DataFrame:
    """How each network does: a row a network and what it was trained on.

    Returns
    -------
    DataFrame
        `network`, `trained_on`, number of `trainings` and `scans`; `found` (share of gaps), its
        standard deviation over trainings, `of_trainings`, and over scans, `of_scans`; median
        `fill`, mean share of the mask deep in `bone`, share of scans with a piece `astray` and of
        those with a disc `below` the lowest body; best network first.
    """
    lines = []
    for (network, arm), mine in rows.groupby(["network", "trained_on"]):
        share = mine.assign(share=mine["found"] / mine["gaps"])
        each = share.groupby(list(TRAINING))["share"].mean()
        people = share.groupby("subject")["share"].mean()
        lines.append({
            "network": title(network), "trained_on": arm, "trainings": len(each),
            "scans": len(people), "found": people.mean(),
            "of_trainings": each.std() if len(each) > 1 else np.nan,
            "of_scans": people.std() if len(people) > 1 else np.nan,
            "fill": mine["fill"].median(), "bone": mine["bone"].mean(),
            "astray": (mine["astray"] > 0).mean(),
            "below": (mine["below"].astype(str) == "True").mean(),
        })  # fmt: skip
    return pd.DataFrame(lines).sort_values("found", ascending=False)


def pairs(rows: pd.DataFrame) -> Iterator[tuple[str, Any]]:
    """FDS-CNN beside each other network."""
    for other in sorted(set(rows["network"]) - {"fds_cnn"}):
        found = compare_on_fields(rows, "fds_cnn", other)
        yield f"{title('fds_cnn')} − {title(other)}", found
