"""Lesson 06: `measure`, which gives columns of `discs.csv`.

`right` is written in another way than the solution in the lesson.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from scipy import ndimage

from ivdlib.course.own.task import Arguments, Task

Spacing = Sequence[float]


def measure(mask: np.ndarray, spacing: Spacing) -> dict[str, Any]:
    """Volume in ml, width from left to right in mm, and whether a disc meets the scan's edge."""
    (box,) = ndimage.find_objects(mask.astype(np.int8))
    return {
        "volume_ml": np.count_nonzero(mask) * math.prod(spacing) / 1000,
        "width_mm": (box[0].stop - box[0].start) * spacing[0],
        "cut": any(s.start == 0 or s.stop == n for s, n in zip(box, mask.shape, strict=True)),
    }


def _inputs(rng: np.random.Generator) -> list[Arguments]:
    def block(shape: Sequence[int], *box: slice) -> np.ndarray:
        mask = np.zeros(shape, bool)
        mask[box] = True
        return mask

    def ends(n: int, size: int) -> slice:
        start = int(rng.integers(1, n - size))
        return slice(start, start + size)

    def edges() -> tuple[float, float, float]:
        thick, deep, high = rng.permutation([1.1, 1.3, 1.6]) + rng.integers(0, 4, 3) / 20
        return round(2 * thick, 2), round(float(deep), 2), round(float(high), 2)

    disc = np.zeros((9, 24, 16), bool)
    place = np.indices(disc.shape)
    apart = [(place[k] - c) / r for k, (c, r) in enumerate([(4, 3.4), (12, 8.2), (8, 3.3)])]
    disc |= sum(one**2 for one in apart) <= 1
    disc[0] = disc[-1] = False
    return [
        (block((5, 6, 4), slice(2, 4), slice(1, 4), slice(2, 3)), edges()),
        (block((9, 12, 8), ends(9, 3), ends(12, 5), ends(8, 2)), edges()),
        (block((6, 9, 7), slice(0, 4), ends(9, 5), ends(7, 2)), edges()),
        (block((6, 9, 7), slice(3, 6), ends(9, 5), ends(7, 2)), edges()),
        (block((7, 9, 6), ends(7, 4), ends(9, 3), slice(4, 6)), edges()),
        (disc, edges()),
    ]


def _with(**wrong: Callable[[np.ndarray, Spacing], Any]) -> Callable:
    """A right answer but for these entries."""

    def mistaken(mask: np.ndarray, spacing: Spacing) -> dict[str, Any]:
        return measure(mask, spacing) | {key: of(mask, spacing) for key, of in wrong.items()}

    return mistaken


def _along(axis: int) -> Callable[[np.ndarray, Spacing], int]:
    """Voxels from the first to the last along an axis, both counted."""
    return lambda mask, spacing: int(np.ptp(np.nonzero(mask)[axis])) + 1


def _edges(axes: Sequence[int], near: bool = True, far: bool = True) -> Callable:
    """Whether a disc meets some of the edges."""

    def meets(mask: np.ndarray, spacing: Spacing) -> bool:
        found = [np.nonzero(mask)[axis] for axis in axes]
        ends = zip(found, (mask.shape[axis] for axis in axes), strict=True)
        return any((near and p.min() == 0) or (far and p.max() == n - 1) for p, n in ends)

    return meets


slices, rows, columns = map(_along, range(3))

