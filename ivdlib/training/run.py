"""Do what an experiment still lacks: trainings, scores, tables."""

from __future__ import annotations

import pandas as pd

from ivdlib import files, provenance
from ivdlib.errors import ConfigError
from ivdlib.evaluation import in_short, recorded, tables
from ivdlib.progress import say, track
from ivdlib.training import hashes, recording, spine_stage, trial, workers
from ivdlib.training.experiment import Experiment


def run(experiment: Experiment, processes: int = 1, scheduler: str | None = None) -> pd.DataFrame:
    """Do what is missing, then write `metrics.csv` and the tables; returns the metrics.

    Parameters
    ----------
    experiment : Experiment
    processes, scheduler
        Trainings side by side, see `workers.side_by_side`; `workers.most_useful` says how many are
        quickest. Default: one after the other, here.

    Raises
    ------
    ConfigError
        If there is nothing to train.
    """
    todo = list(experiment.trainings())
    if not todo and not experiment.uses_spine_network:
        raise ConfigError(
            "there is nothing to train: no network is named, and these scans fit one tile, "
            "so they need no spine network."
        )
    recording.go_on(experiment)  # whatever stops it, the record says what is left
    if experiment.profile.references:
        for fold in track(experiment.folds, "rows that need no network"):
            trial.references(experiment, fold)
    # Other processes have the library's own parts.
    if (processes > 1 or scheduler) and not provenance.REPLACED:
        workers.side_by_side(experiment, processes, scheduler)
    for number, training in enumerate(todo, start=1):
        label = f"training {number}/{len(todo)}: {training.title}"
        dice = trial.train(experiment, training, label)
        say(f"{label}: mean Dice {dice:.3f}")
        recording.go_on(experiment)
    if not todo:  # the spine stage alone
        for fold in hashes.spine_left(experiment):
            spine_stage.network(experiment, fold)
    return collect(experiment)


def collect(experiment: Experiment) -> pd.DataFrame:
    """Write `metrics.csv` and `tables/` from the finished trainings."""
    metrics = experiment.metrics()
    files.write_csv(experiment.folder / "metrics.csv", metrics)
    record, label = recording.go_on(experiment), experiment.label()
    if left := recorded.left(record):
        label += f", UNFINISHED: {left}"
    tables.write_tables(metrics, experiment.folder / "tables", label, experiment.derived)
    short = in_short.in_short(metrics, label)
    files.write_text(experiment.folder / "tables" / in_short.IN_SHORT, short)
    water = tables.fused_and_water(experiment.cases.values(), experiment.fused)
    if len(water):
        files.write_csv(experiment.folder / "tables" / "fused_and_water.csv", water)
    recording.seal_results(experiment)
    return metrics
