"""How far measurements and names of discs are right: phantom people, and real discs and bodies.

    python benchmarks/weights/measured.py --data ../shared/data

Phantom people are measured from their true masks and from predicted ones, on the challenge's voxels
(2 x 1.25 x 1.25 mm) and on coarser ones (4 x 1.8 x 1.8 mm). Real discs (`ribeirao_discs`) have
published volumes; real bodies say how the discs between them are called.
"""

from __future__ import annotations

import argparse
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path

import judge
import material
import nibabel as nib
import numpy as np
import pandas as pd
import stress

from ivdlib import files, provenance
from ivdlib.data.case import Case
from ivdlib.data.discs import LEVELS
from ivdlib.errors import DataError, DataWarning, IvdlibError
from ivdlib.evaluation import gaps
from ivdlib.evaluation.disc_table import SPREAD, find_discs
from ivdlib.evaluation.measurements import measure
from ivdlib.phantom import Conditions, simulate
from ivdlib.progress import track
from ivdlib.training import shipped
from ivdlib.training.one_scan import segment_case

PEOPLE = 20
GRIDS = {"2 x 1.25 mm": None, "4 x 1.8 mm": (4.0, 1.8)}

TRUE = {
    "volume_ml": "volume_ml", "height_front_mm": "front_rim_mm",
    "height_middle_mm": "height_middle_mm", "height_back_mm": "back_rim_mm",
    "depth_mm": "depth_mm", "wedge_deg": "wedge_deg",
}  # fmt: skip
"""A measurement and its truth in the phantom's table."""

BODIES = {
    "munich_wat": ("L1", "L2", "L3", "L4", "L5"),
    "berlin_t2": ("T11", "T12", "L1", "L2", "L3", "L4", "L5"),
}


def phantoms(both: judge.Networks, seed: int, people: int) -> Iterator[dict]:
    """One row for each disc, grid and way: what was measured, the truth, the given name."""
    for number in track(range(1, people + 1), "phantom people"):
        scan = simulate(number, 1, seed, conditions=Conditions(swap=0.0))
        arrays = {name: np.float32(c[::-1, ::-1]) for name, c in scan.contrasts.items()}
        levels, truth = scan.levels[::-1, ::-1], {row["level"]: row for row in scan.discs}
        yield from _rows(number, "true mask", "2 x 1.25 mm", truth,
                         measure(np.where(levels <= len(LEVELS), levels, 0).astype(int),
                                 material.SPACING), LEVELS, LEVELS)  # fmt: skip
        for grid, size in GRIDS.items():
            volumes, spacing = dict(arrays), material.SPACING
            marks = {f"level {k}": np.float32(levels == k) for k in np.unique(levels[levels > 0])}
            if size:
                count = round(len(levels) * spacing[0] / size[0])
                both_ways = (stress.slices(count), stress.pixels(size[1]))
                for change in both_ways:
                    volumes, marks = change(volumes), change(marks)
                spacing = (len(levels) * spacing[0] / count, size[1], size[1])
            case = Case(f"p{number}", str(number), volumes, np.diag([*spacing, 1.0]))
            discs = _found(both, case)
            if discs is None:
                continue
            numbers = range(1, len(discs.rows) + 1)
            shares = [[marks[m][discs.chain.labels == k].mean() for m in marks] for k in numbers]
            named = dict(enumerate(LEVELS, start=1))
            real = [named.get(int([*marks][int(np.argmax(s))].split()[1]), "") for s in shares]
            yield from _rows(number, "predicted", grid, truth, discs.rows, real, discs.names.levels,
                             discs.names.uncertain)  # fmt: skip


def _rows(number, way, grid, truth, rows, real, given, uncertain=False) -> Iterator[dict]:  # noqa: ANN001
    for row, level, name in zip(rows, real, given, strict=False):
        if level not in truth:
            continue
        found = {"person": number, "way": way, "grid": grid, "level": level, "given": name,
                 "uncertain": uncertain}  # fmt: skip
        for key, true in TRUE.items():
            found |= {key: row[key], f"true_{key}": truth[level][true],
                      f"spread_{key}": row.get(f"spread_{key}", np.nan)}  # fmt: skip
        yield found


def _found(both: judge.Networks, case: Case, **how: object):  # noqa: ANN202
    disc, spine = both
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DataWarning)
        try:
            seen = segment_case(disc, case, spine=spine, **how)
        except DataError:
            return None
    return find_discs(seen.mask, case.spacing, case.contrasts, seen.votes)


