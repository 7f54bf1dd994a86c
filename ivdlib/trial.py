"""One training of the grid, from hash to scored rows, and the rows that need no network."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from ivdlib import (
    baselines,
    challenge,
    files,
    inference,
    ledger,
    metrics,
    profiles,
    provenance,
    spine_stage,
    stress,
)
from ivdlib.patches import Region, TileGrid
from ivdlib.progress import track
from ivdlib.sampler import TileSampler, TrainingImage
from ivdlib.splits import Fold
from ivdlib.training import Trainer

if TYPE_CHECKING:
    from ivdlib.cases import Case
    from ivdlib.experiment import Experiment, Training


def fields(experiment: Experiment, training: Training) -> dict[str, Any]:
    """All that decides on a training and its scores."""
    profile = experiment.profile
    used = (*spine_stage.USE, "factor")
    region = {k: v for k, v in profiles.essence(profile.spine).items() if k in used}
    if spine_stage.uses_network(experiment):
        region["spine"] = spine_stage.digest(experiment, training.fold)
    return {
        "target": "disc",
        "network": training.network,
        "config": ledger.config(experiment, training.network, profile.size).to_dict(),
        "options": profiles.essence(experiment.options(training.arm)),
        "tile": experiment.tile,
        "arm": training.arm,
        "images": experiment.contrasts if training.arm == "without" else experiment.images,
        "tested": experiment.images,
        "region": region if spine_stage.uses_region(experiment) else None,
        "seed": training.seed,
        "score_discs": profile.score_discs,
        "stress": profile.stress,
        **ledger.scans(experiment, training.fold),
    }


def digest(experiment: Experiment, training: Training) -> str:
    """Hash of a training."""
    return ledger.short_hash(fields(experiment, training))


def reference_digest(experiment: Experiment, fold: Fold) -> str:
    """Hash of the rows without a network."""
    return ledger.short_hash(
        {"target": "reference", "images": experiment.contrasts, **ledger.scans(experiment, fold)}
    )


def is_done(experiment: Experiment, training: Training) -> bool:
    """Whether a training and its scores are there."""
    return ledger.finished(experiment.folder / "trainings" / digest(experiment, training))


def train(experiment: Experiment, training: Training, label: str) -> float:
    """Do one training unless it is there; returns its mean Dice over test scans and contrasts."""
    place = experiment.folder / "trainings" / digest(experiment, training)
    if not ledger.finished(place):
        _train(experiment, training, place, label)
    rows = pd.read_csv(place / "metrics.csv")
    volumes = rows[(rows["scope"] == "volume") & ~rows["contrast"].str.contains("+", regex=False)]
    return float(volumes["dice"].mean())


def _train(experiment: Experiment, training: Training, place: Path, label: str) -> None:
    profile, fold = experiment.profile, training.fold
    where = spine_stage.regions_once(experiment, fold)
    images = []
    for name in fold.train:
        case, region = experiment.cases[name], where[name]
        names = experiment.training_images(training.arm, name, training.seed)
        truth = case.discs  # made anew at each access: once a scan, not once an image
        for image in inference.images_of(case.contrasts, names).values():
            images.append(TrainingImage(region.apply(image), truth, region.window))
    network = ledger.config(experiment, training.network, profile.size)
    options = experiment.options(training.arm)
    engine = ledger.trainer(training.network, network, experiment.tile, options)
    sampler = TileSampler(images, experiment.tile, options, training.seed)
    history = engine.fit(sampler, training.seed, label, place / "checkpoint.h5")

    def score() -> list[dict[str, Any]]:
        rows = []
        for name in track(fold.test, f"{label}, scoring"):
            rows += _score_case(experiment, training, engine, experiment.cases[name], where[name])
        return rows

    passport = {"tile": experiment.tile}
    if spine_stage.uses_network(experiment):
        passport |= {
            "spine": spine_stage.digest(experiment, fold),
            "margin": profile.spine.margin,
            "mask": profile.spine.mask,
        }
    ledger.finish(
        experiment, place, engine, history, score, fields(experiment, training), fold, passport
    )


def _score_case(
    experiment: Experiment, training: Training, engine: Trainer, case: Case, region: Region
) -> list[dict[str, Any]]:
    profile, rows = experiment.profile, []
    images = inference.images_of(case.contrasts, experiment.images)
    grid = TileGrid(case.shape, experiment.tile, region.window)
    kept = region.coverage(case.discs)
    for kind in ("", *profile.stress):
        shown = {n: stress.worsen(i, kind) for n, i in images.items()} if kind else images
        for contrast, probability in inference.predict_images(engine.model, shown, region).items():
            mask = probability >= inference.THRESHOLD
            row = ledger.row(
                case, training.fold, training.seed, training.network, profile.size,
                profiles.ARMS[training.arm], contrast,
            )  # fmt: skip
            if kind:
                rows.append({**row, "scope": kind, "dice": metrics.dice(mask, case.discs)})
            else:
                rows += _scored({**row, **kept}, mask, case, profile.score_discs, grid)
    return rows


def _scored(
    row: dict[str, Any],
    mask: np.ndarray,
    case: Case,
    per_disc: bool,
    grid: TileGrid | None = None,
) -> list[dict[str, Any]]:
    """Score a mask as a volume and, where wanted, disc by disc."""
    truth, exact = case.discs, case.exact_mask
    whole = {
        "dice": metrics.dice(mask, truth),
        "dice_exact": np.nan if exact is None else metrics.dice(mask, exact),
        "dice_slices": metrics.slice_dice(mask, truth),
        **metrics.volumes(mask, truth, case.spacing),
    }
    rows = [{**row, **whole}]
    if per_disc:
        discs = challenge.disc_scores(mask, truth, case.spacing, grid)
        rows += [{**row, "scope": "disc", **disc} for disc in discs]
    return rows


def references(experiment: Experiment, fold: Fold) -> None:
    """Score what needs no network on a fold, unless it is there."""
    place = experiment.folder / "trainings" / reference_digest(experiment, fold)
    if ledger.finished(place):
        return
    begin = time.monotonic()
    images = {
        name: inference.images_of(case.contrasts, experiment.contrasts)
        for name, case in experiment.cases.items()
    }
    train_cases = [experiment.cases[name] for name in fold.train]
    test_cases = [experiment.cases[name] for name in fold.test]
    rows = []
    for name, case_name, contrast, mask in baselines.reference_predictions(
        train_cases, test_cases, images, seed=0
    ):
        case = experiment.cases[case_name]
        row = ledger.row(case, fold, 0, name, "-", "contrasts", contrast)
        rows += _scored(row, mask, case, experiment.profile.score_discs)
    files.write_csv(place / "metrics.csv", pd.DataFrame(rows))
    record = provenance.record(
        target="reference", **ledger.scans(experiment, fold), fold=fold.number,
        seconds=round(time.monotonic() - begin, 1),
    )  # fmt: skip
    files.write_json(place / "record.json", record)
