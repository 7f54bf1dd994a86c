"""One training of a grid, from hash to scored rows; the spine network and the references likewise.

`trainings/<hash>/` holds `record.json`, `metrics.csv`, `history.csv` and `model.weights.h5`. The
record is written last: a folder with a record is finished, one without is done again or gone on
with.
"""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from ivdlib import baselines, discs, files, inference, metrics, models, provenance
from ivdlib.fusion import is_derived
from ivdlib.patches import Region
from ivdlib.profiles import TrainingOptions
from ivdlib.progress import track
from ivdlib.sampler import TileSampler, TrainingImage
from ivdlib.splits import Fold
from ivdlib.training import Trainer

if TYPE_CHECKING:
    from ivdlib.cases import Case
    from ivdlib.experiment import Experiment, Training

WEIGHTS = "model.weights.h5"

_trainers: dict[str, Trainer] = {}


def trainer(network: str, config: Any, tile: tuple[int, int], options: TrainingOptions) -> Trainer:
    """The compiled network for these settings; two are kept, for compiling takes long."""
    key = files.sha256_json([network, config.to_dict(), tile, asdict(options)])
    if key not in _trainers:
        kept = list(_trainers.items())[-1:]  # the spine network and one other
        _trainers.clear()
        _trainers.update(kept)
        _trainers[key] = Trainer(network, config, tile, options)
    return _trainers[key]


def config(experiment: Experiment, network: str, size: str) -> Any:
    """Configuration of a network under the profile of an experiment."""
    found = models.config(network, size)
    return dataclasses.replace(found, bn_momentum=experiment.profile.bn_momentum)


def finished(place: Path) -> bool:
    """Whether a training is done: its record is written last."""
    return all((place / name).is_file() for name in ("record.json", "metrics.csv"))


# --- hashes --------------------------------------------------------------------------------


def _hash(fields: Mapping[str, Any]) -> str:
    return files.sha256_json(fields)[:16]


def _scans(experiment: Experiment, fold: Fold) -> dict[str, dict[str, str]]:
    prints = experiment.fingerprints
    return {
        "train": {name: prints[name] for name in fold.train},
        "test": {name: prints[name] for name in fold.test},
    }


def spine_fields(experiment: Experiment, fold: Fold) -> dict[str, Any]:
    """All that decides on the spine network of a fold."""
    options = experiment.profile.spine
    return {
        "target": "spine",
        "network": "unet",
        "config": config(experiment, "unet", options.size).to_dict(),
        "options": asdict(options),
        "images": experiment.contrasts,
        **_scans(experiment, fold),
    }


def spine_digest(experiment: Experiment, fold: Fold) -> str:
    """Hash of the spine network of a fold."""
    return _hash(spine_fields(experiment, fold))


def fields(experiment: Experiment, training: Training) -> dict[str, Any]:
    """All that decides on a training and its scores."""
    profile = experiment.profile
    region = {k: v for k, v in asdict(profile.spine).items() if k in {"region", "margin", "factor"}}
    if uses_spine_network(experiment):
        region["spine"] = spine_digest(experiment, training.fold)
    return {
        "target": "disc",
        "network": training.network,
        "config": config(experiment, training.network, profile.size).to_dict(),
        "options": asdict(profile.training),
        "tile": experiment.tile,
        "images": experiment.images(training.arm),
        "region": region if uses_region(experiment) else None,
        "seed": training.seed,
        "score_discs": profile.score_discs,
        **_scans(experiment, training.fold),
    }


def digest(experiment: Experiment, training: Training) -> str:
    """Hash of a training."""
    return _hash(fields(experiment, training))


def reference_digest(experiment: Experiment, fold: Fold) -> str:
    """Hash of the rows without a network."""
    return _hash(
        {"target": "reference", "images": experiment.contrasts, **_scans(experiment, fold)}
    )


# --- region of interest --------------------------------------------------------------------


def uses_region(experiment: Experiment) -> bool:
    """Whether any scan is larger than a tile; else there is no background to leave out."""
    larger = any(
        not inference.fits_one_tile(case.shape, experiment.tile)
        for case in experiment.cases.values()
    )
    return larger and experiment.profile.spine.region != "none"


def uses_spine_network(experiment: Experiment) -> bool:
    """Whether the region comes from the spine U-Net."""
    return uses_region(experiment) and experiment.profile.spine.region == "predicted"


def spine_truth(case: Case) -> np.ndarray:
    """Mask of the spine: the labelled one, else a tube around the labelled discs."""
    return (
        case.spine if case.spine is not None else discs.spine_from_discs(case.discs, case.spacing)
    )


