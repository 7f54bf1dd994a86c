"""One training of the grid, from hash to scored rows, and the rows that need no network."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from ivdlib import files, profiles, provenance
from ivdlib.data.contrasts import is_derived
from ivdlib.evaluation import challenge, metrics, recorded, scores, stress
from ivdlib.evaluation.scores import SEEN, TOGETHER
from ivdlib.preprocessing import fusion
from ivdlib.preprocessing.folds import Fold
from ivdlib.preprocessing.region import Region
from ivdlib.preprocessing.sampler import TileSampler, TrainingImage
from ivdlib.preprocessing.tiles import TileGrid
from ivdlib.progress import track
from ivdlib.training import baselines, engines, hashes, inference, leaks, spine_stage, store
from ivdlib.training.hashes import disc_fields, place_of

if TYPE_CHECKING:
    from ivdlib.data.cases import Case
    from ivdlib.training.experiment import Experiment
    from ivdlib.training.grid import Training
    from ivdlib.training.trainer import Watch


def train(
    experiment: Experiment, training: Training, label: str, watch: Watch | None = None
) -> float:
    """Do one training unless it is there; returns its mean Dice over test scans and contrasts.

    Parameters
    ----------
    experiment : Experiment
    training : Training
    label : str
        Shown beside the progress.
    watch : callable, optional
        Looks at the training, see `Trainer.fit`. It must be given no test scan, which is its
        caller's duty; nothing that it does reaches the training.
    """
    place = place_of(experiment, training)
    if not hashes.finished(place):
        _train(experiment, training, place, label, watch)
    rows = scores.read_scores(place / scores.METRICS)
    scope = TOGETHER if training.arm == "stacked" else "volume"
    return float(scores.of_single_contrasts(rows[rows["scope"] == scope])["dice"].mean())


def _train(
    experiment: Experiment, training: Training, place: Path, label: str, watch: Watch | None
) -> None:
    profile, fold = experiment.profile, training.fold
    options = experiment.options(training.arm, training.network)
    where = spine_stage.regions_once(experiment, fold)
    images = []
    for name in fold.train:
        case, region = experiment.cases[name], where[name]
        names = experiment.training_images(training.arm, name, training.seed)
        truth = case.discs  # made again at each access: once a scan, not once an image
        for image in fusion.images_of(case.contrasts, names, options.neighbours).values():
            images.append(TrainingImage(region.apply(image), truth, region.window))
    network = hashes.config(experiment, training.network, profile.size)
    channels = images[0].channels
    engine = store.trainer(training.network, network, experiment.tile, options, channels)
    sampler = TileSampler(images, experiment.tile, options, training.seed)

    def test(rows: Callable[..., list[dict[str, Any]]], model: Any, names: Iterable[str]) -> list:
        cases = ((experiment.cases[name], where[name]) for name in names)
        return [row for pair in cases for row in rows(experiment, training, model, *pair)]

    watched = checkpoint = None
    if profile.leak == "epoch":
        # No checkpoint: a resumed training would have seen less.
        watched = leaks.Watched(lambda: test(_dice_case, engine.model, fold.test))
    else:
        checkpoint = place / "checkpoint.h5"
    history = engine.fit(sampler, training.seed, label, checkpoint, watched or watch)

    def score() -> list[dict[str, Any]]:
        # The best step was scored by Keras, and shall differ by nothing else.
        model = engine.model if watched else engines.quickest(engine.model)
        rows = test(_score_case, model, track(fold.test, f"{label}, scoring"))
        rows += test(partial(_dice_case, scope=SEEN), model, fold.aside()[:1])
        return rows + (watched.best() if watched else [])

    passport = {"tile": experiment.tile, "channels": channels, "neighbours": options.neighbours}
    if experiment.uses_spine_network:
        passport |= {
            "spine": hashes.spine_digest(experiment, fold),
            "margin": profile.spine.margin,
            "gap": profile.spine.gap,
            "tolerance": profile.spine.tolerance,
            "mask": profile.spine.mask,
        }
    store.finish(
        experiment, place, engine, history, score, disc_fields(experiment, training), fold, passport
    )


def _row(experiment: Experiment, training: Training, case: Case, contrast: str) -> dict[str, Any]:
    """Begin a row of this training."""
    arm, size = profiles.ARMS[training.arm], experiment.profile.size
    row = store.begin_row(case, training.fold, training.seed, training.network, size, arm, contrast)
    if contrast == TOGETHER:
        row["derived"] = is_derived("&".join(experiment.trained_on(training.arm)), case.derived)
    return row


def _images(experiment: Experiment, training: Training, case: Case) -> dict[str, np.ndarray]:
    """Images of a scan that a training is tested on."""
    neighbours = experiment.options(training.arm, training.network).neighbours
    return fusion.images_of(case.contrasts, experiment.tested_on(training.arm), neighbours)


def _dice_rows(
    experiment: Experiment,
    training: Training,
    case: Case,
    truth: np.ndarray,
    found: Mapping[str, np.ndarray],
    scope: str = "volume",
) -> list[dict[str, Any]]:
    """Score nothing but the Dice of each image's probability."""
    return [
        {**_row(experiment, training, case, contrast), "scope": scope,
         "dice": metrics.dice(probability >= inference.THRESHOLD, truth)}
        for contrast, probability in found.items()
    ]  # fmt: skip


