"""Flaws that the voxels of an image show by themselves: no labels, no other image is needed.

No false alarm in 264 real images (24 water images of Munich, 8 T2 scans of Berlin, 22 T2 slabs, 14
Dixon images of other parts of the body, 196 crops) and 80 of phantoms. Planted in 46 images (before
the rules of the bulk and of a little below were added):
every voxel of 1.5 and 3 times the maximum, negative voxel, cluster, burnt-in text, filling and
overflow was found, every slice that was blank, repeated, shifted by 5 mm, of another scan, or 1.5
times as bright, noise by itself, and shading by 50 from below to above (by 20: 38 of 46).

Left out, because nothing reliable was found: a scan that stands upside down, shading from side to
side or from front to back, a zipper line (16 of 46), several neighbouring slices that are all of
another scan.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import product
from typing import NamedTuple

import numpy as np

from ivdlib.data.dixon import correlation
from ivdlib.data.orientation import FileGrid
from ivdlib.data.remarks import Remark, listed

_GAP = 0.2
"""Of the range from the lowest to the highest voxel, where no value lies: beyond it are few voxels
that stretch the range (real images: 0.15 at most, phantoms 0.12)."""

FEW_SHARE = 0.01
"""Such voxels are at most this share of all; negative ones may be more, as where a scanner's or a
program's filling stands outside the field, or a number ran over."""

EDGE, LEAST = 0.05, 10_000
"""Bright ones may be so many, as in a border or some rows, of an image of so many voxels or more:
in smaller ones neither that nor a little below is told."""

LOW = 0.09
"""Below, a gap of this share of what 99.8 % of the voxels fill is enough, for there is air and
nothing darker (0.056 at most, 0.079 after resampling by splines)."""

BULK = {1: {99.9: 0.45, 99.0: 0.28}, -1: {99.9: 0.7}}
"""A percentile leaves at least this share of the range below it; -1: counted from above (0.50, 0.33
and 0.79 at least in phantoms and 264 real images)."""

CLIPPED = 0.0008
"""So many voxels at most are cut off by clipping at 99.9 %, if others lie beyond, too."""

SPIKE, SPIKED = 0.2, 0.7
"""A voxel is a spike if it lies this share of the range beyond all 26 neighbours; spikes are told
of where without them no more than the second share of the range is left."""

FIELD_MM = 150.0
"""All but the range is looked at in fields of at least this size: a crop of one disc may be even,
and ends in slices that show something else (49 real crops)."""

BRIGHT, DARK = 1.3, 0.6
"""Mean signal of a slice over that of the brighter, and of the darker, of its two neighbours."""

STRANGE, STRANGE_END = 0.01, 0.1
"""A slice does not belong where its neighbours correlate with each other by this much more than the
better one does with it; the first and last one by that of the next two. In whole fields the former
is at most -0.007, the latter 0.008."""

BLANK_END = 8
"""Blank slices at an end are a filling, up to one in so many."""

SHADED, BAND_MM = 0.25, 20.0
"""A quarter of the height is darker than this share of another one, by the bright tissue of each
band (real spines 0.47 at least, phantoms 0.50)."""

_NOISE = 0.35
"""Correlation of neighbouring pixels; 0.58 at least where a body is shown."""

_AGAIN = "convert the scan from its source again"
LOOK = f"look at it, and {_AGAIN} or leave it out"


class Flaws(NamedTuple):
    """What is wrong with the images of a case.

    Attributes
    ----------
    remarks : list of Remark
        One for each different flaw.
    stretched : frozenset of str
        Images with few voxels that stretch the range.
    """

    remarks: list[Remark]
    stretched: frozenset[str]


def find_flaws(
    images: Mapping[str, np.ndarray], spacing: tuple[float, float, float], grid: FileGrid
) -> Flaws:
    """Say what is wrong with the images of a case.

    Parameters
    ----------
    images : mapping of str to ndarray
        Canonical (RAS+): contrasts as they were measured.
    spacing : tuple of 3 floats
        Voxel edges in mm.
    grid : FileGrid
        Of the files: voxels and slices are counted as there, from 0.

    Returns
    -------
    Flaws
    """
    odd: dict[str, dict[str, _Odd]] = {}
    found: dict[Remark, list[str]] = {}
    for name, image in images.items():
        for kind, one in _stretched(image, grid):
            odd.setdefault(kind, {})[name] = one
        for flaw in _flaws(image, spacing, grid):
            found.setdefault(flaw, []).append(name)
    remarks = [_told(kind, by_name) for kind, by_name in odd.items()]
    remarks += [flaw.about(", ".join(names)) for flaw, names in found.items()]
    return Flaws(remarks, frozenset().union(*odd.values()))


