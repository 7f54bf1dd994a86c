"""Score disc masks on scans whose vertebral bodies are labelled and whose discs are not.

Between each two neighbouring bodies lies one disc, none lies in bone, and one lies below L5. A mask
that is right in all this fills the space between the bodies, no more and no less, and lies in its
middle: small balls in every gap, or a good mask moved by a pixel, do not.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from scipy import ndimage

from ivdlib.errors import DataError

SPECK_MM3 = 300.0
"""Smaller pieces are specks: the smallest of the challenge's 112 discs holds 5000 mm³."""

WIDEST_MM = 30.0
"""No two facing bodies are farther apart."""

ASIDE_MM, ASTRAY_MM = 12.0, 25.0
"""A piece belongs to a gap up to so far beside the line of the two centres; beyond so far from the
curve of all centres, it lies on nobody's spine."""


@dataclass(frozen=True)
class Gap:
    """What lies between two neighbouring bodies.

    Attributes
    ----------
    pieces : int
        Of the mask, specks not counted; one is right.
    fill : float
        Volume of these pieces over that of the space between the facing bodies.
    offset : float
        How far their middle lies above that of the space, in pixels along the line of the bodies'
        centres; nan without pieces.
    """

    pieces: int
    fill: float
    offset: float


@dataclass(frozen=True)
class Scan:
    """Score of one scan.

    Attributes
    ----------
    gaps : list of Gap
        Caudal first.
    bone : float
        Share of the mask deeper than one voxel in bone; nan of an empty mask.
    below : bool
        Whether a piece lies below the lowest body.
    astray, specks : int
        Pieces that lie on nobody's spine, and pieces that are too small to count.
    """

    gaps: list[Gap] = field(default_factory=list)
    bone: float = float("nan")
    below: bool = False
    astray: int = 0
    specks: int = 0


def score_gaps(mask: np.ndarray, bodies: np.ndarray, spacing: Sequence[float]) -> Scan:
    """Score a mask of discs by the bodies around them.

    Parameters
    ----------
    mask : ndarray of bool, (slices, AP, SI)
        Canonical axes, as `bodies`.
    bodies : ndarray of int, same shape
        A number for each vertebral body, neighbours next to each other; 0 elsewhere.
    spacing : sequence of float
        Voxel edges in mm.

    Raises
    ------
    DataError
        If the shapes differ, or fewer than two bodies are labelled.
    """
    mask, bodies, spacing = np.asarray(mask, bool), np.asarray(bodies), np.asarray(spacing, float)
    if mask.shape != bodies.shape:
        raise DataError(f"the mask has shape {mask.shape}, and the bodies have {bodies.shape}.")
    numbers = np.unique(bodies[bodies > 0])
    if len(numbers) < 2:
        raise DataError("fewer than two vertebral bodies are labelled, so there is no gap.")
    centres = {n: np.argwhere(bodies == n).mean(axis=0) * spacing for n in numbers}
    numbers = sorted(numbers, key=lambda n: centres[n][2])
    found = pieces(mask, spacing)
    labels, places = found.labels, found.places
    line = np.array([centres[n] for n in numbers])
    gaps = [
        _gap(bodies, labels, places, spacing, (a, b), (centres[a], centres[b]))
        for a, b in zip(numbers, numbers[1:], strict=False)
    ]
    lowest, step = line[0], line[1] - line[0]
    deep = ndimage.binary_erosion(bodies > 0, np.ones((1, 3, 3)))
    return Scan(
        gaps,
        float((mask & deep).sum() / mask.sum()) if mask.any() else float("nan"),
        any(_between(x, lowest, lowest - step, (0.25, 1.0), 20.0) for x in places.values()),
        sum(_from_curve(x, line) > ASTRAY_MM for x in places.values()),
        found.specks,
    )


@dataclass(frozen=True)
class MaskPieces:
    """Parts of a mask: numbered voxels, centres in mm of those that are no specks, how many are."""

    labels: np.ndarray
    places: dict[int, np.ndarray]
    specks: int


def pieces(mask: np.ndarray, spacing: np.ndarray) -> MaskPieces:
    """Take a mask (slices, AP, SI) apart; voxels that share a corner belong together."""
    labels, count = ndimage.label(mask, np.ones((3, 3, 3)))
    volumes = np.bincount(labels.ravel(), minlength=count + 1)[1:] * np.prod(spacing)
    large = [int(k) for k in np.flatnonzero(volumes >= SPECK_MM3) + 1]
    middles = ndimage.center_of_mass(mask, labels, large)
    places = {k: np.array(m) * spacing for k, m in zip(large, middles, strict=True)}
    return MaskPieces(labels, places, count - len(large))


