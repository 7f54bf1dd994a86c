"""What `record.json` of an experiment says: what it is, what is done of it, and what is left."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from ivdlib import files, provenance
from ivdlib.data.remarks import grouped
from ivdlib.evaluation import recorded
from ivdlib.training import hashes, recipes, rerun_command
from ivdlib.training.deviations import deviations
from ivdlib.training.open_choices import open_choices

if TYPE_CHECKING:
    from ivdlib.training.experiment import Experiment

READ_AS = {"discs": None, "spine": None, "derive_missing": True, "label_grid": "voxel"}
"""How scans are read where nothing else was asked for, see `cases.load_cases`."""


def begun(experiment: Experiment) -> dict[str, Any]:
    """Record of an experiment that has none yet."""
    return provenance.record(
        **_told(experiment), config_hash=experiment.digest, **_done(experiment)
    )


def go_on(experiment: Experiment) -> dict[str, Any]:
    """Bring the record up to date, and give it."""
    old = recorded.read_record(experiment.folder)
    record = old | _told(experiment) | _done(experiment)
    files.write_json(experiment.folder / recorded.RECORD, record)
    return record


def seal_results(experiment: Experiment) -> None:
    """Put the SHA-256 of the scores and tables into the record, which thereby vouches for them."""
    folder = experiment.folder
    paths = [folder / "metrics.csv", *sorted((folder / "tables").iterdir())]
    names = [path.relative_to(folder).as_posix() for path in paths if path.name[0] != "."]
    record = recorded.read_record(folder) | {"sha256": recorded.sealed(folder, names)}
    files.write_json(folder / recorded.RECORD, record)
    recorded.changed(folder)


def _done(experiment: Experiment) -> dict[str, Any]:
    """What is trained by now, how long it took, and what is left.

    The spine networks that disc networks need are counted by themselves.
    """
    records = {
        place.name: record for place, record in recorded.trainings(experiment.folder).items()
    }
    seconds = (
        r.get("seconds_training", 0) + r.get("seconds_scoring", 0) + r.get("seconds", 0)
        for r in records.values()
    )
    planned = list(experiment.trainings())
    left = [training for training in planned if not hashes.is_done(experiment, training)]
    spine = experiment.folds if experiment.uses_spine_network else []
    spine_left = hashes.spine_left(experiment)
    if not planned:  # the spine network is all there is
        planned, left, spine, spine_left = experiment.folds, spine_left, [], []
    return {
        "trainings": list(records),
        "planned": len(planned),
        "left": len(left),
        "spine_planned": len(spine),
        "spine_left": len(spine_left),
        "seconds": sum(seconds),
        "devices": sorted({r["device"] for r in records.values() if "device" in r}),
    }


def _told(experiment: Experiment) -> dict[str, Any]:
    """What follows from the experiment as it was opened; another call may add to it."""
    profile, split = experiment.profile, experiment.arguments["split"]
    load, cases = experiment.arguments["load"].items(), experiment.cases.values()
    said = {
        "name": experiment.name,
        "config": experiment.config,
        "data": experiment.data_name,
        "phantom": experiment.is_phantom,
        "comparable": profile.comparable,
        "cases": {case.name: {"subject": case.subject, "stage": case.stage} for case in cases},
        "derived": sorted(experiment.derived),
        "remarks": [
            f"{where}: {note.what}"
            for where, note in grouped((case.name, n) for case in cases for n in case.notes)
        ],
        "tile": experiment.tile,
        "one_tile": experiment.one_tile,
        "networks": list(profile.networks),
        "arms": list(profile.arms),
        "seeds": profile.seeds,
        "load": {key: value for key, value in load if READ_AS.get(key, value) != value},
        "split": split and Path(split).name,
    }
    return {
        **said,
        "command": rerun_command.command(said),
        "deviations": deviations(experiment),
        "open_choices": open_choices(experiment),
        "short_of": recipes.short_of_any(profile) if experiment.uses_spine_network else [],
    }