def _flaws(
    image: np.ndarray, spacing: tuple[float, float, float], grid: FileGrid
) -> Iterator[Remark]:
    """All but the range."""
    size = [n * edge for n, edge in zip(image.shape, spacing, strict=True)]
    if min(size[1:]) < FIELD_MM:
        return
    beside = (np.moveaxis(image, axis, 0) for axis in (1, 2))
    if max(_alike(one[1:], one[:-1]) for one in beside) < _NOISE:
        yield Remark("there is nothing but noise", f"{_AGAIN}, or leave it out")
        return
    yield from _slices(image, grid)
    rows = max(1, round(BAND_MM / spacing[2]))
    bands = np.sort(
        [
            np.percentile(np.abs(image[:, :, k : k + rows]), 97)
            for k in range(0, image.shape[2] - rows + 1, rows)
        ]
    )
    quarter = len(bands) // 4
    if bands[quarter] < SHADED * bands[-1 - quarter]:
        yield Remark(
            "a quarter of the height has less than a quarter of the signal of another one, so that "
            "discs may be darker than noise",
            "correct the shading, or leave the scan out",
        )


class _Odd(NamedTuple):
    """Voxels that stretch the range: how many, where, what is there, and what is left to others."""

    count: int
    where: str
    value: float
    left: float
    clip: float


def _told(kind: str, odd: dict[str, _Odd]) -> Remark:
    """One sentence for all images."""
    first, names = next(iter(odd.values())), ", ".join(odd)
    counts = _span([one.count for one in odd.values()])
    left = _span([round(100 * one.left) for one in odd.values()])
    at = f"{first.where} of the file ({first.value:g})"
    if kind in ("above", "below"):
        one = counts == "1"
        lies = "voxel lies" if one else "voxels lie"
        what = f"{counts} {lies} far {kind} all others, {at}, so that these fill {left} %"
    else:
        what = f"without the {kind} voxels, {at}, {first.clip:g} % of all fill only {left} %"
    clip = min(one.clip for one in odd.values())
    hint = f" (predict --clip {clip:g} cuts them off)" if clip else ""
    return Remark(f"{names}: {what} of the range", f"mend them, or {_AGAIN}{hint}")


def _span(numbers: list[int]) -> str:
    low, high = min(numbers), max(numbers)
    return f"{low}" if low == high else f"{low} to {high}"


def _stretched(image: np.ndarray, grid: FileGrid) -> Iterator[tuple[str, _Odd]]:
    """Voxels that leave to all others only a part of the range that min-max makes."""
    values = np.sort(image, axis=None).astype(np.float64)
    whole, few = values[-1] - values[0], len(values) // 1000
    if not whole:
        return
    for sign, word, extreme in ((1, "above", "brightest"), (-1, "below", "darkest")):
        ranked = values if sign > 0 else -values[::-1]
        odd = _apart(sign * image, ranked, sign)
        if odd.any():
            rest = image[~odd]
            left, clip = float(np.ptp(rest)) / whole, 99.9 if odd.mean() < CLIPPED else 0.0
            yield word, _Odd(int(odd.sum()), *_place(odd, image, grid), left, clip)
            continue
        ranked = ranked[np.searchsorted(ranked, ranked[0], "right") - 1 :]
        low = ranked[few] if few < len(ranked) else ranked[0]
        for clip, limit in BULK[sign].items():
            high = ranked[int(clip / 100 * (len(ranked) - 1))]
            if high - low < limit * (ranked[-1] - low):
                odd = sign * image > high
                place = _place(odd, image, grid)
                left = (high - low) / (ranked[-1] - low)
                yield extreme, _Odd(int(odd.sum()), *place, left, clip)
                break


def _place(odd: np.ndarray, image: np.ndarray, grid: FileGrid) -> tuple[str, float]:
    """Where in the file: one voxel, or the block that they fill; and a value of theirs."""
    places = np.argwhere(odd)
    nearest = places[np.abs(places - np.median(places, axis=0)).sum(axis=1).argmin()]
    ends = zip(*(_in_file(some(places, axis=0), grid) for some in (np.min, np.max)), strict=True)
    ends = [sorted(pair) for pair in ends]
    full = len(places) == np.prod([b - a + 1 for a, b in ends])
    where = (
        f"{'at' if len(places) == 1 else 'as at'} {', '.join(map(str, _in_file(nearest, grid)))}"
    )
    if full and len(places) > 1:
        where = "in " + ", ".join(f"{a}" if a == b else f"{a} to {b}" for a, b in ends)
    return where, float(image[tuple(nearest)])


