"""Score the networks of an experiment on real scans of the whole field, by their vertebral bodies.

    python benchmarks/weights/full_fields.py reports/audit/slabs22 berlin_t2 --data ../shared/data
    python benchmarks/weights/full_fields.py reports/audit/slabs22 berlin_t2 --data … --cut

Every fold and seed of FDS-CNN, U-Net and DeepLabv3+, on every scan: none of them trained on these
scans, and nothing was chosen on them. A scan has no disc labels; between each two labelled bodies
lies one disc (`ivdlib.evaluation.gaps`). A gap counts as *found* if exactly one piece of the mask
lies in it and fills at least `FILLED` of it: declared before any network was scored so.

With `--cut` each scan is cut to the field that the network was trained on, about the middle of its
labelled bodies, as `ivdlib predict` advises for a wider scan. Added after the spine U-Nets of
slabs22 (241 × 301 mm) had found next to nothing on whole scans of Berlin (381 mm).

A network that has its rows is not scored again. Rows go to `reports/full_fields/NAME.csv.gz`.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
from judge import quietly, with_bodies

from ivdlib import files, provenance
from ivdlib.data.case import Case
from ivdlib.errors import DataError, IvdlibError
from ivdlib.evaluation import gaps, recorded
from ivdlib.evaluation.full_fields import CUT, FILLED, OF_FIELDS
from ivdlib.profiles import ARMS, leaves_out
from ivdlib.progress import say, track
from ivdlib.training import engines, spine_of_scan
from ivdlib.training.weights import WEIGHTS


def trainings(folder: Path) -> dict[Path, dict]:
    """Finished trainings of whole networks that have their weights here."""
    found = {
        place: record
        for place, record in recorded.trainings(folder).items()
        if record["target"] == "disc" and not leaves_out(record["network"])
    }
    without = [place for place in found if not (place / WEIGHTS).is_file()]
    if without:
        say(f"{len(without)} of {len(found)} networks have no weights here; they are left out")
    return {place: record for place, record in found.items() if place not in without}


def cut_to_field(
    case: Case, bodies: np.ndarray, field: list[list[float]]
) -> tuple[Case, np.ndarray]:
    """Cut the slices of a scan to a field, about the middle of its bodies.

    Parameters
    ----------
    case : Case
    bodies : ndarray of int, shape (slices, rows, columns)
        Numbered vertebral bodies, 0 elsewhere.
    field : list of [least, most], in mm
        Along rows and columns, as in a network's passport; the most counts.
    """
    at = np.argwhere(bodies)
    first = np.zeros(3, int)
    size = np.array(case.shape)
    for axis, (_, most) in zip((1, 2), field, strict=True):
        size[axis] = min(case.shape[axis], int(most / case.spacing[axis]))
        middle = (at[:, axis].min() + at[:, axis].max()) // 2
        first[axis] = np.clip(middle - size[axis] // 2, 0, case.shape[axis] - size[axis])
    window = tuple(slice(a, a + n) for a, n in zip(first, size, strict=True))
    affine = np.array(case.affine, float)
    affine[:3, 3] = (affine @ [*first, 1])[:3]
    images = {name: image[window] for name, image in case.contrasts.items()}
    return replace(case, contrasts=images, affine=affine), bodies[window]


def rows_of(
    place: Path, record: dict, scans: list[tuple[Case, np.ndarray]], cut: bool = False
) -> Iterator[dict[str, object]]:
    """Score one network on all scans."""
    disc = engines.load_network(place / WEIGHTS)
    spine = (spine_of_scan.spine_beside(disc, place / WEIGHTS) or [None])[0]
    if cut:
        field = (spine or disc).passport["field"]
        scans = [cut_to_field(case, bodies, field) for case, bodies in scans]
    for case, bodies in scans:
        found = gaps.score_gaps(quietly(disc, case, spine=spine), bodies, case.spacing)
        right = [gap.pieces == 1 and gap.fill >= FILLED for gap in found.gaps]
        yield {
            "training": place.name, "network": record["network"],
            "trained_on": ARMS[record["arm"]], "fold": record["fold"], "seed": record["seed"],
            "subject": case.subject, "case": case.name, "gaps": len(right), "found": sum(right),
            "fill": float(np.median([gap.fill for gap in found.gaps])), "bone": found.bone,
            "below": found.below, "astray": found.astray, "specks": found.specks,
        }  # fmt: skip


def main(words: list[str] | None = None) -> int:
    """Score what has not been scored."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    add = parser.add_argument
    add("experiment", type=Path, help="folder with the trainings")
    add("scans", help="folder of scans with their bodies, in --data")
    add("--data", type=Path, default=Path("data"))
    add("--cut", action="store_true", help="cut scans to the field that a network was trained on")
    add("--out", type=Path, default=provenance.reports_folder() / OF_FIELDS)
    given = parser.parse_args(words)
    path = given.out / f"{given.experiment.name}_on_{given.scans}{CUT * given.cut}.csv.gz"
    old = pd.read_csv(path) if path.is_file() else pd.DataFrame(columns=["training"])
    left = {
        place: record
        for place, record in trainings(given.experiment).items()
        if place.name not in set(old["training"])
    }
    if not left and not len(old):
        raise DataError(f"{given.experiment} holds no network with weights; train it first.")
    scans = [*with_bodies(given.scans, given.data)] if left else []
    for place, record in track([*left.items()], path.stem):
        new = pd.DataFrame(rows_of(place, record, scans, given.cut))
        old = pd.concat([old, new]) if len(old) else new
        files.write_csv(path, old)
    made = provenance.record(
        experiment=given.experiment.name, scans=given.scans, cut=given.cut, fill=FILLED
    )
    files.write_json(path.with_suffix("").with_suffix(".json"), made)
    print(old.groupby(["network", "trained_on"])[["found", "gaps"]].sum().to_string())
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except IvdlibError as error:
        sys.exit(str(error))