def spine_network(experiment: Experiment, fold: Fold) -> inference.Network:
    """The spine U-Net of a fold (paper, Sect. 2.1), trained on its training patients only.

    Trained again where only its record is there: weights are not committed with the results.
    """
    place = experiment.folder / "trainings" / spine_digest(experiment, fold)
    if not (finished(place) and (place / WEIGHTS).is_file()):
        _train_spine(experiment, fold, place)
    return inference.load_model(place / WEIGHTS)


def _train_spine(experiment: Experiment, fold: Fold, place: Path) -> None:
    spine = experiment.profile.spine
    cases = [experiment.cases[name] for name in fold.train]
    shapes = [inference.spine_tile(case.shape, spine.factor) for case in experiment.cases.values()]
    tile = (max(s[0] for s in shapes), max(s[1] for s in shapes))
    options = TrainingOptions(
        steps=spine.steps, batch=spine.batch, learning_rate=spine.learning_rate,
        schedule="cosine", tile=tile, tiles="all",
    )  # fmt: skip
    images = []
    for case in cases:
        truth = inference.shrink(spine_truth(case), spine.factor) >= 0.5
        for image in inference.images_of(case.contrasts, experiment.contrasts).values():
            small = inference.shrink(image, spine.factor)
            images.append(TrainingImage(small, truth, (0, small.shape[1])))
    engine = trainer("unet", config(experiment, "unet", spine.size), tile, options)
    label = f"spine U-Net, fold {fold.number}"
    history = engine.fit(TileSampler(images, tile, options, 0), 0, label, place / "checkpoint.h5")

    def score() -> list[dict[str, Any]]:
        rows = []
        for name in track(fold.test, f"{label}, scoring"):
            case = experiment.cases[name]
            mask = inference.predict_spine(engine.model, case.contrasts, spine.factor)
            row = _row(case, fold, 0, "unet", spine.size, "contrasts", "all", target="spine")
            rows.append({**row, "dice": metrics.dice(mask, spine_truth(case))})
        return rows

    passport = {"factor": spine.factor, "tile": tile, "spine_truth": _kind_of_truth(cases)}
    what = spine_fields(experiment, fold)
    _finish(experiment, place, engine, history, score, what, fold, passport)


def _kind_of_truth(cases: list[Case]) -> str:
    return "labels" if all(case.spine is not None for case in cases) else "tube around the discs"


def regions(experiment: Experiment, fold: Fold) -> dict[str, Region]:
    """Region of interest of every scan, as the spine network of this fold sees it."""
    spine, found = experiment.profile.spine, {}
    network = spine_network(experiment, fold) if uses_spine_network(experiment) else None
    for name, case in experiment.cases.items():
        if network is not None:
            mask = inference.predict_spine(network.model, case.contrasts, spine.factor)
        else:
            mask = spine_truth(case) if uses_region(experiment) else None
        found[name] = inference.region_of(
            mask, case.shape, case.spacing, experiment.tile, spine.margin
        )
    return found


_regions: dict[str, dict[str, Region]] = {}


def regions_once(experiment: Experiment, fold: Fold) -> dict[str, Region]:
    """`regions`, kept while the same folds are asked for again and again."""
    key = _hash({**spine_fields(experiment, fold), "tile": experiment.tile})
    if key not in _regions:
        _regions[key] = regions(experiment, fold)
    return _regions[key]


# --- discs ---------------------------------------------------------------------------------


def train(experiment: Experiment, training: Training, label: str) -> float:
    """Do one training unless it is there; returns its mean Dice over test scans and contrasts."""
    place = experiment.folder / "trainings" / digest(experiment, training)
    if not finished(place):
        _train(experiment, training, place, label)
    rows = pd.read_csv(place / "metrics.csv")
    volumes = rows[(rows["scope"] == "volume") & ~rows["contrast"].str.contains("+", regex=False)]
    return float(volumes["dice"].mean())


