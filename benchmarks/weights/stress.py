"""Try the shipped weights on scans that were turned, cut, resampled or made worse.

    python benchmarks/weights/stress.py

Phantom people under the usual conditions; each is segmented as it is and changed, and the Dice of
both is measured on the grid of the changed scan.
"""

from __future__ import annotations

import argparse
import itertools
import sys
import tempfile
import warnings
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import material
import nibabel as nib
import numpy as np
import pandas as pd
from judge import load_both, the_recipe
from scipy import ndimage

from ivdlib import files, provenance
from ivdlib.data.case import Case
from ivdlib.errors import DataError, IvdlibError
from ivdlib.evaluation import metrics
from ivdlib.phantom import Conditions, simulate
from ivdlib.preprocessing.resampling import resample
from ivdlib.progress import track
from ivdlib.training import predict, shipped
from ivdlib.training.one_scan import predict_case

PEOPLE = 3

CONTRAST = "wat"
"""One image is harder than the mean over eight, and quicker."""

ORIENTATIONS = [
    (order, signs)
    for order in itertools.permutations(range(3))
    for signs in itertools.product((1, -1), repeat=3)
]
Volumes = dict[str, np.ndarray]
Change = Callable[[Volumes], Volumes]


# --- changes of a scan: contrasts, and "truth" between 0 and 1, all alike -------------------------


def pixels(edge: float) -> Change:
    """Other pixels in a slice, in mm."""

    def change(volumes: Volumes) -> Volumes:
        plane = [round(n * s / edge) for n, s in _sides(volumes)]
        return {name: resample(volume, plane) for name, volume in volumes.items()}

    return change


def slices(count: int) -> Change:
    """As many slices over the same width; thick ones are means of what they cover."""

    def change(volumes: Volumes) -> Volumes:
        return {
            name: np.moveaxis(
                resample(np.moveaxis(v, 0, 1), (count, v.shape[2])), 1, 0
            ) for name, v in volumes.items()
        }  # fmt: skip

    return change


def part(*parts: slice) -> Change:
    """Only these slices, rows and columns."""
    return lambda volumes: {name: volume[parts] for name, volume in volumes.items()}


def turned(degrees: float) -> Change:
    """The body turned within the slices."""
    return lambda volumes: {
        name: ndimage.rotate(volume, degrees, (1, 2), reshape=False, order=1)
        for name, volume in volumes.items()
    }


