"""Score one full case with nine discs, beside MedPy and SimpleITK.

36 × 256 × 256 voxels of 4 × 1.25 × 1.25 mm as in the challenge; the discs are ellipsoids, the
prediction is the truth with a surface that wanders by about a voxel.

    python benchmarks/scorer.py --rounds 5 --out reports/reference/speed/scorer

Rounds are interleaved and the best of each row counts. MedPy gets each disc cropped by us, else it
would measure whole volumes, and SimpleITK the overlap alone. Ends with status 1 where ivdlib takes
a second or more, or a number of it differs from the peer's.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from scipy import ndimage

from ivdlib import provenance
from ivdlib.data.discs import components
from ivdlib.evaluation import challenge
from ivdlib.files import write_csv, write_json

SHAPE, SPACING = (36, 256, 256), (4.0, 1.25, 1.25)
DISCS, GOAL_SECONDS = 9, 1.0


def case(seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Make truth and prediction: bool, (slices, AP, SI)."""
    rng = np.random.default_rng(seed)
    x, y, z = np.ogrid[: SHAPE[0], : SHAPE[1], : SHAPE[2]]
    wander = ndimage.gaussian_filter(rng.normal(size=SHAPE), (1, 3, 3))
    wander *= 0.12 / wander.std()
    truth, pred = np.zeros(SHAPE, bool), np.zeros(SHAPE, bool)
    for k in range(DISCS):
        centre = 22 + 26 * k
        radius = np.sqrt(((x - 18) / 6) ** 2 + ((y - 128) / 15) ** 2 + ((z - centre) / 5) ** 2)
        truth |= radius <= 1
        pred |= radius + wander <= 1
    return pred, truth


def _ours(pred: np.ndarray, truth: np.ndarray) -> list[dict[str, Any]]:
    return challenge.disc_scores(pred, truth, SPACING)


def _peers() -> dict[str, Callable[[np.ndarray, np.ndarray], list[dict[str, Any]]]]:
    import SimpleITK
    from medpy.metric import binary

    def each(pred: np.ndarray, truth: np.ndarray, crop: bool):
        labels = components(truth)
        for number, box in enumerate(ndimage.find_objects(labels), start=1):
            around = tuple(slice(max(s.start - 12, 0), s.stop + 12) for s in box)
            around = around if crop else ...
            yield pred[around] & _near(labels, number)[around], (labels == number)[around]

    def medpy(pred: np.ndarray, truth: np.ndarray, crop: bool = True) -> list[dict[str, Any]]:
        return [
            {"dice": binary.dc(p, t), "hd95_mm": binary.hd95(p, t, SPACING),
             "assd": binary.assd(p, t, SPACING)}
            for p, t in each(pred, truth, crop)
        ]  # fmt: skip

    def simpleitk(pred: np.ndarray, truth: np.ndarray) -> list[dict[str, Any]]:
        rows = []
        for p, t in each(pred, truth, True):
            overlap = SimpleITK.LabelOverlapMeasuresImageFilter()
            images = (SimpleITK.GetImageFromArray(a.astype(np.uint8)) for a in (p, t))
            overlap.Execute(*images)
            rows.append({"dice": overlap.GetDiceCoefficient()})
        return rows

    return {
        "MedPy, each disc cropped": medpy,
        "MedPy, whole volumes": lambda p, t: medpy(p, t, crop=False),
        "SimpleITK, overlap alone": simpleitk,
    }


def _near(labels: np.ndarray, number: int) -> np.ndarray:
    """Half of the way to the discs above and below: they lie in a row."""
    found = ndimage.find_objects((labels == number).astype(np.uint8))[0][2]
    near = np.zeros(labels.shape, bool)
    near[:, :, max(found.start - 8, 0) : found.stop + 8] = True
    return near


def measure(rounds: int) -> tuple[list[dict[str, Any]], bool]:
    """Time every scorer; rows of the table, and whether all numbers agree."""
    pred, truth = case()
    scorers = {"ivdlib": _ours, **_peers()}
    seconds: dict[str, list[float]] = {name: [] for name in scorers}
    found: dict[str, list[dict[str, Any]]] = {}
    for _ in range(rounds):
        for name, scorer in scorers.items():
            begin = time.perf_counter()
            found[name] = scorer(pred, truth)
            seconds[name].append(time.perf_counter() - begin)
    agree = all(
        np.isclose(mine[key], theirs[key], rtol=1e-6)
        for rows in found.values()
        for mine, theirs in zip(found["ivdlib"], rows, strict=True)
        for key in {"dice", "hd95_mm"} & set(theirs)
    )
    ours = min(seconds["ivdlib"])
    rows = [
        {"scorer": name, "discs": len(found[name]), "seconds": min(taken),
         "times ivdlib": min(taken) / ours}
        for name, taken in seconds.items()
    ]  # fmt: skip
    return rows, agree


def main() -> int:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--out", type=Path, metavar="DIR")
    args = parser.parse_args()
    rows, agree = measure(args.rounds)
    for row in rows:
        print(f"{row['scorer']:28} {row['seconds']:8.3f} s  {row['times ivdlib']:6.1f} ×")
    print("Dice and 95 % Hausdorff agree" if agree else "Dice or 95 % Hausdorff DIFFER")
    if args.out:
        import pandas as pd

        write_csv(args.out / "table.csv", pd.DataFrame(rows))
        record = provenance.record(shape=SHAPE, spacing=SPACING, rounds=args.rounds, agree=agree)
        write_json(args.out / "record.json", record)
    return int(not agree or rows[0]["seconds"] >= GOAL_SECONDS)


if __name__ == "__main__":
    sys.exit(main())
