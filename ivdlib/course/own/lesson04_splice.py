"""Lesson 04: `splice`, which puts the answers of a network back to a volume."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from scipy import ndimage

from ivdlib.course.own.task import Arguments, Task

Positions = Sequence[tuple[int, int, int]]


def _added(tiles: np.ndarray, positions: Positions, shape: Sequence[int]) -> np.ndarray:
    """Sum of the tiles, and how many lie on each voxel; on a volume with room around it."""
    height, width = tiles.shape[1:]
    wide = np.zeros((2, shape[0], shape[1] + 2 * height, shape[2] + 2 * width))
    for tile, (s, r, c) in zip(tiles, positions, strict=True):
        part = wide[:, s, r + height : r + 2 * height, c + width : c + 2 * width]
        part += np.stack([tile, np.ones_like(tile)])
    return wide[:, :, height:-height, width:-width]


def splice(tiles: np.ndarray, positions: Positions, shape: Sequence[int]) -> np.ndarray:
    """A volume: mean of the tiles where they lie, zero elsewhere."""
    total, count = _added(tiles, positions, shape)
    return np.divide(total, count, out=np.zeros(shape), where=count > 0)


def _from(combine: Callable[[np.ndarray, np.ndarray], np.ndarray]) -> Callable:
    """A wrong splice that makes something else of sum and count."""
    return lambda tiles, positions, shape: combine(*_added(tiles, positions, shape))


def _one_by_one(
    put: Callable[[np.ndarray, np.ndarray], np.ndarray], empty: float = np.nan
) -> Callable:
    """A wrong splice that works on what is there already, voxel by voxel; NaN: nothing yet."""

    def mistaken(tiles: np.ndarray, positions: Positions, shape: Sequence[int]) -> np.ndarray:
        volume = np.full(shape, empty)
        for tile, place in zip(tiles, positions, strict=True):
            lies = _added(np.ones_like(tile)[None], [place], shape)[1] > 0
            new = _added(tile[None], [place], shape)[0]
            known = lies & ~np.isnan(volume)
            volume = np.where(known, put(volume, new), np.where(lies, new, volume))
        return np.nan_to_num(volume)

    return mistaken


def _elsewhere(
    move: Callable[[tuple[int, int, int], np.ndarray, Sequence[int]], tuple[int, int, int]],
) -> Callable:
    """A wrong splice that lays the tiles somewhere else."""
    return lambda tiles, positions, shape: splice(
        tiles, [move(place, tiles, shape) for place in positions], shape
    )


def _inside(place: Any, tiles: np.ndarray, shape: Sequence[int]) -> tuple[int, int, int]:
    """A place at which the whole tile lies in the volume."""
    s, *corner = place
    most = np.maximum(np.subtract(shape[1:], tiles.shape[1:]), 0)
    return (s, *map(int, np.clip(corner, 0, most)))


def _only_whole(tiles: np.ndarray, positions: Positions, shape: Sequence[int]) -> np.ndarray:
    whole = [n for n, place in enumerate(positions) if _inside(place, tiles, shape) == place]
    return splice(tiles[whole], [positions[n] for n in whole], shape)


def _inputs(rng: np.random.Generator) -> list[Arguments]:
    def drawn(count: int, *sides: int) -> np.ndarray:
        return rng.uniform(0.1, 1, (count, *sides)).round(2)

    smooth = ndimage.gaussian_filter(rng.random((40, 32)), 3)
    corners = [(0, r, c) for r in (-4, 8, 20) for c in (-3, 7, 17)]
    room = np.pad(smooth, 24, mode="reflect")
    seen = [room[r + 24 : r + 48, c + 24 : c + 42] for _, r, c in corners]
    return [
        (drawn(2, 1, 4), [(0, 0, 0), (0, 0, 2)], (1, 1, 7)),
        (drawn(3, 2, 3), [(0, 0, 0), (1, 1, 2), (1, 0, 0)], (2, 4, 5)),
        (drawn(2, 3, 4), [(0, -1, 0), (0, 1, 3)], (1, 4, 5)),
        (drawn(6, 5, 4), [(s, r, 1) for s in (0, 2) for r in (0, 2, 4)], (3, 9, 7)),
        (np.float64(seen) + rng.normal(0, 0.02, (9, 1, 1)), corners, (1, 40, 32)),
    ]


SPLICE = Task(
    name="splice",
    right=splice,
    inputs=_inputs,
    mistakes={
        "if tiles overlap, only the last one counts: each of them should": _one_by_one(
            lambda old, new: new
        ),
        "if tiles overlap, only the first one counts: each of them should": _one_by_one(
            lambda old, new: old
        ),
        "if tiles overlap, you keep the largest value: take the mean": _one_by_one(
            np.fmax
        ),
        "you take the mean of what is there and the new tile: then the last of three tiles counts "
        "one half; add all, count them, divide once": _one_by_one(
            lambda old, new: (old + new) / 2
        ),
        "you take the mean of what is there and the new tile, and begin with zero, so the first "
        "tile is halved; add all, count them, divide once": _one_by_one(
            lambda old, new: (old + new) / 2, 0.0
        ),
        "if tiles overlap, you take their sum: divide it by the number of tiles there": _from(
            lambda total, count: total
        ),
        "you divide by the largest number of tiles: each voxel has its own number": _from(
            lambda total, count: total / count.max()
        ),
        "you divide by the number of all tiles: only those that lie on a voxel count there": (
            lambda tiles, positions, shape: _added(tiles, positions, shape)[0] / len(tiles)
        ),
        "you begin to count at 1, so every mean is too small": _from(
            lambda total, count: total / (count + 1)
        ),
        "if no tile covers a voxel, you get 0/0; let it be "
        "0": _from(lambda total, count: total / count),
        "rows and columns are exchanged: a position is (slice, row, column)": _elsewhere(
            lambda place, *_: (place[0], place[2], place[1])
        ),
        "all tiles lie in the first slice: the first number of a position is the slice": (
            _elsewhere(lambda place, *_: (0, *place[1:]))
        ),
        "a tile that sticks out is moved until it fits: leave it where it is, and cut off what "
        "sticks out": _elsewhere(_inside),
        "a tile that sticks out is left out completely: cut off only what sticks out": _only_whole,
    },
    rules={
        "the result should have the shape that was asked for": lambda arguments, found: (
            np.shape(found) == tuple(arguments[2])
        ),
        "a mean is never larger than the largest value that it is made of": (
            lambda arguments, found: np.max(found) <= np.max(arguments[0]) + 1e-9
        ),
        "the result should be zero where no tile lies": lambda arguments, found: (
            not found[_added(*arguments)[1] == 0].any()
        ),
    },
    hints=(
        "two volumes of zeros: add each tile to the first at its place, and 1 to the second at the "
        "same place; at the end divide, by at least 1 (np.maximum).",
        "a tile at row r begins in the volume at max(r, 0), and then you need it only from its own "
        "row max(r, 0) - r on; tile[...: shape[1] - r] cuts what sticks out below.",
    ),
    picture=lambda arguments, found: {
        "the first tile": arguments[0][0], "the last tile": arguments[0][-1], "result": found[0],
    },
    seams=("ivdlib.preprocessing.tiles:splice",),
    adapt=lambda function: lambda tiles, positions, shape: np.float32(
        function(tiles, positions, shape)
    ),
)  # fmt: skip

TASKS = {SPLICE.name: SPLICE}
