"""Tiles of 112 × 128 ("sub-maps") and splicing them back (paper, Sect. 3.1).

A slice is (AP, SI). 256 = 2 × 128 along SI, and 112 pixels = 140 mm along AP hold the spine, so a
challenge slice gives two tiles. A side that is no multiple of the tile gets evenly spread tiles
that overlap; splicing averages where they do. A side shorter than the tile lies in its middle, and
zeros stand on both sides: there a training turns and enlarges it without losing any of it.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ivdlib.errors import ConfigError, DataError
from ivdlib.options import TILE

MULTIPLE = 4
"""Small images are padded to a multiple of this many pixels, which every network allows."""


def tile_for(shape: tuple[int, int], tile: tuple[int, int] = TILE) -> tuple[int, int]:
    """Tile for slices of `shape`: that of the paper, or the padded slice where it is smaller.

    >>> tile_for((256, 256)), tile_for((35, 25))
    ((112, 128), (36, 28))
    """
    padded = (-(-side // MULTIPLE) * MULTIPLE for side in shape)
    return tuple(min(t, p) for t, p in zip(tile, padded, strict=True))


def sides_of(what: str, value: object, axes: tuple[str, ...]) -> tuple[int, ...]:
    """Sides in pixels, NumPy's numbers included.

    Raises
    ------
    ConfigError
        If there is not one whole number above 0 for each of `axes`.
    """
    try:
        sides = tuple(map(operator.index, value))
    except TypeError:
        sides = ()
    if len(sides) != len(axes) or min(sides) < 1:
        raise ConfigError(f"{what} is whole numbers ({', '.join(axes)}) above 0, not {value!r}.")
    return sides


def side_of(tile: object) -> int:
    """One side of a tile in pixels.

    Raises
    ------
    ConfigError
        If it is no whole number above 0, such as a whole tile.
    """
    try:
        side = 0 if isinstance(tile, bool) else operator.index(tile)
    except TypeError:
        side = 0
    if side < 1:
        raise ConfigError(
            f"the side of a tile is one whole number of pixels, not {tile!r}; of a tile (AP, SI) "
            "give tile[0]."
        )
    return side


def tile_starts(length: int, tile: int, overlap: float = 0.0) -> list[int]:
    """First pixels of the fewest evenly spread tiles that cover `length` pixels.

    Neighbours share at least `overlap` of a tile.

    >>> tile_starts(256, 128), tile_starts(320, 128), tile_starts(25, 28)
    ([0, 128], [0, 96, 192], [-1])
    """
    if length <= tile:
        return [-((tile - length) // 2)]
    count = 1 + math.ceil((length - tile) / (tile * (1 - overlap)))
    return [round(i * (length - tile) / (count - 1)) for i in range(count)]


def splice(
    tiles: np.ndarray, positions: Sequence[tuple[int, int, int]], shape: tuple[int, int, int]
) -> np.ndarray:
    """Put tiles back to a volume; mean where they overlap, zero where none lies.

    Parameters
    ----------
    tiles : ndarray, (tiles, AP, SI)
    positions : sequence of tuple of int
        First voxel (slice, AP, SI) of each tile. What lies beyond the volume is left out.
    shape : tuple of int
        The volume (slices, AP, SI).

    Returns
    -------
    ndarray, float32, `shape`
    """
    total = np.zeros(shape, dtype=np.float32)
    count = np.zeros(shape, dtype=np.float32)
    for tile, (s, r, c) in zip(tiles, positions, strict=True):
        inside, within = _parts((r, c), tile.shape, shape[1:])
        total[s][inside] += tile[within]
        count[s][inside] += 1
    return total / np.maximum(count, 1)


def _parts(
    start: tuple[int, int], tile: tuple[int, int], sides: tuple[int, int]
) -> tuple[tuple[slice, ...], tuple[slice, ...]]:
    """What a tile that starts here shows of a slice with these sides, and where in the tile."""
    ends = zip(start, tile, sides, strict=True)
    inside = tuple(slice(max(a, 0), min(a + t, side)) for a, t, side in ends)
    within = (slice(i.start - a, i.stop - a) for i, a in zip(inside, start, strict=True))
    return inside, tuple(within)


@dataclass(frozen=True)
class TileGrid:
    """Where the tiles of a scan lie; cuts a volume and splices tiles back.

    Attributes
    ----------
    shape : tuple of int
        The scan (slices, AP, SI).
    tile : tuple of int
        The tile (AP, SI).
    window : tuple of int or None
        AP band to cover, see `Region`; None covers all.
    overlap : float
        Share of a tile that neighbours have in common at least.

    Raises
    ------
    ConfigError
        If shape or tile is not three and two whole numbers.
    """

    shape: tuple[int, int, int]
    tile: tuple[int, int] = TILE
    window: tuple[int, int] | None = None
    overlap: float = 0.0

    def __post_init__(self) -> None:
        sides_of("the shape of a scan", self.shape, ("slices", "AP", "SI"))
        sides_of("a tile", self.tile, ("AP", "SI"))

    @property
    def positions(self) -> list[tuple[int, int, int]]:
        """First voxel (slice, AP, SI) of each tile, slice by slice."""
        first, last = self.window or (0, self.shape[1])
        rows = [first + k for k in tile_starts(last - first, self.tile[0], self.overlap)]
        columns = tile_starts(self.shape[2], self.tile[1], self.overlap)
        return [(s, r, c) for s in range(self.shape[0]) for r in rows for c in columns]

    def holds(self, box: tuple[slice, slice, slice]) -> bool:
        """Whether one tile a slice holds a whole box (slice, AP, SI), so that no seam cuts it."""
        _, rows, columns = box
        height, width = self.tile
        return any(
            r <= rows.start and rows.stop <= r + height
            and c <= columns.start and columns.stop <= c + width
            for _, r, c in self.positions
        )  # fmt: skip

    def cut(self, volume: np.ndarray) -> np.ndarray:
        """Cut a volume of `shape` into tiles (tiles, AP, SI); beyond the image stand zeros.

        Channels, where the volume has them as a fourth axis, stay the last axis.

        Raises
        ------
        DataError
            If the volume has another shape.
        """
        if volume.shape[:3] != self.shape:
            raise DataError(f"a volume of shape {volume.shape} does not fit tiles of {self.shape}.")
        sides = (len(self.positions), *self.tile, *volume.shape[3:])
        tiles = np.zeros(sides, dtype=volume.dtype)
        for tile, (s, r, c) in zip(tiles, self.positions, strict=True):
            inside, within = _parts((r, c), self.tile, self.shape[1:])
            tile[within] = volume[s][inside]
        return tiles

    def splice(self, tiles: np.ndarray) -> np.ndarray:
        """Put tiles back to a float32 volume of `shape`, see the function `splice`.

        Raises
        ------
        DataError
            If number or shape of the tiles is not that of this grid.
        """
        expected = (len(self.positions), *self.tile)
        if tiles.shape != expected:
            raise DataError(f"tiles of shape {tiles.shape} do not fit: {expected} are needed.")
        return splice(tiles, self.positions, self.shape)