def _train(experiment: Experiment, training: Training, place: Path, label: str) -> None:
    profile, fold = experiment.profile, training.fold
    where = regions_once(experiment, fold)
    names = experiment.images(training.arm)
    images = []
    for name in fold.train:
        case, region = experiment.cases[name], where[name]
        truth = case.discs  # made anew at each access: once a scan, not once an image
        for image in inference.images_of(case.contrasts, names).values():
            images.append(TrainingImage(region.apply(image), truth, region.window))
    network = config(experiment, training.network, profile.size)
    engine = trainer(training.network, network, experiment.tile, profile.training)
    sampler = TileSampler(images, experiment.tile, profile.training, training.seed)
    history = engine.fit(sampler, training.seed, label, place / "checkpoint.h5")

    def score() -> list[dict[str, Any]]:
        rows = []
        for name in track(fold.test, f"{label}, scoring"):
            rows += _score_case(experiment, training, engine, experiment.cases[name], where[name])
        return rows

    passport = {"tile": experiment.tile}
    if uses_spine_network(experiment):
        passport |= {"spine": spine_digest(experiment, fold), "margin": profile.spine.margin}
    _finish(experiment, place, engine, history, score, fields(experiment, training), fold, passport)


def _score_case(
    experiment: Experiment, training: Training, engine: Trainer, case: Case, region: Region
) -> list[dict[str, Any]]:
    rows = []
    names = experiment.images(training.arm)
    trained_on = "contrasts+fused" if training.arm == "with" else "contrasts"
    images = inference.images_of(case.contrasts, names)
    for contrast, probability in inference.predict_images(engine.model, images, region).items():
        mask = probability >= inference.THRESHOLD
        row = _row(case, training.fold, training.seed, training.network, experiment.profile.size,
                   trained_on, contrast)  # fmt: skip
        rows += _scored(row, mask, case, experiment.profile.score_discs)
    return rows


def references(experiment: Experiment, fold: Fold) -> None:
    """Score what needs no network on a fold, unless it is there."""
    place = experiment.folder / "trainings" / reference_digest(experiment, fold)
    if finished(place):
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
        row = _row(case, fold, 0, name, "-", "contrasts", contrast)
        rows += _scored(row, mask, case, experiment.profile.score_discs)
    files.write_csv(place / "metrics.csv", pd.DataFrame(rows))
    record = provenance.record(
        target="reference", **_scans(experiment, fold), fold=fold.number,
        seconds=round(time.monotonic() - begin, 1),
    )  # fmt: skip
    files.write_json(place / "record.json", record)


# --- rows ----------------------------------------------------------------------------------


def _row(
    case: Case, fold: Fold, seed: int, network: str, size: str, trained_on: str, contrast: str,
    target: str = "disc",
) -> dict[str, Any]:  # fmt: skip
    return {
        "network": network, "size": size, "trained_on": trained_on, "fold": fold.number,
        "seed": seed, "case": case.name, "subject": case.subject, "stage": case.stage,
        "contrast": contrast, "derived": is_derived(contrast, case.derived), "target": target,
        "scope": "volume", "level": "", "dice": np.nan, "asd_mm": np.nan,
        "centre_distance_mm": np.nan,
    }  # fmt: skip


def _scored(
    row: dict[str, Any], mask: np.ndarray, case: Case, per_disc: bool
) -> list[dict[str, Any]]:
    rows = [{**row, "dice": metrics.dice(mask, case.discs)}]
    if per_disc:
        for disc in metrics.disc_scores(mask, case.discs, case.spacing):
            known = {k: disc[k] for k in ("level", "dice", "asd_mm", "centre_distance_mm")}
            rows.append({**row, "scope": "disc", "disc": disc["disc"], **known})
    return rows


def _finish(
    experiment: Experiment,
    place: Path,
    engine: Trainer,
    history: list[dict[str, float]],
    score: Callable[[], list[dict[str, Any]]],
    what: Mapping[str, Any],
    fold: Fold,
    passport: Mapping[str, Any],
) -> None:
    """Write weights, curve, scores and, last, the record; then the checkpoint may go."""
    begin = time.monotonic()
    rows = score()
    card = {
        "network": engine.network, "config": engine.config.to_dict(), "target": what["target"],
        "images": what["images"], "trained_by": f"{experiment.name}/{place.name}", **passport,
    }  # fmt: skip
    inference.save_weights(engine.model, place / WEIGHTS, card)
    files.write_csv(place / "history.csv", pd.DataFrame(history))
    files.write_csv(place / "metrics.csv", pd.DataFrame(rows))
    record = provenance.record(
        **what,
        fold=fold.number,
        passport=card,
        parameters=sum(int(np.prod(w.shape)) for w in engine.model.trainable_weights),
        seconds_training=round(history[-1]["seconds"], 1),
        seconds_scoring=round(time.monotonic() - begin, 1),
    )
    files.write_json(place / "record.json", record)
    (place / "checkpoint.h5").unlink(missing_ok=True)
