"""Make the weights that come with ivdlib, by the recipe beside this file.

    python benchmarks/weights/make.py --data ../shared/data

Hours on two cores; interrupted, it goes on where it was. A network whose weights are there, made by
the same recipe, is not trained again. `--only NAME ...` makes some.
"""

from __future__ import annotations

import argparse
import sys
import tomllib
from dataclasses import replace
from pathlib import Path
from typing import Any

import material

from ivdlib import files, networks, provenance
from ivdlib.errors import ConfigError, IvdlibError
from ivdlib.options import TILE, TrainingOptions
from ivdlib.preprocessing.sampler import TileSampler, TrainingImage
from ivdlib.progress import say
from ivdlib.training.trainer import Trainer
from ivdlib.training.weights import WEIGHTS, save_weights

HERE = Path(__file__).parent
OUT = HERE.parents[1] / "ivdlib" / "weights"
FACTOR = 2
LEAST_SPINE_MM = 60.0
"""What is less high is no spine: two vertebrae of the lumbar spine."""

SPECKS = 0.15
"""Pieces of a mask that hold less than this share of the largest are none: on scans for choosing,
false ones held up to 0.09 of it, and the smallest discs 0.33."""

SPINE_TILE = (128, 128)
"""Shrunken slices of 320 mm; larger ones are tiled."""

SOURCE = (
    "SPIDER (van der Graaf et al., Scientific Data 11, 264, 2024), CC BY 4.0, changed: central "
    "slices, averaged, resampled"
)


def how(recipe: dict[str, Any], name: str) -> dict[str, Any]:
    """All that decides on a network: its part of the recipe, and what all share."""
    own = recipe["networks"][name]
    training = recipe["training"] | own.get("training", {})
    shared = {key: recipe[key] for key in ("seed", "phantom", "spider")}
    return {**shared, **own, "name": name, "training": training}


def make(what: dict[str, Any], folder: Path, scans: dict[str, list[material.Scan]]) -> None:
    """Train one network and write weights and record."""
    spine = what["name"] == "spine"
    network, _, variant = what["network"].partition(":")
    config = networks.config_of(network, "tiny", variant or None)
    if "base" in what:
        config = replace(config, base=what["base"])
    options = TrainingOptions(**what["training"])
    tile = SPINE_TILE if spine else TILE
    images = drawn(what, scans, spine)
    checkpoint = folder / f"checkpoint_{files.sha256_json(what)[:12]}.h5"
    trainer = Trainer(network, config, tile, options)
    sampler = TileSampler(images, tile, options, what["seed"])
    history = trainer.fit(sampler, what["seed"], what["name"], checkpoint)
    card = {
        "network": network, "config": config.to_dict(), "tile": tile, "images": material.KNOWN,
        "spacing": [[1.0, 8.0], *([edge, edge] for edge in material.SPACING[1:])],
        "slices": [1, 200], "field": [[80.0, 640.0]] * 2, "trained_by": f"recipe/{what['name']}",
        "source": SOURCE,
    }  # fmt: skip
    if spine:
        card |= {"target": "spine", "factor": FACTOR, "least_spine": LEAST_SPINE_MM}
    else:
        card |= {"target": "disc", "spine": "spine", "margin": 15.0, "mask": True,
                 "tolerance": 1e-4, "gap": 20.0, "specks": SPECKS}  # fmt: skip
    card = save_weights(trainer.model, folder / WEIGHTS, card, half=True)
    record = provenance.record(recipe=what, passport=card, history=history[-1],
                               images=len(images), seconds=history[-1]["seconds"])  # fmt: skip
    files.write_json(folder / "record.json", record)
    checkpoint.unlink(missing_ok=True)


def drawn(
    what: dict[str, Any], scans: dict[str, list[material.Scan]], spine: bool
) -> list[TrainingImage]:
    """Images of phantom and slabs, the latter as often as the recipe says."""
    each = []
    for some in (scans["phantom"], scans["spider"]):
        seed = what["seed"]
        found = (
            material.spine_images(some, FACTOR, seed) if spine else material.disc_images(some, seed)
        )
        each.append([image for image in found if image.truth.any()])
    phantom, slabs = each
    share = what["spider"]["share"]
    times = round(share / (1 - share) * len(phantom) / max(len(slabs), 1)) if share else 0
    return phantom + slabs * times


def finished(folder: Path, what: dict[str, Any]) -> bool:
    """Whether these weights are there, made by this recipe."""
    record = folder / "record.json"
    return record.is_file() and files.read_json(record).get("recipe") == what


def main(words: list[str] | None = None) -> int:
    """Make what is missing."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    add = parser.add_argument
    add("--data", type=Path, default=Path("data"), help="folder of the SPIDER slabs")
    add("--recipe", type=Path, default=HERE / "recipe.toml")
    add("--only", nargs="+", metavar="NAME", help="some networks of the recipe")
    add("--out", type=Path, default=OUT, help="folder of the weights")
    add("--scans", type=Path, default=Path("reports/weights"), help="keeps the phantom's scans")
    given = parser.parse_args(words)
    recipe = tomllib.loads(given.recipe.read_text())
    if unknown := {*(given.only or ())} - {*recipe["networks"]}:
        raise ConfigError(f"the recipe has no {', '.join(sorted(unknown))}; it has "
                          f"{', '.join(recipe['networks'])}.")  # fmt: skip
    wanted = {name: how(recipe, name) for name in given.only or recipe["networks"]}
    missing = {n: what for n, what in wanted.items() if not finished(given.out / n, what)}
    if not missing:
        say("all weights are there")
        return 0
    digest = files.sha256_json([recipe["seed"], recipe["phantom"]])[:12]
    scans = {
        "phantom": material.phantom_scans(recipe, given.scans / f"phantom_{digest}"),
        "spider": material.spider_scans(recipe, given.data, "training")
        if recipe["spider"]["share"] else [],
    }  # fmt: skip
    for name, what in missing.items():
        (given.out / name).mkdir(parents=True, exist_ok=True)
        make(what, given.out / name, scans)
        say(f"{name}: {given.out / name / WEIGHTS}")
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except IvdlibError as error:
        sys.exit(str(error))
