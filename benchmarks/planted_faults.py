"""Plant known faults in phantom scans, run `ivdlib check` over them, count hits.

A third of the scans stay clean. The others hold one fault each: water and fat exchanged in a region
or in the whole scan, one contrast under another's name, a contrast or labels with another geometry,
or labels that lie beside the discs while their affine is that of the scan. Every fourth scan is
hard: twice the noise and the artefacts, more different tissues, haemangiomas.

    python benchmarks/planted_faults.py --scans 200 --out planted_faults.json

With ``--crops DIR`` real crops are checked too: all of `wat` there is a copy of `inn`, and nothing
is exchanged. Ends with status 1 where a goal is missed.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
import warnings
from itertools import permutations
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from ivdlib.data.cases import check_cases, load_case, load_cases
from ivdlib.data.contrasts import CONTRASTS
from ivdlib.data.orientation import to_canonical
from ivdlib.data.quality.exchange import find_exchange, undo_exchange
from ivdlib.evaluation.metrics import dice
from ivdlib.files import write_json
from ivdlib.phantom import simulate
from ivdlib.phantom.conditions import Conditions
from ivdlib.progress import Progress

SIZES = ((0.01, 0.02), (0.02, 0.05), (0.05, 0.10), (0.10, 0.20), (0.20, 0.40))
"""Share of the body that a local exchange takes, in classes."""
COUNTED = 0.05
"""From this share of the body on an exchange must be found."""
FAULTS = ("local", "whole", "local", "copy", "local", "labels", "local", "geometry", "shifted")
GEOMETRY = ("moved", "thicker", "turned", "shorter")
COPIES = tuple(permutations(CONTRASTS, 2))
HARD = {"noise": 0.11, "artefacts": 2, "variety": 2, "rates": {"haemangioma": 1.0, "schmorl": 1.0}}


class Plan(NamedTuple):
    """One scan: its number, the fault, its size class or variant, and whether it is a hard one."""

    number: int
    kind: str
    variant: int
    hard: bool


Images = dict[str, tuple[np.ndarray, np.ndarray]]
"""Array and affine of each word."""


def plans(count: int) -> list[Plan]:
    """What each of `count` scans holds; faults and variants take turns."""
    seen = dict.fromkeys(("clean", *FAULTS), 0)
    result = []
    for number in range(count):
        faulty = number - number // 3 - 1
        kind = "clean" if number % 3 == 0 else FAULTS[faulty % len(FAULTS)]
        result.append(Plan(number, kind, seen[kind], seen[kind] % 4 == 3))
        seen[kind] += 1
    return result


def smooth_region(
    body: np.ndarray, spacing: tuple[float, float, float], share: float, rng: np.random.Generator
) -> np.ndarray:
    """Region (bool) of about `share` of the body: one piece, dented at random, about a spot in it.

    The distance from the spot plus a smooth random field of 15 to 40 mm correlation is thresholded.
    """
    from scipy.ndimage import gaussian_filter, label, zoom

    spot = rng.permutation(np.argwhere(body))[0]
    stretch = rng.uniform(0.7, 1.4, 3)
    away = [
        (np.arange(n) - s) * edge / f
        for n, s, edge, f in zip(body.shape, spot, spacing, stretch, strict=True)
    ]
    distance = np.sqrt(sum(np.square(part) for part in np.ix_(*away)))
    coarse = [max(2, round(n * edge / 6)) for n, edge in zip(body.shape, spacing, strict=True)]
    dents = gaussian_filter(rng.standard_normal(coarse), rng.uniform(15, 40) / 6)
    dents = zoom(dents / dents.std(), np.divide(body.shape, coarse), order=1)
    radius = (body.sum() * np.prod(spacing) * share * 3 / 4 / np.pi) ** (1 / 3)
    level = distance + 0.5 * radius * dents
    region = level <= np.quantile(level[body], share)
    pieces, count = label(region)
    return region if count < 2 else pieces == np.bincount(pieces[region & body]).argmax()


def plant(
    plan: Plan, images: Images, body: np.ndarray, rng: np.random.Generator
) -> tuple[Images, np.ndarray]:
    """Images with the fault of the plan, and where water and fat are exchanged."""
    exchanged = np.zeros(body.shape, bool)
    images = dict(images)
    affine = images["wat"][1]
    if plan.kind in ("local", "whole"):
        low, high = SIZES[plan.variant % len(SIZES)]
        spacing = tuple(np.linalg.norm(affine[:3, :3], axis=0))
        share = rng.uniform(low, high)
        exchanged[:] = plan.kind == "whole" or smooth_region(body, spacing, share, rng)
        arrays = {name: images[name][0] for name in ("wat", "fat")}
        arrays = undo_exchange(arrays, exchanged)  # exchanging is its own inverse
        images |= {name: (array, affine) for name, array in arrays.items()}
    elif plan.kind == "copy":
        name, source = COPIES[plan.variant % len(COPIES)]
        images[name] = images[source]
    elif plan.kind == "labels":
        images["Labels"] = (images["Labels"][0], moved(affine, rng))
    elif plan.kind == "shifted":
        images["Labels"] = (shifted(images["Labels"][0], plan.variant, affine, rng), affine)
    elif plan.kind == "geometry":
        name = CONTRASTS[plan.variant // len(GEOMETRY) % len(CONTRASTS)]
        variant = GEOMETRY[plan.variant % len(GEOMETRY)]
        images[name] = other_geometry(variant, *images[name], rng)
    return images, exchanged


def moved(affine: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Affine that lies 1 to 8 voxels away along one axis."""
    affine = affine.copy()
    affine[:3, 3] += affine[:3, rng.integers(3)] * rng.integers(1, 9) * rng.choice([-1, 1])
    return affine