def _apart(image: np.ndarray, ranked: np.ndarray, sign: int) -> np.ndarray:
    """Mask of the voxels far above all others, or all around them; `ranked` are their values."""
    count, whole = len(ranked), ranked[-1] - ranked[0]
    gaps, few = np.diff(ranked), max(1, count // 1000)
    bulk = ranked[-1 - count // 1000] - ranked[count // 1000]
    most = EDGE if count >= LEAST else FEW_SHARE
    for start in np.flatnonzero(gaps > _GAP * whole) + 1:
        if count - start <= (most if sign > 0 else FEW_SHARE) * count or (sign < 0 < ranked[start]):
            return image >= ranked[start]
    if sign < 0 and count >= LEAST and (low := np.flatnonzero(gaps[-few:] > LOW * bulk)).size:
        return image >= ranked[count - few + low[0]]
    places = np.argwhere(image > ranked[-few])
    around = np.pad(image, 1, constant_values=image.min())
    steps = [step for step in product(range(3), repeat=3) if step != (1, 1, 1)]
    beside = np.max([around[tuple((places + step).T)] for step in steps], axis=0)
    odd = np.zeros(image.shape, bool)
    odd[tuple(places[image[tuple(places.T)] - beside >= SPIKE * whole].T)] = True
    return odd & (np.max(image, initial=ranked[0], where=~odd) - ranked[0] <= SPIKED * whole)


def _slices(image: np.ndarray, grid: FileGrid) -> Iterator[Remark]:
    """Slices that are blank, the same, of another brightness, or of another place."""
    flat = image.reshape(len(image), -1)
    shown = np.flatnonzero(flat.min(axis=1) < flat.max(axis=1))
    if len(shown) < 4:
        return
    first, last = shown[0], shown[-1]
    blank = [n for n in range(first, last) if n not in shown]
    ends = (first, len(image) - 1 - last)
    if max(ends) > len(image) / BLANK_END:
        blank += [*range(first), *range(last + 1, len(image))]
    if blank:
        yield Remark(f"{_named(blank, grid)} blank", _AGAIN)
    same = [n for n, m in zip(shown, shown[1:], strict=False) if np.array_equal(flat[n], flat[m])]
    if same:
        yield Remark(f"{_named(same, grid)} repeated in the next one", _AGAIN)
    signal = np.abs(flat[shown]).mean(axis=1, dtype=np.float64)
    bright = signal[:-2].clip(signal[2:]), signal[:-2].clip(None, signal[2:])
    odd = np.flatnonzero((signal[1:-1] > BRIGHT * bright[0]) | (signal[1:-1] < DARK * bright[1]))
    odd = [
        *shown[odd + 1],
        *(shown[n] for n, m in ((0, 1), (-1, -2)) if signal[n] > BRIGHT * signal[m]),
    ]
    if odd:
        yield Remark(
            f"{_named(sorted(odd), grid)} far brighter or darker than the slices beside it", LOOK
        )
    near = [_alike(flat[n], flat[m]) for n, m in zip(shown, shown[1:], strict=False)]
    far = [_alike(flat[n], flat[m]) for n, m in zip(shown, shown[2:], strict=False)]
    strange = [shown[n + 1] for n, fit in enumerate(far) if fit - max(near[n : n + 2]) > STRANGE]
    strange += [shown[n] for n, m in ((0, 1), (-1, -2)) if far[m] - near[n] > STRANGE_END]
    if strange:
        yield Remark(
            f"{_named(sorted(strange), grid)} unlike the slices beside it, as if shifted or of "
            "another scan",
            LOOK,
        )


def _alike(one: np.ndarray, other: np.ndarray) -> float:
    """Correlation; 0 where one of them is constant."""
    return float(np.nan_to_num(correlation(one, other)))


def _named(slices: list[int], grid: FileGrid) -> str:
    """Slices by their number in the file: "slice 7 is", "slices 3, 7 are"."""
    on = int(np.flatnonzero(grid.orientation[:, 0] == 0)[0])
    numbers = sorted(_in_file((n, 0, 0), grid)[on] for n in slices)
    one = len(numbers) == 1
    return f"slice{'' if one else 's'} {listed([*map(str, numbers)])} {'is' if one else 'are'}"


def _in_file(place: np.ndarray | tuple[int, ...], grid: FileGrid) -> list[int]:
    """Canonical voxel → voxel of the file."""
    return [
        int(place[int(axis)] if sign > 0 else grid.shape[n] - 1 - place[int(axis)])
        for n, (axis, sign) in enumerate(grid.orientation)
    ]