def _dice_case(
    experiment: Experiment,
    training: Training,
    model: Any,
    case: Case,
    region: Region,
    scope: str = "volume",
) -> list[dict[str, Any]]:
    """Rows of a scan with nothing but the Dice of each image."""
    found = inference.predict_images(model, _images(experiment, training, case), region)
    return _dice_rows(experiment, training, case, case.discs, found, scope)


def _score_case(
    experiment: Experiment, training: Training, model: Any, case: Case, region: Region
) -> list[dict[str, Any]]:
    """Rows of a trained network: each image, one mask from all, images made worse."""
    profile, rows = experiment.profile, []
    numbers = case.disc_numbers  # made again at each access: once a scan, not once an image
    truth = numbers > 0
    images = _images(experiment, training, case)
    grid = TileGrid(case.shape, experiment.tile, region.window)
    kept = region.coverage(truth)
    stacked = training.arm == "stacked"  # one image, which gives the one mask
    found = inference.predict_images(model, images, region)
    for contrast, probability in () if stacked else found.items():
        row, mask = _row(experiment, training, case, contrast), probability >= inference.THRESHOLD
        rows += _scored({**row, **kept}, mask, numbers, case, profile.score_discs, grid)
    known = experiment.trained_on(training.arm)
    if stacked or len(known) > 1:
        together = {TOGETHER: np.mean([found[name] for name in known], axis=0)}
        rows += _dice_rows(experiment, training, case, truth, together, TOGETHER)
    for kind in profile.stress:
        worse = {name: stress.worsen(image, kind) for name, image in images.items()}
        found = inference.predict_images(model, worse, region)
        if stacked:
            found = {TOGETHER: found[known[0]]}
        rows += _dice_rows(experiment, training, case, truth, found, kind)
    return rows


def _scored(
    row: dict[str, Any],
    mask: np.ndarray,
    numbers: np.ndarray,
    case: Case,
    per_disc: bool,
    grid: TileGrid | None = None,
) -> list[dict[str, Any]]:
    """Score a mask as a volume and, where wanted, disc by disc."""
    truth, exact = numbers > 0, case.exact_mask
    whole = {
        "dice": metrics.dice(mask, truth),
        "dice_exact": np.nan if exact is None else metrics.dice(mask, exact),
        "dice_slices": metrics.slice_dice(mask, truth),
        **metrics.volumes(mask, truth, case.spacing),
    }
    rows = [{**row, **whole}]
    if per_disc:
        discs = challenge.disc_scores(mask, numbers, case.spacing, grid and grid.holds)
        rows += [{**row, "scope": "disc", **disc} for disc in discs]
    return rows


def references(experiment: Experiment, fold: Fold) -> None:
    """Score what needs no network on a fold, unless it is there."""
    place = hashes.place(experiment, hashes.reference_digest(experiment, fold))
    if hashes.finished(place):
        return
    begin = time.monotonic()
    images = {
        name: fusion.images_of(case.contrasts, experiment.contrasts)
        for name, case in experiment.cases.items()
    }
    train_cases = [experiment.cases[name] for name in fold.train]
    test_cases = [experiment.cases[name] for name in fold.test]
    rows = []
    for name, case_name, contrast, mask in baselines.reference_predictions(
        train_cases, test_cases, images, seed=0
    ):
        case = experiment.cases[case_name]
        row = store.begin_row(case, fold, 0, name, "-", "contrasts", contrast)
        rows += _scored(row, mask, case.disc_numbers, case, experiment.profile.score_discs)
    files.write_csv(place / scores.METRICS, pd.DataFrame(rows))
    record = provenance.record(
        target="reference", **hashes.scans(experiment, fold), fold=fold.number,
        seconds=round(time.monotonic() - begin, 1),
        sha256=recorded.sealed(place, [scores.METRICS]),
    )  # fmt: skip
    files.write_json(place / "record.json", record)
