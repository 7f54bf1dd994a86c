"""Ask why U-Net, trained with fused contrasts, at times finds no disc on fat images.

On fat alone discs are dark; on the seven other images they are bright or grey. Profile smoke on the
phantom, true regions, so that nothing but the training differs, trained as the profile did when
this was asked: 140 steps at 1e-2, no averaged weights. Each row changes one thing: the seed; fat
drawn three times as often; three times the steps; a third of the rate; twice the feature maps. Each
network is tested on training and on test people, and on the former with the statistics of the fat
images themselves in batch normalisation.

    python benchmarks/fat.py --out fat
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import keras
import numpy as np
from peers import measure

from ivdlib.errors import IvdlibError
from ivdlib.evaluation import metrics
from ivdlib.preprocessing import fusion
from ivdlib.preprocessing.folds import Fold
from ivdlib.preprocessing.sampler import TileSampler, TrainingImage
from ivdlib.progress import Progress
from ivdlib.training import hashes, inference, spine_stage
from ivdlib.training.experiment import Experiment
from ivdlib.training.trainer import Trainer

SETTINGS: dict[str, dict] = {
    "as it is": {},
    "fat drawn three times as often": {"fat": 3},
    "three times the steps": {"steps": 3},
    "a third of the rate": {"rate": 1 / 3},
    "twice the feature maps": {"maps": 2},
}


class OneImage:
    """Scans of a fold on one image: what a network is trained or tested on."""

    def __init__(self, made: Experiment, fold: Fold) -> None:
        self.made, self.fold = made, fold
        self.regions = spine_stage.regions_once(made, fold)

    def training(self, name: str) -> list[TrainingImage]:
        """Tiles of this image are drawn from these."""
        found = []
        for key in self.fold.train:
            case, region = self.made.cases[key], self.regions[key]
            image = fusion.images_of(case.contrasts, [name])[name]
            found.append(TrainingImage(region.apply(image), case.discs, region.window))
        return found

    def dice(self, model: keras.Model, name: str, cases: Iterable[str]) -> float:
        """Mean Dice of scans on this image."""
        found = []
        for key in cases:
            case, region = self.made.cases[key], self.regions[key]
            image = fusion.images_of(case.contrasts, [name])
            probability = inference.predict_images(model, image, region)[name]
            found.append(metrics.dice(probability >= inference.THRESHOLD, case.discs))
        return float(np.mean(found))


def row(
    made: Experiment, fold: Fold, seed: int, fat: int, steps: int, rate: float, maps: int
) -> dict:
    """Train once and test; the numbers of one row."""
    scans, options = OneImage(made, fold), made.options("with", "unet")
    options = replace(options, steps=steps * options.steps,
                      learning_rate=rate * options.learning_rate)  # fmt: skip
    config = hashes.config(made, "unet", made.profile.size)
    config = replace(config, base=maps * config.base)
    drawn = []
    for name in made.training_images("with", fold.train[0]):
        drawn += scans.training(name) * (fat if name == "fat" else 1)
    trainer = Trainer("unet", config, made.tile, options)
    trainer.fit(TileSampler(drawn, made.tile, options, seed), seed, f"fold {fold.number}")
    alone = replace(options, batch=64, rotation=0.0, noise_probability=0.0)
    shown = TileSampler(scans.training("fat"), made.tile, alone, 0).draw(0)
    inside = tuple(
        slice((a - b) // 2, (a - b) // 2 + b)
        for a, b in zip(shown.truth.shape[1:], made.tile, strict=True)
    )
    tiles, truth = shown.windows[:, *inside], shown.truth[:, *inside] > 0
    own = np.asarray(keras.ops.convert_to_numpy(trainer.model(tiles, training=True)))[..., 0]
    return {
        "fold": fold.number, "seed": seed,
        "fat": scans.dice(trainer.model, "fat", fold.test),
        "fat, training people": scans.dice(trainer.model, "fat", fold.train),
        "fat, own batch statistics": metrics.dice(own >= inference.THRESHOLD, truth),
        "wat": scans.dice(trainer.model, "wat", fold.test),
    }  # fmt: skip


def main(words: list[str] | None = None) -> int:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    add = parser.add_argument
    add("--seeds", type=int, default=3, help="trainings of each fold and setting (default: 3)")
    add("--people", type=int, default=0, help="seed of the phantom (default: 0, as in the profile)")
    add("--only", nargs="+", choices=list(SETTINGS), metavar="NAME", help="; ".join(SETTINGS))
    add("--out", type=Path, help="folder for table.csv and record.json")
    given = parser.parse_args(words)
    settings = {name: SETTINGS[name] for name in given.only or SETTINGS}
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        changes = {
            "networks": ["unet"],
            "arms": ["with"],
            "spine.region": "true",
            "training.unet_rate": 1e-2,
            "training.steps": 140,
            "training.average": 0.0,
            "phantom.seed": given.people,
        }
        made = Experiment("fat", "smoke", overrides=changes, reports=folder)
        jobs = [(name, fold, seed) for name in settings for fold in made.folds
                for seed in range(given.seeds)]  # fmt: skip
        with Progress(len(jobs), "trainings") as progress:
            for name, fold, seed in jobs:
                usual = {"fat": 1, "steps": 1, "rate": 1.0, "maps": 1}
                found = row(made, fold, seed, **usual | settings[name])
                rows.append({"setting": name, "people": given.people, **found})
                progress.advance(note=f"{name}: {found['fat']:.2f} on fat")
    numbers = [key for key in rows[0] if key.startswith(("fat", "wat"))]
    measure.show(
        rows,
        {"setting": "", "people": "d", "fold": "d", "seed": "d"} | dict.fromkeys(numbers, ".3f"),
    )
    return measure.finish(given, rows, [])


if __name__ == "__main__":
    try:
        sys.exit(main())
    except IvdlibError as error:
        sys.exit(str(error))
