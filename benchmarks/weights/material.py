"""Images to train the shipped weights on: phantom people under many scanners, and real T2 slabs."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from joblib import Parallel, delayed
from scipy import ndimage

from ivdlib.data.cases import load_cases
from ivdlib.data.contrasts import CONTRASTS, FUSED
from ivdlib.options import TILE
from ivdlib.phantom import Conditions, simulate
from ivdlib.preprocessing import fusion, region
from ivdlib.preprocessing.resampling import plane_for, resample
from ivdlib.preprocessing.sampler import TrainingImage
from ivdlib.progress import track

SPACING = (2.0, 1.25, 1.25)
"""Voxels of the challenge in mm; slices may lie at any distance, for one is seen at a time."""

KNOWN = (*CONTRASTS, *FUSED, "t2")
"""Images that the weights may be used on."""

WHOLE = 0.2
"""Share of the images that are shown without a region: the spine stage may be switched off."""

CROPS = 4
"""Crops about one disc from each scan, besides some fifteen images of it: public data hold such."""

OFF_CENTRE = 6
"""Pixels by which the disc of a crop may lie off its middle."""

CROP = ((25, 50), (18, 40))
"""Least and most pixels of their sides, AP and SI; 35 and 25 are those of public ones."""


DISCS = 8
"""The largest pieces of a truth that may be the disc of a crop."""


@dataclass(frozen=True)
class Scan:
    """One scan for training: contrasts, discs, spine, (slices, AP, SI); voxel edges in mm."""

    name: str
    contrasts: dict[str, np.ndarray]
    discs: np.ndarray
    spine: np.ndarray
    spacing: tuple[float, float, float]


# --- scans ----------------------------------------------------------------------------------------


def phantom_scans(recipe: Mapping[str, Any], folder: Path) -> list[Scan]:
    """Phantom people of the recipe, made once and kept in a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    wanted = range(1, recipe["phantom"]["people"] + 1)
    missing = [n for n in wanted if not _kept(folder, n).is_file()]
    if missing:
        jobs = Parallel(n_jobs=-1, return_as="generator_unordered")(
            delayed(_make)(recipe, folder, number) for number in missing
        )
        for _ in track(jobs, "phantom people", total=len(missing)):
            pass
    return [_read(_kept(folder, number)) for number in wanted]


def _kept(folder: Path, number: int) -> Path:
    return folder / f"{number:03d}.npz"


def _make(recipe: Mapping[str, Any], folder: Path, number: int) -> None:
    rng = np.random.default_rng([recipe["seed"], number])
    phantom = recipe["phantom"]
    conditions = Conditions(
        variety=rng.uniform(*phantom["variety"]), noise=rng.uniform(*phantom["noise"]), swap=0.0,
        jitter_mm=0.0,
    )  # fmt: skip
    scan = simulate(number, 1, recipe["seed"], conditions=conditions)
    # Native axes run to the left, backwards and upwards. All discs count, not the lowest seven.
    arrays = {name: image[::-1, ::-1] for name, image in scan.contrasts.items()}
    arrays |= {"discs": scan.levels[::-1, ::-1] > 0, "spine": scan.spine[::-1, ::-1] > 0}
    with tempfile.NamedTemporaryFile(dir=folder, suffix=".part", delete=False) as file:
        np.savez_compressed(file, **arrays)
    Path(file.name).rename(_kept(folder, number))


def _read(path: Path) -> Scan:
    with np.load(path) as arrays:
        contrasts = {name: arrays[name] for name in CONTRASTS}
        return Scan(path.stem, contrasts, arrays["discs"], arrays["spine"], SPACING)


def spider_scans(recipe: Mapping[str, Any], data: Path, which: str) -> list[Scan]:
    """SPIDER patients on the challenge's pixels: those for `training`, `inner` or `kept_out`."""
    spider, found = recipe["spider"], []
    for folder in spider["folders"]:
        for case in load_cases(data / folder, discs={1}, spine={1, 2, 3}):
            number = int(case.subject)
            group = next((g for g in ("inner", "kept_out") if number in spider[g]), "training")
            if group != which:
                continue
            plane = plane_for(case.shape, case.spacing, [(s, s) for s in SPACING])
            contrasts = {name: resample(image, plane) for name, image in case.contrasts.items()}
            masks = (resample(mask, plane) >= 0.5 for mask in (case.discs, case.spine))
            found.append(Scan(case.name, contrasts, *masks, (case.spacing[0], *SPACING[1:])))
    return found


