"""What an experiment still has to train, and how long that takes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from ivdlib import networks
from ivdlib.evaluation import recorded
from ivdlib.networks import cost
from ivdlib.profiles import arm_title, title
from ivdlib.progress import duration
from ivdlib.training import hashes, spine_stage

if TYPE_CHECKING:
    from ivdlib.training.experiment import Experiment

SPINE = "spine"
"""What the networks of the spine stage are called here."""

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
        its multiply-adds.
    """
    rows, spent = {}, {}
    for network, arm, place in _every(experiment):
        row = rows.setdefault((network, arm), {"trainings": 0, "left": 0})
        row["trainings"] += 1
        if hashes.finished(place):
            record = recorded.training(place / recorded.RECORD)
            seconds = record.get("seconds_training", 0) + record.get("seconds_scoring", 0)
            spent.setdefault(network, []).append(seconds)
        else:
            row["left"] += 1
    each = {network: float(np.mean(seconds)) for network, seconds in spent.items()}
    measured = set(each)
    for network in {network for (network, _), row in rows.items() if row["left"]} - measured:
        each[network] = _estimate(experiment, network)
    found = [
        {
            "network": "spine U-Net" if network == SPINE else title(network), "arm": arm, **row,
            "seconds": row["left"] * each.get(network, 0.0), "measured": network in measured,
        }
        for (network, arm), row in rows.items()
    ]  # fmt: skip
    columns = ("network", "arm", "trainings", "left", "seconds", "measured")
    return pd.DataFrame(found, columns=columns)


def _every(experiment: Experiment) -> Iterator[tuple[str, str, Path]]:
    """Network, arm and folder of every training, those of the spine stage first."""
    if experiment.uses_spine_network:
        for fold in experiment.folds:
            yield SPINE, "", hashes.spine_place(experiment, fold)
    for training in experiment.trainings():
        yield training.network, training.arm, hashes.place_of(experiment, training)


def _estimate(experiment: Experiment, network: str) -> float:
    """Seconds of a training from its multiply-adds: a step counts as three forward passes."""
    profile, tile = experiment.profile, experiment.tile
    options, size, name = profile.training, profile.size, network.partition(":")[0]
    if network == SPINE:
        options, size, name = profile.spine, profile.spine.size, "unet"
        tile = spine_stage.tile(experiment)
    config = hashes.config(experiment, name if network == SPINE else network, size)
    model = networks.build(name, config, (*tile, 1))
    step = 3 * 2 * int(cost.layer_table(model)["multiply_adds"].sum()) * options.batch
    return options.steps * step / (GFLOPS * 1e9)


def plan_text(name: str, rows: pd.DataFrame) -> str:
    """Write a plan for people."""
    lines = [
        f"  {row.network}{row.arm and f', {arm_title(row.arm)}'}: "
        f"{row.left} of {row.trainings} trainings left"
        + (f", {duration(row.seconds)}" if row.left else "")
        + ("" if row.measured or not row.left else " (estimated)")
        for row in rows.itertuples()
    ]
    total = f"{name}: {rows['left'].sum()} trainings left, {duration(rows['seconds'].sum())}"
    return "\n".join([total, *lines])
