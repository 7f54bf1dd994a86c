"""The spine stage (paper, Sect. 2.1): a U-Net for the spine in each fold, and its region."""

from __future__ import annotations

import warnings
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ivdlib.data.remarks import listed
from ivdlib.errors import NothingFound
from ivdlib.evaluation import metrics
from ivdlib.options import spine_training
from ivdlib.preprocessing import fusion, region, spine_tube
from ivdlib.preprocessing.folds import Fold
from ivdlib.preprocessing.region import Region
from ivdlib.preprocessing.sampler import TileSampler, TrainingImage
from ivdlib.progress import track
from ivdlib.training import hashes, inference, store, weights
from ivdlib.training.hashes import USE, spine_fields

if TYPE_CHECKING:
    import keras

    from ivdlib.data.cases import Case
    from ivdlib.training.experiment import Experiment


def tile(experiment: Experiment) -> tuple[int, int]:
    """Pixels (AP, SI) that the network sees: the largest shrunken slice."""
    factor = experiment.profile.spine.factor
    shapes = [inference.spine_tile(case.shape, factor) for case in experiment.cases.values()]
    return max(s[0] for s in shapes), max(s[1] for s in shapes)


def truth(case: Case) -> np.ndarray:
    """Mask of the spine: the labelled one, else a tube around the labelled discs."""
    spine = case.spine  # made again at each access
    return spine_tube.spine_from_discs(case.discs, case.spacing) if spine is None else spine


def network(experiment: Experiment, fold: Fold) -> weights.Network:
    """The spine U-Net of a fold (paper, Sect. 2.1), trained on its training patients only.

    Trained again where only its record is there: weights are not committed with the results.
    """
    place = hashes.spine_place(experiment, fold)
    if not (hashes.finished(place) and (place / store.WEIGHTS).is_file()):
        _train(experiment, fold, place)
    return weights.load_model(place / store.WEIGHTS)


def _train(experiment: Experiment, fold: Fold, place: Path) -> None:
    spine = experiment.profile.spine
    cases = [experiment.cases[name] for name in fold.train]
    size = tile(experiment)
    # The precision is not in the hash, as little as what `auto` comes to: the record tells.
    options = spine_training(spine, experiment.profile.training.precision)
    options = replace(options, tile=size)
    images = []
    for case in cases:
        small_truth = region.shrink(truth(case), spine.factor) >= 0.5
        for image in fusion.images_of(case.contrasts, experiment.contrasts).values():
            small = region.shrink(image, spine.factor)
            images.append(TrainingImage(small, small_truth, (0, small.shape[1])))
    engine = store.trainer("unet", hashes.config(experiment, "unet", spine.size), size, options)
    label = f"spine U-Net, fold {fold.number}"
    history = engine.fit(TileSampler(images, size, options, 0), 0, label, place / "checkpoint.h5")

    def score() -> list[dict[str, Any]]:
        rows = []
        for name in track(fold.test, f"{label}, scoring"):
            case = experiment.cases[name]
            mask = find_spine(engine.model, experiment, case)
            row = store.begin_row(case, fold, 0, "unet", spine.size, "contrasts", "all", "spine")
            kept = _region(mask, experiment, case).coverage(case.discs)
            rows.append({**row, **kept, "dice": metrics.dice(mask, truth(case))})
        return rows

    labelled = all(case.spine is not None for case in cases)
    told = "labels" if labelled else "tube around the discs"
    passport = {"factor": spine.factor, "tile": size, "spine_truth": told}
    what = spine_fields(experiment, fold)
    store.finish(experiment, place, engine, history, score, what, fold, passport)


def regions_of_fold(experiment: Experiment, fold: Fold) -> dict[str, Region]:
    """Region of interest of every scan, as the spine network of this fold sees it."""
    found, nothing = {}, []
    trained = network(experiment, fold) if experiment.uses_spine_network else None
    for name, case in experiment.cases.items():
        if trained is not None:
            mask = find_spine(trained.model, experiment, case)
            nothing += [] if mask.any() else [name]
        else:
            mask = truth(case) if experiment.uses_region else None
        found[name] = _region(mask, experiment, case)
    if nothing:
        warnings.warn(
            f"fold {fold.number}: the spine network found nothing in {listed(nothing)}, so the "
            "whole image is used there; train it for more steps (--set spine.steps=N).",
            NothingFound,
            stacklevel=3,
        )
    return found


def find_spine(model: keras.Model, experiment: Experiment, case: Case) -> np.ndarray:
    """Mask of the spine of a scan, by a network of this experiment; (slices, AP, SI), bool."""
    spine = experiment.profile.spine
    return inference.predict_spine(
        model, case.contrasts, spine.factor, case.spacing, spine.gap, spine.tolerance
    )


def _region(mask: np.ndarray | None, experiment: Experiment, case: Case) -> Region:
    spine = experiment.profile.spine
    return region.region_of(
        mask, case.shape, case.spacing, experiment.tile, spine.margin, spine.mask, spine.tolerance
    )


_regions: dict[str, dict[str, Region]] = {}


def regions_once(experiment: Experiment, fold: Fold) -> dict[str, Region]:
    """`regions_of_fold`, kept while the same folds are asked for again and again."""
    use = {name: getattr(experiment.profile.spine, name) for name in USE}
    where = str(experiment.folder.resolve())  # each experiment has spine networks of its own
    what = {**spine_fields(experiment, fold), **use, "tile": experiment.tile, "folder": where}
    key = hashes.short_hash(what)
    if key not in _regions:
        _regions[key] = regions_of_fold(experiment, fold)
    return _regions[key]
