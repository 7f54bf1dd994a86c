"""Measure how seconds and memory grow with slices, contrasts, people, steps and trainings.

Each row is a process of its own and does 1, 2, 4 or 8 times as much as the first of its kind.
Growth is the exponent of a power law through the rows: 1 where twice as much takes twice as long, 0
where it costs nothing. Seconds are those of the work itself, without start and compilation; memory
is the largest of the whole process.

    python benchmarks/growth.py --out growth

Ends with status 1 if something grows faster than in proportion.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from peers import measure

from ivdlib.data.contrasts import CONTRASTS, FUSED
from ivdlib.errors import IvdlibError
from ivdlib.phantom import make_phantom
from ivdlib.progress import Progress

TIMES = (1, 2, 4, 8)
MOST = 1.15
"""Largest exponent that counts as in proportion: rows this short waver by some percent."""

Work = Callable[[], object]


def images(slices: int, contrasts: int) -> dict[str, np.ndarray]:
    """Contrasts of a scan of whole slices with no zero voxel, so that every tile is computed."""
    from ivdlib.preprocessing import fusion

    rng = np.random.default_rng(0)
    scan = {name: rng.random((slices, 256, 256), dtype=np.float32) + 0.1 for name in CONTRASTS}
    return fusion.images_of(scan, (*CONTRASTS, *FUSED)[:contrasts])


def segment(slices: int, contrasts: int) -> Work:
    """Make the probabilities of a scan by FDS-CNN, size tiny."""
    from ivdlib import networks
    from ivdlib.options import TILE
    from ivdlib.preprocessing.region import region_of
    from ivdlib.training import inference

    model = networks.build("fds_cnn", "tiny", (*TILE, 1))
    region = region_of(None, (slices, 256, 256), (2, 1.25, 1.25), TILE, 0.0)
    inference.predict_images(model, images(1, 1), region_of(None, (1, 256, 256), (2,) * 3, TILE, 0))
    return lambda: inference.predict_images(model, images(slices, contrasts), region)


def load(folder: Path, people: int) -> Work:
    """Read and check the scans of some people, one each."""
    from ivdlib.data.cases import load_cases

    made = make_phantom(folder / "people", subjects=people, stages=1, slices=8, workers=2)
    return lambda: load_cases(made)


def train(folder: Path, steps: int) -> Work:
    """Train U-Net, size tiny, for some steps."""
    from ivdlib import networks
    from ivdlib.data.cases import load_cases
    from ivdlib.options import TrainingOptions
    from ivdlib.preprocessing import fusion
    from ivdlib.preprocessing.sampler import TileSampler, TrainingImage
    from ivdlib.training.trainer import Trainer

    (case,) = load_cases(make_phantom(folder / "one", subjects=1, stages=1, slices=8))
    whole = (0, case.shape[1])
    drawn = [TrainingImage(image, case.discs, whole)
             for image in fusion.images_of(case.contrasts, CONTRASTS).values()]  # fmt: skip
    options = TrainingOptions(steps=steps, batch=4, tile=(64, 64))
    trainer = Trainer("unet", networks.config_of("unet", "tiny"), options.tile, options)
    sampler = TileSampler(drawn, options.tile, options, 0)
    trainer.fit(sampler, 0, "compiled")
    return lambda: trainer.fit(sampler, 0, "timed")


def grid(folder: Path, trainings: int) -> Work:
    """Do as many trainings of an experiment, one after the other: two folds, some seeds."""
    from ivdlib.training.experiment import Experiment
    from ivdlib.training.run import run

    data = make_phantom(folder / "grid", subjects=2, stages=1, slices=4, in_plane=128)
    changes = {"networks": ["unet"], "arms": ["without"], "spine.region": "none",
               "training.steps": 30, "training.tile": [64, 64]}  # fmt: skip

    def named(name: str, seeds: int) -> Experiment:
        wanted = {**changes, "seeds": seeds}
        return Experiment(name, "test", data, overrides=wanted, reports=folder)

    run(named("compiled", 1))
    made = named("timed", trainings)
    return lambda: run(made)


KINDS = {
    "slices of a scan": lambda folder, n: segment(2 * n, 4),
    "contrasts of a scan": lambda folder, n: segment(4, n),
    "people that are loaded": lambda folder, n: load(folder, 2 * n),
    "steps of a training": lambda folder, n: train(folder, 40 * n),
    "trainings": lambda folder, n: grid(folder, n),
}
"""What grows: from folder and factor to the work."""


def run_row(given: argparse.Namespace) -> None:
    """Be the process of one row."""
    kind, _, times = given.row.rpartition(":")
    with tempfile.TemporaryDirectory() as folder:
        work = KINDS[kind](Path(folder), int(times))
        begin = time.perf_counter()
        work()
        measure.tell(seconds=time.perf_counter() - begin, rss_gb=measure.peak_gb())


def exponent(rows: list[dict], what: str) -> float:
    """Slope of a straight line through the logarithms."""
    values = [(row["times"], row[what]) for row in rows if row.get(what)]
    if len(values) < 2:
        return float("nan")
    return float(np.polyfit(*np.log(np.transpose(values)), 1)[0])


def draw(rows: list[dict], path: Path) -> None:
    """Seconds and memory against the factor, both axes logarithmic."""
    from ivdlib.report import plotting

    figure, axes = plotting.new_figure(3.6, ncols=2)
    figure.set_label("Seconds and memory against how much there is to do.")
    for axis, what, title in zip(
        axes, ("seconds", "rss_gb"), ("seconds", "memory, GB"), strict=True
    ):
        for kind, marker in zip(KINDS, "os^vD", strict=True):
            mine = [row for row in rows if row["what"] == kind and row.get(what)]
            axis.loglog([r["times"] for r in mine], [r[what] for r in mine], marker + "-",
                        base=2, label=kind)  # fmt: skip
        axis.set(title=title, xlabel="times as much", xticks=TIMES, xticklabels=TIMES)
    axes[0].legend(fontsize="small")
    plotting.save({path.stem: figure}, path.parent)


def main(words: list[str] | None = None) -> int:
    """Run the benchmark; 1 where a goal is missed."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    add = parser.add_argument
    add("--only", nargs="+", choices=list(KINDS), metavar="KIND", help="; ".join(KINDS))
    add("--out", type=Path, help="folder for table.csv, record.json and growth.png")
    add("--row", help=argparse.SUPPRESS)
    given = parser.parse_args(words)
    if given.row:
        run_row(given)
        return 0
    kinds = given.only or list(KINDS)
    rows = []
    with Progress(len(kinds) * len(TIMES), "rows") as progress:
        for kind in kinds:
            for times in TIMES:
                found = measure.row(__file__, ["--row", f"{kind}:{times}"])
                rows.append({"what": kind, "times": times, **found})
                progress.advance(note=kind)
    measure.show(rows, {"what": "", "times": "d", "seconds": ".2f", "rss_gb": ".2f", "note": ""})
    growth = []
    for kind in kinds:
        mine = [row for row in rows if row["what"] == kind]
        growth.append({"what": kind, **{key: exponent(mine, key) for key in ("seconds", "rss_gb")}})
    measure.show(growth, {"what": "", "seconds": ".2f", "rss_gb": ".2f"})
    goals = [measure.goal(f"growth of seconds with {g['what']}", g["seconds"], MOST, least=False)
             for g in growth]  # fmt: skip
    if given.out:
        draw(rows, given.out / "growth.png")
    return measure.finish(given, rows, goals, growth=growth)


if __name__ == "__main__":
    try:
        sys.exit(main())
    except IvdlibError as error:
        sys.exit(str(error))