MEASURE = Task(
    name="measure",
    right=measure,
    inputs=_inputs,
    mistakes={
        "you took a voxel for a cube whose edge is the distance between two slices: multiply its "
        "three edges": _with(volume_ml=lambda mask, s: mask.sum() * s[0] ** 3 / 1000),
        "you took a voxel for a cube whose edge is that of a pixel: multiply its three "
        "edges": _with(volume_ml=lambda mask, s: mask.sum() * s[1] ** 3 / 1000),
        "your volume_ml is a number of voxels: multiply by the volume of a voxel": _with(
            volume_ml=lambda mask, s: int(mask.sum())
        ),
        "you took a voxel for one cubic millimetre: multiply by the volume of a voxel": _with(
            volume_ml=lambda mask, s: mask.sum() / 1000
        ),
        "your volume_ml is in cubic millimetres: a millilitre has 1000 of them": _with(
            volume_ml=lambda mask, s: mask.sum() * np.prod(s)
        ),
        "your volume_ml is a hundred times too large: a millilitre has 1000 cubic millimetres (10 "
        "× 10 × 10), not 10": _with(volume_ml=lambda mask, s: mask.sum() * np.prod(s) / 10),
        "you added the three edges of a voxel; its volume is their product": _with(
            volume_ml=lambda mask, s: mask.sum() * sum(s) / 1000
        ),
        "you measured the box around the disc: a disc does not fill it, so count its voxels": _with(
            volume_ml=lambda mask, s: (
                slices(mask, s) * rows(mask, s) * columns(mask, s) * np.prod(s) / 1000
            )
        ),
        "your width_mm is a number of slices: multiply by the distance between two": _with(
            width_mm=slices
        ),
        "your width_mm is one slice too small: from slice 2 to slice 4 there are three": _with(
            width_mm=lambda mask, s: (slices(mask, s) - 1) * s[0]
        ),
        "your width_mm is in voxels, and one slice too small": _with(
            width_mm=lambda mask, s: slices(mask, s) - 1
        ),
        "your width_mm runs from front to back: the first axis of a mask goes from left to "
        "right": _with(width_mm=lambda mask, s: rows(mask, s) * s[1]),
        "your width_mm runs from the foot to the head: the first axis of a mask goes from left to "
        "right": _with(width_mm=lambda mask, s: columns(mask, s) * s[2]),
        "your width_mm takes the edge of a pixel for the distance between two slices: spacing has "
        "the edges in the order of the "
        "axes": _with(width_mm=lambda mask, s: slices(mask, s) * s[1]),
        "your width_mm is that of the scan: take the first and the last slice of the disc": _with(
            width_mm=lambda mask, s: mask.shape[0] * s[0]
        ),
        "your numbers are in voxels: multiply by the volume of a voxel, and by the distance "
        "between two slices": _with(volume_ml=lambda mask, s: int(mask.sum()), width_mm=slices),
        "your cut looks at the first slice, row and column only; a disc is also cut if it holds "
        "the last one, whose index is one less than the shape": _with(
            cut=_edges((0, 1, 2), far=False)
        ),
        "your cut looks at the last slice, row and column only; a disc is also cut if it holds the "
        "first one, whose index is 0": _with(cut=_edges((0, 1, 2), near=False)),
        "your cut looks at the slices only: a scan also ends above, below, in front and behind": (
            _with(cut=_edges((0,)))
        ),
        "your cut looks within a slice only: a scan also ends at its first and last slice": _with(
            cut=_edges((1, 2))
        ),
        "your cut is reversed: True should mean that the disc meets an edge of the scan": _with(
            cut=lambda mask, s: not measure(mask, s)["cut"]
        ),
        "your cut is never True: compare the first and the last place along each axis with 0 and "
        "with the shape minus one": _with(cut=lambda mask, s: False),
    },
    rules={
        "volume_ml should be above zero": lambda arguments, found: found["volume_ml"] > 0,
        "width_mm should be a whole number of slices, each spacing[0] "
        "wide": lambda arguments, found: (
            abs(found["width_mm"] / arguments[1][0] - round(found["width_mm"] / arguments[1][0]))
            < 1e-6
        ),
        "width_mm should be no more than the width of the scan": lambda arguments, found: (
            found["width_mm"] <= arguments[0].shape[0] * arguments[1][0] + 1e-9
        ),
        "cut should be True or False, not a number or text": lambda arguments, found: (
            np.asarray(found["cut"]).dtype.kind == "b"
        ),
    },
    hints=(
        "mask.sum() counts voxels; np.nonzero(mask) gives three arrays: for every voxel of the "
        "disc its slice, its row and its column.",
        "the width is (last slice − first slice + 1) * spacing[0]; the disc is cut if along any "
        "of the three axes its first place is 0 or its last one is the shape minus one.",
    ),
    seams=("ivdlib.evaluation.measurements:_of_whole",),
    adapt=lambda function: (
        lambda labels, number, box, spacing: dict(function(labels == number, spacing))
    ),
)

TASKS = {MEASURE.name: MEASURE}