# --- images ---------------------------------------------------------------------------------------


def disc_images(scans: list[Scan], seed: int) -> Iterator[TrainingImage]:
    """Images to draw tiles from: as they are, mixed, blurred, cropped; with and without region."""
    for scan in scans:
        rng = np.random.default_rng([seed, *scan.name.encode()])
        far = ndimage.distance_transform_edt(~scan.spine, sampling=scan.spacing)
        for image, rows, columns in _variants(scan, rng):
            discs, spine = scan.discs[:, rows, columns], scan.spine[:, rows, columns]
            window, margin = (0, image.shape[1]), rng.uniform(10, 25)
            if rng.random() > WHOLE and not region.fits_one_tile(image.shape, TILE):
                window = region.spine_band(spine)
                image = np.where(far[:, rows, columns] <= margin, image, 0)
            yield TrainingImage(np.float16(image), discs, window)


def spine_images(scans: list[Scan], factor: int, seed: int) -> Iterator[TrainingImage]:
    """Whole shrunken slices with the spine as truth."""
    for scan in scans:
        rng = np.random.default_rng([seed, *scan.name.encode(), 1])
        for image, rows, columns in _variants(scan, rng, crops=False):
            small = region.shrink(image, factor)
            truth = region.shrink(scan.spine[:, rows, columns], factor) >= 0.5
            yield TrainingImage(np.float16(small), truth, (0, small.shape[1]))


def _variants(
    scan: Scan, rng: np.random.Generator, crops: bool = True
) -> Iterator[tuple[np.ndarray, slice, slice]]:
    """Images of one scan after min–max, and which part of the slices they show."""
    all_ = slice(None)
    names = [name for name in KNOWN if set(name.split("+")) <= set(scan.contrasts)]
    for image in fusion.images_of(scan.contrasts, names).values():
        yield image, all_, all_
    for k in range(4):
        rows, columns = _part(scan.discs.shape, rng) if k % 2 else (all_, all_)
        mixed = _mixture(scan.contrasts, rng)[:, rows, columns]
        yield fusion.min_max(_coarser(mixed, rng.uniform(1, 2))), rows, columns
    for k in range(CROPS if crops and scan.discs.any() else 0):
        rows, columns = _about_a_disc(scan.discs, rng)
        part = {name: image[:, rows, columns] for name, image in scan.contrasts.items()}
        if k % 2:
            yield fusion.min_max(_mixture(part, rng)), rows, columns
        else:
            name = names[rng.integers(len(names))]
            yield fusion.images_of(part, [name])[name], rows, columns


def _mixture(contrasts: Mapping[str, np.ndarray], rng: np.random.Generator) -> np.ndarray:
    """Sum of two contrasts, each by a random factor."""
    a, b = (list(contrasts)[k] for k in rng.integers(len(contrasts), size=2))
    share = rng.uniform()
    return share * np.float32(contrasts[a]) + (1 - share) * np.float32(contrasts[b])


def _coarser(image: np.ndarray, factor: float) -> np.ndarray:
    """As if it had been measured with pixels `factor` times as large."""
    plane = [max(8, round(side / factor)) for side in image.shape[1:]]
    return resample(resample(image, plane), image.shape[1:])


def _part(shape: tuple[int, ...], rng: np.random.Generator) -> tuple[slice, slice]:
    """A smaller field of view."""
    found = []
    for side in shape[1:]:
        length = int(side * rng.uniform(0.55, 0.95))
        first = int(rng.integers(side - length + 1))
        found.append(slice(first, first + length))
    return found[0], found[1]


def _about_a_disc(discs: np.ndarray, rng: np.random.Generator) -> tuple[slice, slice]:
    """A crop about some disc, each as often as the others."""
    parts, _ = ndimage.label(discs)
    largest = 1 + np.argsort(np.bincount(parts.ravel())[1:])[-DISCS:]
    spot = ndimage.center_of_mass(discs, parts, rng.choice(largest))[1:]
    found = []
    for middle, side, lengths in zip(spot, discs.shape[1:], CROP, strict=True):
        length = min(int(rng.integers(*lengths)), side)
        middle = round(middle) + int(rng.integers(-OFF_CENTRE, OFF_CENTRE + 1))
        first = int(np.clip(middle - length // 2, 0, side - length))
        found.append(slice(first, first + length))
    return found[0], found[1]
