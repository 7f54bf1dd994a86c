"""Score the shipped weights on scans that they were not trained on, real ones above all.

    python benchmarks/weights/judge.py --data ../shared/data

Without `--final` it uses what may be looked at while choosing: phantom people of another seed, the
SPIDER patients of `inner`, eight scans of munich_wat, three of berlin_t2, and the crops of patients
A to C. `--final` takes the others, once, at the end.
"""

from __future__ import annotations

import argparse
import sys
import tomllib
import warnings
from collections.abc import Iterator
from pathlib import Path

import material
import nibabel as nib
import numpy as np
import pandas as pd
from scipy import ndimage

from ivdlib import files, provenance
from ivdlib.data.case import Case
from ivdlib.data.cases import load_cases
from ivdlib.errors import DataError, DataWarning, IvdlibError
from ivdlib.evaluation import challenge, gaps, metrics
from ivdlib.phantom import Conditions, simulate
from ivdlib.phantom.signal import TISSUE_CODES
from ivdlib.preprocessing.resampling import on_plane, plane_for, resample
from ivdlib.progress import say, track
from ivdlib.training import engines, inference, one_scan, shipped, spine_of_scan
from ivdlib.training.weights import Network

HERE = Path(__file__).parent
LOOKED_AT = {"munich_wat": 8, "berlin_t2": 3}
"""Scans for choosing: those of the lowest numbers."""

CHOOSE = "ABC"
"""Patients of the crops for choosing."""

PEOPLE = 10
"""Phantom people."""

DISC_TISSUE = [code for name, code in TISSUE_CODES.items() if name.startswith(("nucl", "annul"))]

SLIT = 2
"""Pixels: slits of up to twice as much are filled."""

DISK = np.hypot(*np.mgrid[-SLIT : SLIT + 1, -SLIT : SLIT + 1])[None] <= SLIT

Networks = tuple[Network, Network]


def the_recipe() -> dict:
    """What the weights are made by."""
    return tomllib.loads((HERE / "recipe.toml").read_text(encoding="utf-8"))


def load_both(weights: str) -> Networks:
    """Network for discs, by its name or file, and the spine network beside it."""
    path = shipped.find(weights)
    disc = engines.load_network(path)
    return disc, spine_of_scan.spine_beside(disc, path)[0]


def chosen(name: str, final: bool) -> slice:
    """Which scans of a folder may be looked at, or the others."""
    return slice(LOOKED_AT[name], None) if final else slice(LOOKED_AT[name])


def with_bodies(
    name: str, data: Path, which: slice = slice(None)
) -> Iterator[tuple[Case, np.ndarray]]:
    """Scans of a folder, in the order of their names, each with its numbered vertebral bodies."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DataWarning)
        cases = sorted(
            load_cases(data / name, needed=[name.split("_")[1]]), key=lambda case: case.name
        )
    for case in track(cases[which], name):
        image = nib.load(data / name / "vertebrae" / f"{case.name}.nii.gz")
        yield case, np.rint(np.asarray(nib.as_closest_canonical(image).dataobj)).astype(int)


def quietly(network: Network, case: Case, **how: object) -> np.ndarray:
    """Segment a scan, without warnings; one that is refused has an empty mask."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DataWarning)
        try:
            return one_scan.predict_case(network, case, **how)
        except DataError as error:
            say(str(error))
            return np.zeros(case.shape, bool)


def people(recipe: dict, final: bool) -> Iterator[tuple[Case, np.ndarray, np.ndarray]]:
    """Phantom people under the usual conditions.

    With each go its disc numbers and the voxels of discs above them: one more disc than is numbered
    may stand at the upper edge, and finding it is neither right nor wrong.
    """
    seed = recipe["seed"] + (2 if final else 1)
    for number in track(range(1, PEOPLE + 1), "phantom people"):
        scan = simulate(number, 1, seed, conditions=Conditions(swap=0.0))
        contrasts = {name: np.float32(c[::-1, ::-1]) for name, c in scan.contrasts.items()}
        case = Case(f"p{number}", str(number), contrasts, np.diag([*material.SPACING, 1.0]))
        truth, tissue = scan.levels[::-1, ::-1], scan.tissue[::-1, ::-1]
        above = np.arange(case.shape[2]) > np.flatnonzero(truth.any(axis=(0, 1)))[-1]
        yield case, truth, np.isin(tissue, DISC_TISSUE) & above


def numbered(labels: np.ndarray, beyond: np.ndarray) -> np.ndarray:
    """Pieces of a mask without those that reach into discs that have no number."""
    return np.where(np.isin(labels, np.unique(labels[beyond & (labels > 0)])), 0, labels)


def phantom(both: Networks, recipe: dict, final: bool) -> Iterator[dict]:
    """Dice of each disc, and pieces that are none."""
    disc, spine = both
    for case, truth, beyond in people(recipe, final):
        found = gaps.pieces(quietly(disc, case, spine=spine), np.array(case.spacing))
        labels = numbered(found.labels, beyond)
        each = [row["dice"] for row in challenge.disc_scores(labels > 0, truth, case.spacing)]
        stray = [k for k in found.places if (labels == k).any() and not truth[labels == k].any()]
        yield {"scan": case.name, "discs": len(each), "dice": np.mean(each), "least": min(each),
               "false": len(stray)}  # fmt: skip


