"""Which training is which: all that decides on one, its hash, its folder, and whether it is done.

A training is recognised by the hash of all that could change its result, and never done twice.
`trainings/<hash>/` is finished when it holds its record, which is written last.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ivdlib import files, networks, provenance
from ivdlib.evaluation import scores
from ivdlib.options import essence
from ivdlib.preprocessing.folds import Fold
from ivdlib.training import baselines

if TYPE_CHECKING:
    from ivdlib.training.experiment import Experiment
    from ivdlib.training.grid import Training


def config(experiment: Experiment, network: str, size: str) -> Any:
    """Configuration of a network under the profile of an experiment."""
    name, _, variant = network.partition(":")
    found = networks.config_of(name, size, variant or None)
    return dataclasses.replace(found, bn_momentum=experiment.profile.bn_momentum)


def place(experiment: Experiment, digest: str) -> Path:
    """Folder of the training with this hash."""
    return experiment.folder / "trainings" / digest


def finished(place: Path) -> bool:
    """Whether a training is done: its record is written last."""
    return all((place / name).is_file() for name in ("record.json", scores.METRICS))


def short_hash(fields: Mapping[str, Any]) -> str:
    """Hash that names a training: 16 hexadecimal digits."""
    replaced = {"replaced": dict(provenance.REPLACED)} if provenance.REPLACED else {}
    return files.sha256_json({**fields, **replaced})[:16]


def scans(experiment: Experiment, fold: Fold) -> dict[str, dict[str, str]]:
    """Hashes of the scans that a fold trains on and tests on."""
    prints = experiment.fingerprints
    return {
        "train": {name: prints[name] for name in fold.train},
        "test": {name: prints[name] for name in fold.test},
    }


USE = ("region", "margin", "mask", "gap", "tolerance")
"""Options that say what is done with the network's mask, and leave the network alone."""


def spine_fields(experiment: Experiment, fold: Fold) -> dict[str, Any]:
    """All that decides on the spine network of a fold."""
    options = experiment.profile.spine
    how = {k: v for k, v in essence(options).items() if k not in USE}
    return {
        "target": "spine",
        "network": "unet",
        "config": config(experiment, "unet", options.size).to_dict(),
        "options": how,
        "images": experiment.contrasts,
        **scans(experiment, fold),
    }


def spine_digest(experiment: Experiment, fold: Fold) -> str:
    """Hash of the spine network of a fold."""
    return short_hash(spine_fields(experiment, fold))


def spine_place(experiment: Experiment, fold: Fold) -> Path:
    """Folder of the spine network of a fold."""
    return place(experiment, spine_digest(experiment, fold))


def spine_left(experiment: Experiment) -> list[Fold]:
    """Folds whose spine network has not been trained and scored."""
    if not experiment.uses_spine_network:
        return []
    return [fold for fold in experiment.folds if not finished(spine_place(experiment, fold))]


def disc_fields(experiment: Experiment, training: Training) -> dict[str, Any]:
    """All that decides on a training and its scores."""
    profile = experiment.profile
    used = (*USE, "factor")
    region = {k: v for k, v in essence(profile.spine).items() if k in used}
    if experiment.uses_spine_network:
        region["spine"] = spine_digest(experiment, training.fold)
    return {
        "target": "disc",
        "network": training.network,
        "config": config(experiment, training.network, profile.size).to_dict(),
        "options": experiment.as_placed(
            essence(experiment.options(training.arm, training.network))
        ),
        "tile": experiment.tile,
        "arm": training.arm,
        "images": experiment.trained_on(training.arm),
        "tested": experiment.tested_on(training.arm),
        "region": region if experiment.uses_region else None,
        "seed": training.seed,
        "score_discs": profile.score_discs,
        "stress": profile.stress,
        **({"leak": profile.leak} if profile.leak == "epoch" else {}),
        **scans(experiment, training.fold),
    }


def disc_digest(experiment: Experiment, training: Training) -> str:
    """Hash of a training."""
    return short_hash(disc_fields(experiment, training))


def reference_digest(experiment: Experiment, fold: Fold) -> str:
    """Hash of the rows without a network."""
    what = {"target": "reference", "rows": baselines.ROWS, "images": experiment.contrasts}
    return short_hash(what | scans(experiment, fold))


def place_of(experiment: Experiment, training: Training) -> Path:
    """Folder of a training."""
    return place(experiment, disc_digest(experiment, training))


def is_done(experiment: Experiment, training: Training) -> bool:
    """Whether a training and its scores are there."""
    return finished(place_of(experiment, training))
