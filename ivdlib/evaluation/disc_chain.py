"""From the pieces of a mask to discs: one above the other along a spine.

A mask knows nothing of discs. Some of its pieces are specks, some lie on nobody's spine, two may be
halves of one disc, and one may be two discs that touch. What is left is a chain, from caudal to
cranial; every decision on the way is kept as a sentence.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from ivdlib.data.discs import by_height, clean_specks, components
from ivdlib.data.masks import as_mask, box_of, check_spacing, nearest
from ivdlib.errors import DataError

LEAST_SHARE = 0.05
"""A piece that holds less than this share of the largest one is a speck."""

HALVES_MM, HALVES_APART_MM = 7.0, 45.0
"""Pieces whose middles lie no farther apart than this along the spine, and across it, are parts of
one disc: neighbouring discs lie 24 mm apart and more."""

NEAREST_MM, FARTHEST_MM = 14.0, 125.0
"""Between the middles of neighbours of a chain; the latter leaves room for two missed discs."""

ASIDE_DEG, FARTHEST_ASIDE_DEG = 15.0, 35.0
"""How far the way from one disc to the next may lean from the discs' own axes: as a rule, and at
most. In 14 real scans it was up to 17 degrees; scoliosis adds to it."""

STEEPEST_DEG = 70.0
"""No disc leans farther; 51° was the most in 34 real scans, at the sacrum."""

TALLEST_MM = 24.0
"""No single disc is taller; 18 mm are the most in 230 real lumbar discs."""

LEAST_PART = 0.25
"""Each disc of two that touch holds at least this share of both."""


@dataclass(frozen=True)
class DiscPlace:
    """Where a disc lies and how it is turned.

    Attributes
    ----------
    centre : ndarray, (3,)
        In mm along the canonical axes, from the first voxel.
    tilt : float
        Degrees by which its axis leans forwards in the sagittal plane; at L5/S1 about 30.
    volume : float
        In ml.
    height : float
        In mm along its axis, of all but the outermost hundredth.
    """

    centre: np.ndarray
    tilt: float
    volume: float
    height: float

    @property
    def axis(self) -> np.ndarray:
        """Unit vector along its axis, upwards; sideways lean is not looked at."""
        return np.array([0.0, np.sin(np.radians(self.tilt)), np.cos(np.radians(self.tilt))])


@dataclass(frozen=True)
class Chain:
    """The discs of a mask.

    Attributes
    ----------
    labels : ndarray of int32, shape of the mask
        1, 2, … from caudal to cranial.
    places : tuple of DiscPlace
    decisions : tuple of str
        What was left out, joined or split, and why.
    """

    labels: np.ndarray
    places: tuple[DiscPlace, ...]
    decisions: tuple[str, ...]

    def without_lowest(self, count: int) -> Chain:
        """The chain without so many of its lowest pieces."""
        labels = np.maximum(self.labels - np.int32(count), 0)
        return Chain(labels, self.places[count:], self.decisions)


def find_chain(mask: np.ndarray, spacing: Sequence[float]) -> Chain:
    """Find the discs of a mask.

    Parameters
    ----------
    mask : ndarray of bool, (slices, AP, SI)
        Canonical axes.
    spacing : sequence of float
        Voxel edges in mm.

    Returns
    -------
    Chain
        Without discs for an empty mask.

    Raises
    ------
    DataError
        If the array is no mask of three axes, or the spacing does not fit.
    """
    mask = as_mask(mask)
    if mask.ndim != 3:
        raise DataError(f"a mask of {mask.ndim} axes holds no discs; give (slices, AP, SI).")
    spacing = check_spacing(spacing, 3)
    cleaned = clean_specks(mask, share=LEAST_SHARE)
    told = _about_specks(mask & ~cleaned, spacing)
    pieces, more = _split(components(cleaned), spacing)
    told += more
    pieces, more = _join(pieces, spacing)
    told += more
    places = places_of(pieces, spacing)
    flat = [k for k, place in enumerate(places) if abs(place.tilt) <= STEEPEST_DEG]
    kept = [flat[k] for k in _best_chain([places[k] for k in flat])]
    for k in sorted({*range(len(places))} - {*kept}):
        why = "lies off the chain" if k in flat else "stands upright, as no disc does"
        told.append(f"left out: a piece of {_ml(places[k])} {_at(places[k])} {why}")
    number = np.zeros(len(places) + 1, np.int32)
    number[[k + 1 for k in kept]] = np.arange(1, len(kept) + 1)
    return Chain(number[pieces], tuple(places[k] for k in kept), tuple(told))


def places_of(pieces: np.ndarray, spacing: Sequence[float]) -> list[DiscPlace]:
    """Places of the pieces 1, 2, … of an array."""
    voxel, found = float(np.prod(spacing)) / 1000, []
    for number, near in enumerate(ndimage.find_objects(pieces), start=1):
        spots = np.argwhere(pieces[near] == number)
        points = (spots + [s.start for s in near]) * spacing
        middle = points.mean(axis=0)
        flat = points[:, 1:] - middle[1:]
        spread = flat.T @ flat / len(flat) + np.diag(np.square(spacing[1:]) / 12)
        axis = thin_axis(spread)
        low, high = np.percentile(flat @ axis, [1, 99])
        tilt = float(np.degrees(np.arctan2(*axis)))
        found.append(DiscPlace(middle, tilt, len(points) * voxel, float(high - low + spacing[2])))
    return found


def thin_axis(spread: np.ndarray) -> np.ndarray:
    """Unit vector (AP, SI) along which points spread least, upwards, from their covariance."""
    _, directions = np.linalg.eigh(spread)
    return directions[:, 0] * (1 if directions[1, 0] >= 0 else -1)


def _ml(place: DiscPlace) -> str:
    return f"{place.volume:.1f} ml"


def _at(place: DiscPlace) -> str:
    return "at {:.0f}, {:.0f}, {:.0f} mm".format(*place.centre)


def _about_specks(specks: np.ndarray, spacing: Sequence[float]) -> list[str]:
    if not (count := int(components(specks).max())):
        return []
    ml = specks.sum() * float(np.prod(spacing)) / 1000
    what = "1 speck" if count == 1 else f"{count} specks"
    return [f"left out: {what}, together {ml:.1f} ml"]


# --- discs that touch, and discs in parts ---------------------------------------------------------


def _split(pieces: np.ndarray, spacing: Sequence[float]) -> tuple[np.ndarray, list[str]]:
    """Part discs that touch: what is too tall for one is worn down until it falls apart."""
    told: list[str] = []
    for number, place in enumerate(places_of(pieces, spacing), start=1):
        if place.height <= TALLEST_MM and abs(place.tilt) <= STEEPEST_DEG:
            continue
        near = box_of(pieces == number)
        alone = pieces[near] == number
        if (parts := _worn_apart(alone, spacing)) is None:
            continue
        count = int(parts.max())
        _, where = nearest(alone, parts > 0, spacing)
        owner = parts[where]
        spots = np.nonzero(alone)
        new = np.where(owner == 1, number, pieces.max() + owner - 1)
        pieces = pieces.copy()
        pieces[near][spots] = new
        told.append(f"parted: {count} discs that touch {_at(place)}, together {_ml(place)}")
    return (by_height(pieces, int(pieces.max())) if told else pieces), told


def _worn_apart(alone: np.ndarray, spacing: Sequence[float]) -> np.ndarray | None:
    """Cores of the discs that a piece is made of, 1, 2, …; None if it stays one."""
    padded = np.pad(alone, 1)
    deep = ndimage.distance_transform_edt(padded, sampling=spacing)[1:-1, 1:-1, 1:-1]
    for depth in np.arange(1.0, deep.max(), 0.5):
        cores, _ = ndimage.label(deep > depth, np.ones((3, 3, 3)))
        sizes = np.bincount(cores.ravel())[1:]
        large = np.flatnonzero(sizes >= LEAST_PART * sizes.sum()) + 1
        if len(large) < 2:
            continue
        middles = np.array(ndimage.center_of_mass(cores > 0, cores, large)) * spacing
        if np.diff(np.sort(middles[:, 2])).min() >= NEAREST_MM:
            number = np.zeros(cores.max() + 1, np.int32)
            number[large] = np.arange(1, len(large) + 1)
            return number[cores]
    return None


def _join(pieces: np.ndarray, spacing: Sequence[float]) -> tuple[np.ndarray, list[str]]:
    """Join parts of one disc, such as its left and its right half."""
    places, told = places_of(pieces, spacing), []
    owner = np.arange(len(places) + 1)
    for a, one in enumerate(places, start=1):
        for b, other in enumerate(places[: a - 1], start=1):
            larger = one if one.volume >= other.volume else other
            way = one.centre - other.centre
            along = abs(float(way @ larger.axis))
            across = float(np.sqrt(max(way @ way - along**2, 0)))
            if along <= HALVES_MM and across <= HALVES_APART_MM and owner[a] != owner[b]:
                owner[owner == owner[a]] = owner[b]
                told.append(f"joined: parts of {_ml(one)} and {_ml(other)} of one disc {_at(one)}")
    if not told:
        return pieces, told
    kept, number = np.unique(owner, return_inverse=True)  # without gaps
    return by_height(number[pieces], len(kept) - 1), told


# --- the chain ------------------------------------------------------------------------------------


def _best_chain(places: Sequence[DiscPlace]) -> list[int]:
    """Places of the longest chain, by volume: each disc above the last, along the axes of both."""
    best: list[tuple[float, list[int]]] = []
    for k, place in enumerate(places):
        worth = float(np.sqrt(place.volume))
        score, before = worth, []
        for j in range(k):
            cost = _cost(places[j], place)
            if cost < np.inf and best[j][0] + worth - cost > score:
                score, before = best[j][0] + worth - cost, best[j][1]
        best.append((score, [*before, k]))
    return max(best, default=(0.0, []), key=lambda one: one[0])[1]


def _cost(lower: DiscPlace, upper: DiscPlace) -> float:
    """How little the upper of two discs looks like the next one of a spine; infinite: it is not."""
    way = upper.centre - lower.centre
    far = float(np.linalg.norm(way))
    if not NEAREST_MM <= far <= FARTHEST_MM or way[2] <= 0:
        return np.inf
    between = lower.axis + upper.axis
    between = between / np.linalg.norm(between)
    lean = np.degrees(np.arccos(np.clip(way @ between / far, -1, 1)))
    return np.inf if lean > FARTHEST_ASIDE_DEG else float((lean / ASIDE_DEG) ** 2)