def bodies(name: str, both: Networks, data: Path, final: bool) -> Iterator[dict]:
    """Score by the vertebral bodies, see `ivdlib.evaluation.gaps`."""
    disc, spine = both
    for case, numbers in with_bodies(name, data, chosen(name, final)):
        found = gaps.score_gaps(quietly(disc, case, spine=spine), numbers, case.spacing)
        for gap in found.gaps:
            yield {"scan": case.name, "pieces": gap.pieces, "fill": gap.fill, "offset": gap.offset,
                   "bone": found.bone, "below": found.below, "astray": found.astray,
                   "specks": found.specks}  # fmt: skip


def spider_cases(recipe: dict, data: Path, final: bool) -> Iterator[Case]:
    """Scans of the patients that were kept out, or of those for choosing."""
    which = recipe["spider"]["kept_out" if final else "inner"]
    for folder in recipe["spider"]["folders"]:
        for case in load_cases(data / folder, discs={1}, spine={1, 2, 3}):
            if int(case.subject) in which:
                yield case


def spider(both: Networks, recipe: dict, data: Path, final: bool) -> Iterator[dict]:
    """Dice of discs and spine on real T2."""
    disc, spine = both
    for case in spider_cases(recipe, data, final):
        mask = quietly(disc, case, spine=spine)
        seen = on_plane(
            case, plane_for(case.shape, case.spacing, [(s, s) for s in material.SPACING])
        )
        region = inference.predict_spine(
            spine.model, seen.contrasts, spine.passport["factor"], seen.spacing, 20.0
        )
        truth = resample(case.spine, seen.shape[1:]) >= 0.5
        # SPIDER leaves slits between disc and body; the paper's spine has none.
        filled = ndimage.binary_closing(np.pad(truth, SLIT), DISK)[(slice(SLIT, -SLIT),) * 3]
        yield {
            "scan": case.name,
            "dice": metrics.dice(mask, case.discs),
            "spine": metrics.dice(region, truth),
            "filled": metrics.dice(region, filled),
        }


def crops(both: Networks, data: Path, final: bool) -> Iterator[dict]:
    """Dice on real crops about a disc, spine stage off: each contrast, and one mask a scan."""
    disc, _ = both
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DataWarning)
        cases = load_cases(data / "ivdm3seg_crops")
    for case in track([c for c in cases if (c.subject in CHOOSE) != final], "crops"):
        alone = {name: metrics.dice(quietly(disc, case, contrast=name), case.discs)
                 for name in case.contrasts}  # fmt: skip
        yield {"scan": case.name, "subject": case.subject, **alone,
               "single": np.mean([*alone.values()]),
               "together": metrics.dice(quietly(disc, case), case.discs)}  # fmt: skip


def summary(tables: dict[str, pd.DataFrame]) -> pd.DataFrame:
    """The numbers that goals are set for."""
    rows = []

    def add(data: str, what: str, value: float, goal: str) -> None:
        rows.append({"data": data, "what": what, "value": value, "goal": goal})

    for name, t in tables.items():
        scans = t.groupby("scan").first()
        if name == "phantom":
            add(name, "mean Dice per disc", t["dice"].mean(), "≥ 0.88")
            add(name, "scans without a false disc", (t["false"] == 0).mean(), "≥ 0.95")
        elif name in LOOKED_AT:
            add(name, "gaps with one piece", (t["pieces"] == 1).mean(), "≥ 0.95")
            add(name, "median fill", t["fill"].median(), "0.65 to 1.1")
            add(name, "gaps with fill under .4", (t["fill"] < 0.4).mean(), "≤ 0.05")
            add(name, "median offset, pixels", t["offset"].median(), "-0.5 to 0.5")
            add(name, "deep in bone", scans["bone"].mean(), "≤ 0.01")
            add(name, "scans with a disc below", scans["below"].mean(), "≥ 0.90")
            add(name, "scans with no piece astray", (scans["astray"] == 0).mean(), "≥ 0.90")
            add(name, "specks a scan", scans["specks"].mean(), "")
        elif name == "spider":
            add(name, "Dice of discs", t["dice"].mean(), "≥ 0.85")
            add(name, "Dice of the spine", t["spine"].mean(), "≥ 0.90")
            add(name, "the same, slits in the truth filled", t["filled"].mean(), "")
        else:
            add(name, "mean Dice, single contrasts", t["single"].mean(), "≥ 0.84")
            add(name, "Dice, one mask a scan", t["together"].mean(), "≥ 0.86")
    return pd.DataFrame(rows)


def main(words: list[str] | None = None) -> int:
    """Score one network on all data that are there."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    add = parser.add_argument
    add("--data", type=Path, default=Path("data"))
    add("--weights", default=shipped.USUAL, help="a name, or a file")
    add("--final", action="store_true", help="what nobody has looked at: once, at the end")
    add("--only", nargs="+", metavar="DATA")
    add("--out", type=Path, help="folder for tables and record")
    given = parser.parse_args(words)
    recipe = the_recipe()
    both, final = load_both(given.weights), given.final
    ways = {
        "munich_wat": lambda: bodies("munich_wat", both, given.data, final),
        "berlin_t2": lambda: bodies("berlin_t2", both, given.data, final),
        "spider": lambda: spider(both, recipe, given.data, final),
        "crops": lambda: crops(both, given.data, final),
        "phantom": lambda: phantom(both, recipe, final),
    }
    tables = {name: pd.DataFrame(ways[name]()) for name in given.only or ways}
    found = summary(tables)
    print(found.to_string(index=False, float_format="{:.3f}".format))
    if given.out:
        for name, table in tables.items():
            files.write_csv(given.out / f"{name}.csv", table)
        files.write_csv(given.out / "summary.csv", found)
        record = provenance.record(weights=both[0].passport, final=final, data=[*tables])
        files.write_json(given.out / "record.json", record)
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except IvdlibError as error:
        sys.exit(str(error))
