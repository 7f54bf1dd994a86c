"""What an experiment still has to train, and how long that takes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from ivdlib import cost, files, ledger, models, trial
from ivdlib.profiles import arm_title, title
from ivdlib.progress import duration

if TYPE_CHECKING:
    from ivdlib.experiment import Experiment

GFLOPS = 60.0
"""Of a training step, where nothing has been measured yet: two cores of 2024."""


def plan(experiment: Experiment) -> pd.DataFrame:
    """List the trainings of an experiment by network and arm.

    Parameters
    ----------
    experiment : Experiment

    Returns
    -------
    DataFrame
        `network`, `arm`, `trainings`, `left`, `seconds` (of all that are left) and `measured`:
        whether those rest on trainings of this network that are finished, or are estimated from
        its multiply-adds. The spine networks are not counted.
    """
    rows, spent = {}, {}
    for training in experiment.trainings():
        key = training.network, training.arm
        row = rows.setdefault(key, {"trainings": 0, "left": 0})
        row["trainings"] += 1
        place = trial.place_of(experiment, training)
        if ledger.finished(place):
            record = files.read_json(place / "record.json")
            seconds = record["seconds_training"] + record["seconds_scoring"]
            spent.setdefault(training.network, []).append(seconds)
        else:
            row["left"] += 1
    each = {network: float(np.mean(seconds)) for network, seconds in spent.items()}
    measured = set(each)
    for network in {network for (network, _), row in rows.items() if row["left"]} - measured:
        each[network] = _estimate(experiment, network)
    found = [
        {
            "network": title(network), "arm": arm, **row,
            "seconds": row["left"] * each.get(network, 0.0), "measured": network in measured,
        }
        for (network, arm), row in rows.items()
    ]  # fmt: skip
    return pd.DataFrame(found)


def _estimate(experiment: Experiment, network: str) -> float:
    """Seconds of a training from its multiply-adds: a step counts as three forward passes."""
    options, size = experiment.profile.training, experiment.profile.size
    config = ledger.config(experiment, network, size)
    model = models.build(network.partition(":")[0], config, (*experiment.tile, 1))
    step = 3 * 2 * int(cost.table(model)["multiply_adds"].sum()) * options.batch
    return options.steps * step / (GFLOPS * 1e9)


def text(name: str, rows: pd.DataFrame) -> str:
    """Write a plan for people."""
    lines = [
        f"  {row.network}, {arm_title(row.arm)}: {row.left} of {row.trainings} trainings left"
        + (f", {duration(row.seconds)}" if row.left else "")
        + ("" if row.measured or not row.left else " (estimated)")
        for row in rows.itertuples()
    ]
    total = f"{name}: {rows['left'].sum()} trainings left, {duration(rows['seconds'].sum())}"
    return "\n".join([total, *lines])