def _between(
    x: np.ndarray, a: np.ndarray, b: np.ndarray, share: tuple[float, float], aside: float
) -> bool:
    """Whether a point lies within these shares of the way from a to b, and near that line."""
    way = b - a
    t = float((x - a) @ way / (way @ way))
    return share[0] <= t <= share[1] and float(np.linalg.norm((x - a - t * way)[1:])) < aside


def _from_curve(x: np.ndarray, line: np.ndarray) -> float:
    """Distance in mm of a point from the centres' curve, prolonged, within the sagittal plane."""
    ends = line[0] - 2 * (line[1] - line[0]), line[-1] + 3 * (line[-1] - line[-2])
    points = np.vstack([ends[0], line, ends[1]])
    shares = np.linspace(0, 1, 50)[:, None]
    dense = np.vstack([a + shares * (b - a) for a, b in zip(points, points[1:], strict=False)])
    return float(np.linalg.norm((dense - x)[:, 1:], axis=1).min())


def _gap(
    bodies: np.ndarray,
    labels: np.ndarray,
    places: dict[int, np.ndarray],
    spacing: np.ndarray,
    pair: tuple[int, int],
    ends: tuple[np.ndarray, np.ndarray],
) -> Gap:
    found = [k for k, x in places.items() if _between(x, *ends, (0.2, 0.8), ASIDE_MM)]
    way = (ends[1] - ends[0]) * (0, 1, 1)  # within the slice: between slices lie gaps
    way /= np.linalg.norm(way)
    space = _space(bodies, pair, way, spacing)
    mine = np.isin(labels, found) if found else np.zeros(labels.shape, bool)
    fill = float(mine.sum() / space.sum()) if space.any() else float("nan")
    near = mine & (space | np.isin(bodies, pair))
    offset = float("nan")
    if near.any() and space.any():
        heights = [float((np.argwhere(m) * spacing @ way).mean()) for m in (near, space)]
        offset = (heights[0] - heights[1]) / float(spacing[1:].mean())
    return Gap(len(found), fill, offset)


def _space(
    bodies: np.ndarray, pair: tuple[int, int], way: np.ndarray, spacing: np.ndarray
) -> np.ndarray:
    """Voxels from which one meets the lower body going down along `way`, the upper going up."""
    both = ndimage.find_objects(np.isin(bodies, pair).astype(np.uint8))[0]
    part = bodies[both]
    here = np.argwhere(part == 0)
    met = {}
    for sign, body in zip((-1, 1), pair, strict=True):
        first = np.zeros(len(here), bodies.dtype)
        for far in np.arange(0, WIDEST_MM, spacing[1:].min() / 2):
            at = np.rint(here + sign * far * way / spacing).astype(int)
            inside = ((at >= 0) & (at < part.shape)).all(axis=1)
            hit = np.zeros(len(here), bodies.dtype)
            hit[inside] = part[tuple(at[inside].T)]
            first = np.where(first == 0, hit, first)
        met[body] = first == body
    space = np.zeros(bodies.shape, bool)
    space[both][tuple(here[np.logical_and(*met.values())].T)] = True
    return space


def score_names(
    labels: np.ndarray,
    levels: Sequence[str],
    bodies: np.ndarray,
    names: Sequence[str],
    spacing: Sequence[float],
) -> list[tuple[str, str]]:
    """Hold the names of discs against the bodies that they lie between.

    Parameters
    ----------
    labels : ndarray of int, (slices, AP, SI)
        Discs 1, 2, …; canonical axes, as `bodies`.
    levels : sequence of str
        Their names, e.g. ``"L4/5"``.
    bodies : ndarray of int, same shape
        1, 2, … from above; 0 elsewhere.
    names : sequence of str
        Names of the bodies, ``"T11", …, "L5"``; one that is not labelled is left out.
    spacing : sequence of float
        Voxel edges in mm.

    Returns
    -------
    list of (str, str)
        For each disc that lies between two bodies or below L5: the true name, and the given one.
    """
    spacing = np.asarray(spacing, float)
    centres = {
        name: np.argwhere(bodies == number).mean(axis=0) * spacing
        for number, name in enumerate(names, start=1)
        if (bodies == number).any()
    }
    there, found = [*centres], []
    if there[-1] == "L5" and len(there) > 1:  # as far below it as L4 lies above
        centres["S1"] = 2 * centres["L5"] - centres[there[-2]]
        there.append("S1")
    numbers = range(1, len(levels) + 1)
    places = ndimage.center_of_mass(labels > 0, labels, numbers)
    for place, level in zip(places, levels, strict=True):
        for upper, lower in zip(there, there[1:], strict=False):
            ends = centres[lower], centres[upper]
            if _between(np.array(place) * spacing, *ends, (0.2, 0.8), 2 * ASIDE_MM):
                short = lower[1:] if upper[0] == lower[0] else lower
                found.append((f"{upper}/{short}", level))
    return found