def shifted(
    labels: np.ndarray, variant: int, affine: np.ndarray, rng: np.random.Generator
) -> np.ndarray:
    """Labels 4 to 12 mm away: up, down, forwards or backwards in turn."""
    axis = 2 - variant % 4 // 2
    edge = np.linalg.norm(affine[:3, axis])
    voxels = int(np.ceil(rng.uniform(4, 12) / edge)) * (-1) ** variant
    return np.roll(labels, voxels, axis)  # nothing is labelled so near to an end


def other_geometry(
    variant: str, array: np.ndarray, affine: np.ndarray, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Give a contrast another place, slice thickness, orientation or shape than the others have."""
    if variant == "moved":
        return array, moved(affine, rng)
    if variant == "thicker":
        return array, affine @ np.diag([1.1, 1, 1, 1])
    if variant == "turned":
        return array, affine @ np.diag([1, -1, 1, 1])
    return array[:, :, :-1], affine


def write_case(folder: Path, images: Images) -> None:
    """Write one case as NIfTI."""
    import nibabel as nib

    (folder / "scan").mkdir(parents=True)
    for word, (array, affine) in images.items():
        nib.save(nib.Nifti1Image(array, affine), folder / "scan" / f"scan_{word}.nii.gz")


KEPT = ("exchange", "label_shift", "copies", "errors", "warnings")
"""What is read of a row of the check."""


def run(plan: Plan, seed: int, in_plane: int) -> dict[str, Any]:
    """Simulate a scan, plant its fault, check it; one record for the tables."""
    os.environ["IVDLIB_PROGRESS"] = "off"  # this process is a worker
    conditions = Conditions(swap=0, **(HARD if plan.hard else {}))
    scan = simulate(plan.number + 1, 1, seed, in_plane=in_plane, conditions=conditions)
    rng = np.random.default_rng([seed, plan.number])
    body = scan.tissue > 0
    images = {name: (image, scan.affine) for name, image in scan.contrasts.items()}
    images["Labels"] = (scan.labels, scan.affine)
    images, exchanged = plant(plan, images, body, rng)
    record: dict[str, Any] = {**plan._asdict(), "size": float(exchanged[body].mean())}
    with tempfile.TemporaryDirectory() as folder:
        write_case(Path(folder), images)
        begin = time.perf_counter()
        (row,) = check_cases(folder)
        record["seconds"] = round(time.perf_counter() - begin, 2)
        warnings.simplefilter("ignore")  # of load_case: it says what the row says already
        if plan.kind == "local" and (row["exchange"] or {}).get("kind") == "local":
            case = load_case(folder)
            truth = to_canonical(exchanged & body, case.grid)
            found = find_exchange(case.contrasts, case.spacing, case.discs).map
            record["dice"] = dice(found, truth)
    return record | {key: row[key] for key in KEPT}


def says(record: dict, kind: str) -> bool:
    """Whether the check says that a scan has a fault of this kind."""
    exchange = (record["exchange"] or {}).get("kind", "none")
    return {
        "local": exchange != "none",
        "whole": exchange == "whole",
        "copy": bool(record["copies"]),
        "labels": any("label" in s.lower() for s in record["errors"] + record["warnings"]),
        "shifted": record.get("label_shift") is not None,
        "geometry": any("shape" in s or "affine" in s for s in record["errors"]),
    }[kind]


def hits(name: str, kind: str, records: list[dict], target: float | None) -> dict[str, Any]:
    """Row of the table: how many faults were found."""
    found = [record for record in records if says(record, kind)]
    dice = [record["dice"] for record in records if "dice" in record]
    return {
        "what": name,
        "n": len(records),
        "right": len(found),
        "share": round(len(found) / len(records), 3) if records else None,
        "target": target,
        "dice": round(float(np.mean(dice)), 3) if dice else None,
        "dice_least": round(min(dice), 3) if dice else None,
    }


def quietness(name: str, kind: str, records: list[dict], target: float) -> dict[str, Any]:
    """Row of the table: how many scans without the fault were left in peace."""
    right = sum(not says(record, kind) for record in records)
    share = round(right / len(records), 3) if records else None
    return {"what": name, "n": len(records), "right": right, "share": share, "target": target}


def tabulate(records: list[dict]) -> list[dict[str, Any]]:
    """Sensitivity of each fault and size, specificity of each check."""
    of = {kind: [r for r in records if r["kind"] == kind] for kind in ("clean", *FAULTS)}
    rows = []
    for low, high in SIZES:
        some = [r for r in of["local"] if low <= r["size"] < high]
        rows.append(hits(f"exchange of {low:.0%} to {high:.0%}", "local", some, None))
    large = [r for r in of["local"] + of["whole"] if r["size"] >= COUNTED]
    rows.append(hits("whole exchange, called whole", "whole", of["whole"], 0.95))
    rows.append(hits("exchange above 5 %, all", "local", large, 0.95))
    rows.append(hits("copy", "copy", of["copy"], 1.0))
    rows.append(hits("labels moved by their affine", "labels", of["labels"], 1.0))
    rows.append(hits("other geometry", "geometry", of["geometry"], 1.0))
    rows.append(hits("labels moved in voxels", "shifted", of["shifted"], 0.95))
    exchanged = of["local"] + of["whole"]
    loaded = [r for r in records if r not in exchanged and r["exchange"] is not None]
    hard = [r for r in loaded if r["hard"]]
    rows.append(quietness("no exchange, none reported", "local", loaded, 0.95))
    rows.append(quietness("the same, hard scans only", "local", hard, 0.95))
    others = [r for r in records if r["kind"] != "copy"]
    rows.append(quietness("no copy, none reported", "copy", others, 1.0))
    for kind in ("labels", "geometry", "shifted"):
        rows.append(quietness(f"clean, none reported: {kind}", kind, of["clean"], 1.0))
    return rows


def real_crops(folder: Path) -> list[dict[str, Any]]:
    """Rows for real crops: the copies in them, no exchange, and one planted in the whole crop."""
    records = check_cases(folder)
    rows = [hits("real crops: copy", "copy", records, 1.0)]
    rows.append(quietness("real crops: no exchange, none reported", "local", records, 1.0))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        cases = load_cases(folder)
    for name, known in (("discs labelled", True), ("no labels", False)):
        found = []
        for case in cases:
            swapped = {"wat": case.contrasts["fat"], "fat": case.contrasts["wat"]}
            kind = find_exchange(swapped, case.spacing, case.discs if known else None).kind
            found.append({"exchange": {"kind": kind}, "copies": [], "errors": [], "warnings": []})
        rows.append(hits(f"real crops: planted whole exchange, {name}", "whole", found, None))
    return rows


def show(rows: list[dict[str, Any]]) -> None:
    """Print the table."""
    print(f"{'':52} {'n':>4} {'right':>6} {'share':>6} {'goal':>6} {'Dice':>6} {'least':>6}")
    for row in rows:
        numbers = [row[k] for k in ("share", "target")] + [
            row.get(k) for k in ("dice", "dice_least")
        ]
        text = " ".join(f"{'' if x is None else format(x, '.3f'):>6}" for x in numbers)
        print(
            f"{row['what']:52} {row['n']:4} {row['right']:6} {text}{'' if met(row) else '  MISSED'}"
        )


def met(row: dict[str, Any]) -> bool:
    """Whether a row reaches its goal; rows without one do."""
    return row["target"] is None or row["share"] is None or row["share"] >= row["target"]


def main(words: list[str] | None = None) -> int:
    """Run the benchmark; 1 where a goal is missed."""
    from joblib import Parallel, delayed

    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--scans", type=int, default=200, help="scans to simulate (default: 200)")
    parser.add_argument("--in-plane", type=int, default=128, help="voxels a side (default: 128)")
    parser.add_argument("--seed", type=int, default=0, help="of phantom and faults (default: 0)")
    parser.add_argument("--workers", type=int, default=2, help="processes (default: 2)")
    parser.add_argument("--crops", type=Path, help="folder of real crops to check too")
    parser.add_argument("--out", type=Path, help="JSON file for the tables and all scans")
    given = parser.parse_args(words)
    jobs = (delayed(run)(plan, given.seed, given.in_plane) for plan in plans(given.scans))
    crops = real_crops(given.crops) if given.crops else []
    records = []
    with Progress(given.scans, "scans with planted faults") as progress:
        # "multiprocessing" would fork; loky's new processes are safe whatever has been imported.
        pool = Parallel(given.workers, backend="loky", return_as="generator_unordered")
        for record in pool(jobs):
            records.append(record)
            progress.advance()
    records.sort(key=lambda record: record["number"])
    rows = [*tabulate(records), *crops]
    show(rows)
    if given.out:
        arguments = {k: v for k, v in vars(given).items() if k not in ("out", "crops", "workers")}
        write_json(given.out, {"arguments": arguments, "table": rows, "scans": records})
    return 0 if all(map(met, rows)) else 1


if __name__ == "__main__":
    sys.exit(main())