def wider(volumes: Volumes) -> Volumes:
    """Twice the field of view, with air around."""
    sides = [(0, 0), *((n // 2, n // 2) for n, _ in _sides(volumes))]
    return {name: np.pad(volume, sides) for name, volume in volumes.items()}


def _sides(volumes: Volumes) -> Iterator[tuple[int, float]]:
    return zip(next(iter(volumes.values())).shape[1:], material.SPACING[1:], strict=True)


def changes(shape: tuple[int, int, int]) -> dict[str, tuple[Change, tuple[float, float, float]]]:
    """What is done to a scan of `shape`, and the voxel size after it."""
    thick, edge, _ = material.SPACING
    middle, (_, ap, si) = shape[0] // 2, shape
    same, width = material.SPACING, shape[0] * thick
    found: dict = {"as it is": (lambda volumes: volumes, same)}
    for mm in (0.6, 0.9, 1.8, 2.5):
        found[f"pixels of {mm} mm"] = pixels(mm), (thick, mm, mm)
    for mm in (1, 3, 4, 5):
        count = round(width / mm)
        found[f"slices of {mm} mm"] = slices(count), (width / count, edge, edge)
    found["100 slices"] = slices(100), (width / 100, edge, edge)
    found["1 slice"] = part(slice(middle, middle + 1)), same
    found["3 slices"] = part(slice(middle - 1, middle + 2)), same
    upper, rows = slice(si // 2, si), slice(ap // 4, ap // 4 + ap // 2)
    found["upper half of the field"] = part(slice(None), slice(None), upper), same
    found["lower half of the field"] = part(slice(None), slice(None), slice(0, si // 2)), same
    found["half as deep"] = part(slice(None), rows), same
    found["twice the field"] = wider, same
    for degrees in (-15, 15):
        found[f"body turned by {degrees}°"] = turned(degrees), same
    return found


# --- scores ---------------------------------------------------------------------------------------


def segment(networks: tuple, volumes: Volumes, spacing: tuple) -> tuple[np.ndarray | None, str]:
    """Mask, None if it is refused, and what was said."""
    disc, spine = networks
    contrasts = {CONTRAST: np.float32(volumes[CONTRAST])}
    case = Case("one", "one", contrasts, np.diag([*spacing, 1.0]))
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        try:
            mask = predict_case(disc, case, spine=spine, contrast=CONTRAST)
        except DataError as error:
            return None, str(error)
    said = [str(w.message) for w in told if "are brought to" not in str(w.message)]
    return mask, " | ".join(said)


def people(seed: int, noise: float) -> Iterator[Volumes]:
    """Contrasts and truth of some people, in the canonical directions."""
    for number in range(1, PEOPLE + 1):
        conditions = Conditions(swap=0.0)
        conditions = replace(conditions, noise=noise * conditions.noise)
        scan = simulate(number, 1, seed, conditions=conditions)
        arrays = {name: image[::-1, ::-1] for name, image in scan.contrasts.items()}
        yield arrays | {"truth": np.float32(scan.levels[::-1, ::-1] > 0)}


def scores(networks: tuple, seed: int) -> Iterator[dict]:
    """One row for each person and change."""
    kinds = [*people(seed, 1.0)]
    for volumes in track(kinds, "people"):
        plain, _ = segment(networks, volumes, material.SPACING)
        for name, (change, spacing) in changes(volumes["truth"].shape).items():
            new = change(volumes | {"found": np.float32(plain)})
            before, truth = new.pop("found") >= 0.5, new["truth"] >= 0.5
            mask, said = segment(networks, new, spacing)
            yield _row(name, before, mask, truth, said)
    for volumes, usual in zip(people(seed, 2.0), kinds, strict=True):
        mask, said = segment(networks, volumes, material.SPACING)
        plain, _ = segment(networks, usual, material.SPACING)
        truth = volumes["truth"] >= 0.5
        yield _row("twice the noise", plain, mask, truth, said)


def _row(
    name: str,
    before: np.ndarray,
    mask: np.ndarray | None,
    truth: np.ndarray,
    said: str,
) -> dict:
    usual = metrics.dice(before, truth)
    dice = metrics.dice(mask, truth) if mask is not None else np.nan
    return {"change": name, "undisturbed": usual, "dice": dice,
            "ratio": dice / usual, "refused": mask is None, "said": said}  # fmt: skip


def orientations(seed: int, weights: Path) -> dict[str, int]:
    """How many of the 48 orientations of one file, and oblique ones, give the same mask."""
    volumes = next(people(seed, 1.0))
    image = nib.Nifti1Image(volumes["wat"], np.diag([*material.SPACING, 1.0]))
    with tempfile.TemporaryDirectory() as place, warnings.catch_warnings():
        warnings.simplefilter("ignore")

        def found(scan: nib.Nifti1Image) -> np.ndarray:
            path = Path(place, "01_wat.nii.gz")
            nib.save(scan, path)
            (out,) = predict.predict_folder(path, weights, Path(place, "out"))
            mask = nib.as_closest_canonical(nib.load(out))
            return np.asarray(mask.dataobj) > 0

        plain, same = found(image), 0
        for order, signs in track(ORIENTATIONS, "orientations"):
            way = np.array([*zip(order, signs, strict=True)])
            same += np.array_equal(found(image.as_reoriented(way)), plain)
        oblique = 0
        for axis in range(3):
            turn = np.eye(4)
            a, b = (k for k in range(3) if k != axis)
            turn[[a, b], [a, b]] = np.cos(0.3)
            turn[a, b], turn[b, a] = -np.sin(0.3), np.sin(0.3)
            scan = nib.Nifti1Image(volumes["wat"], turn @ image.affine)
            oblique += np.array_equal(found(scan), plain)
    return {"orientations": len(ORIENTATIONS), "same": same, "oblique": 3, "same oblique": oblique}


def main(words: list[str] | None = None) -> int:
    """Write the table of scores."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--weights", default=shipped.USUAL, help="a name, or a file")
    parser.add_argument("--out", type=Path, help="folder for table and record")
    given = parser.parse_args(words)
    seed = the_recipe()["seed"] + 1
    path = shipped.find(given.weights)
    both = load_both(given.weights)
    table = pd.DataFrame(scores(both, seed))
    means = table.groupby("change", sort=False)[["undisturbed", "dice", "ratio", "refused"]].mean()
    print(means.to_string(float_format="{:.3f}".format))
    turns = orientations(seed, path)
    print(turns)
    if given.out:
        files.write_csv(given.out / "stress.csv", table)
        record = provenance.record(
            weights=both[0].passport, people=PEOPLE, seed=seed, contrast=CONTRAST, turns=turns
        )
        files.write_json(given.out / "stress.json", record)
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except IvdlibError as error:
        sys.exit(str(error))