def agreement(table: pd.DataFrame) -> pd.DataFrame:
    """Bias, limits of agreement, mean error, and how often twice the spread covers the error."""
    rows = []
    for (way, grid), part in table.groupby(["way", "grid"], sort=False):
        for key in TRUE:
            off = part[key] - part[f"true_{key}"]
            off = off / part[f"true_{key}"] * 100 if key == "volume_ml" else off
            spread = part[f"spread_{key}"]
            covered = ((part[key] - part[f"true_{key}"]).abs() <= 2 * spread)[spread.notna()]
            rows.append({
                "way": way, "grid": grid, "what": "volume, %" if key == "volume_ml" else key,
                "discs": int(off.notna().sum()), "bias": off.mean(),
                "low": off.mean() - 1.96 * off.std(), "high": off.mean() + 1.96 * off.std(),
                "mean error": off.abs().mean(),
                "covered": covered.mean() if key in SPREAD and len(covered) else np.nan,
            })  # fmt: skip
    return pd.DataFrame(rows)


def names_of_phantoms(table: pd.DataFrame) -> Iterator[dict]:
    """Whether all names of a scan are right, and whether they were called uncertain."""
    found = table[table["way"] == "predicted"]
    for (person, grid), part in found.groupby(["person", "grid"]):
        yield {"data": f"phantom, {grid}", "scan": person, "discs": len(part),
               "right": (part["given"] == part["level"]).all(),
               "uncertain": bool(part["uncertain"].any())}  # fmt: skip


def names_of_real(name: str, both: judge.Networks, data: Path, final: bool) -> Iterator[dict]:
    """The same for real scans, by their bodies."""
    for case, bodies in judge.with_bodies(name, data, judge.chosen(name, final)):
        if (discs := _found(both, case)) is None:
            yield {"data": name, "scan": case.name, "discs": 0, "right": False, "uncertain": True}
            continue
        pairs = gaps.score_names(
            discs.chain.labels, discs.names.levels, bodies, BODIES[name], case.spacing
        )
        yield {"data": name, "scan": case.name, "discs": len(pairs),
               "right": bool(pairs) and all(a == b for a, b in pairs),
               "uncertain": discs.names.uncertain}  # fmt: skip


def volumes_of_ribeirao(data: Path) -> pd.DataFrame:
    """Volumes of real discs beside those that were published."""
    known = pd.read_csv(data / "ribeirao_discs" / "volumes.csv").set_index("subject")
    rows = []
    for path in sorted((data / "ribeirao_discs").glob("*_Labels.nii.gz")):
        image = nib.as_closest_canonical(nib.load(path))
        labels = np.rint(np.asarray(image.dataobj)).astype(int)
        edges = tuple(map(float, nib.affines.voxel_sizes(image.affine)))
        subject = int(path.name.split("_")[1])
        for row in measure(labels, edges):
            published = float(known.loc[subject].iloc[row["disc"] - 1])
            rows.append({"subject": subject, "disc": row["disc"], "volume_ml": row["volume_ml"],
                         "published_ml": published})  # fmt: skip
    return pd.DataFrame(rows)


def main(words: list[str] | None = None) -> int:
    """Measure, name, compare."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    add = parser.add_argument
    add("--data", type=Path, default=Path("data"))
    add("--weights", default=shipped.USUAL, help="a name, or a file")
    add("--people", type=int, default=PEOPLE)
    add("--final", action="store_true", help="scans that nobody has looked at: once, at the end")
    add("--out", type=Path, help="folder for tables and record")
    given = parser.parse_args(words)
    both = judge.load_both(given.weights)
    seed = judge.the_recipe()["seed"] + (2 if given.final else 1)
    table = pd.DataFrame(phantoms(both, seed, given.people))
    tables = {"discs": table, "agreement": agreement(table)}
    names = [*names_of_phantoms(table)]
    for name in BODIES:
        if (given.data / name).is_dir():
            names += names_of_real(name, both, given.data, given.final)
    tables["names"] = pd.DataFrame(names)
    if (given.data / "ribeirao_discs").is_dir():
        tables["ribeirao"] = volumes_of_ribeirao(given.data)
        off = (tables["ribeirao"]["volume_ml"] / tables["ribeirao"]["published_ml"] - 1).abs()
        print(f"ribeirao_discs: volumes off by {100 * off.max():.3f} % at most ({len(off)} discs)")
    print(tables["agreement"].to_string(index=False, float_format="{:.2f}".format))
    shown = tables["names"].assign(
        silent=~tables["names"]["right"] & ~tables["names"]["uncertain"]
    ).groupby("data", sort=False)[["right", "uncertain", "silent"]]  # fmt: skip
    print(shown.agg("mean").to_string(float_format="{:.2f}".format))
    if given.out:
        for name, one in tables.items():
            files.write_csv(given.out / f"{name}.csv", one.round(4))
        record = provenance.record(
            weights=both[0].passport, people=given.people, seed=seed, final=given.final
        )
        files.write_json(given.out / "record.json", record)
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except IvdlibError as error:
        sys.exit(str(error))
