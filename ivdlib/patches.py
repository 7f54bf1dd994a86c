"""Tiles of 112 × 128 ("sub-maps") and splicing them back (paper, Sect. 3.1).

A slice is (AP, SI). 256 = 2 × 128 along SI, and 112 pixels = 140 mm along AP hold the spine, so a
challenge slice gives two tiles. A side that is no multiple of the tile gets evenly spread tiles
that overlap; splicing averages where they do. A side shorter than the tile is padded with zeros.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from ivdlib.errors import DataError

TILE = (112, 128)
"""Tile of the paper in pixels (AP, SI)."""

TOLERANCE_MM = 1e-4
"""Distances this little above a limit count as within. 15 mm are 12 pixels of 1.25 mm, and files
round their affines by some 1e-7: without a tolerance that moved 1 % of the region of a phantom scan
one way or the other. The next distance above 15 mm is farther away on usual grids."""

LONGEST_MM = 1000.0
"""No margin and no gap is wider: nobody's spine is longer."""

MULTIPLE = 4
"""Small images are padded to a multiple of this many pixels, which every network allows."""


def tile_for(shape: tuple[int, int], tile: tuple[int, int] = TILE) -> tuple[int, int]:
    """Tile for slices of `shape`: that of the paper, or the padded slice where it is smaller.

    >>> tile_for((256, 256)), tile_for((35, 25))
    ((112, 128), (36, 28))
    """
    padded = (-(-side // MULTIPLE) * MULTIPLE for side in shape)
    return tuple(min(t, p) for t, p in zip(tile, padded, strict=True))


def fits_one_tile(shape: tuple[int, int, int], tile: tuple[int, int]) -> bool:
    """Whether a slice is no larger than a tile: then there is no background to leave out."""
    return shape[1] <= tile[0] and shape[2] <= tile[1]


def tile_starts(length: int, tile: int) -> list[int]:
    """First pixels of the fewest evenly spread tiles that cover `length` pixels.

    >>> tile_starts(256, 128), tile_starts(320, 128), tile_starts(25, 28)
    ([0, 128], [0, 96, 192], [0])
    """
    if length <= tile:
        return [0]
    count = -(-length // tile)
    return [round(i * (length - tile) / (count - 1)) for i in range(count)]


@dataclass(frozen=True)
class Region:
    """Region of interest of a scan (paper, Sect. 2.1): what the second network gets to see.

    Attributes
    ----------
    mask : ndarray of bool, (slices, AP, SI), or None
        The spine, widened; outside it images are set to zero. None: the whole image.
    window : tuple of int
        First and one past the last AP pixel of the band that is cut into tiles.
    """

    mask: np.ndarray | None
    window: tuple[int, int]

    def coverage(self, truth: np.ndarray) -> dict[str, float]:
        """How much the region keeps: of the true voxels, and of all.

        Parameters
        ----------
        truth : ndarray of bool, (slices, AP, SI)
            Discs.

        Returns
        -------
        dict
            `discs_inside`, share of the true voxels (1 without any); `region_share`, share of all.
        """
        kept = np.ones(truth.shape, bool) if self.mask is None else self.mask.copy()
        first, last = self.window
        kept[:, :first] = kept[:, last:] = False
        inside = kept[truth].mean() if truth.any() else 1.0
        return {"discs_inside": float(inside), "region_share": float(kept.mean())}

    def apply(self, volume: np.ndarray) -> np.ndarray:
        """Set `volume` to zero outside the mask; shape, channels too, and dtype stay."""
        if self.mask is None:
            return volume
        mask = self.mask.reshape(self.mask.shape + (1,) * (volume.ndim - 3))
        return np.where(mask, volume, volume.dtype.type(0))


def whole_image(shape: tuple[int, int, int]) -> Region:
    """Region of a scan of `shape` (slices, AP, SI) that leaves nothing out."""
    return Region(None, (0, shape[1]))


def region_around(
    spine: np.ndarray,
    spacing: tuple[float, float, float],
    tile: int = TILE[0],
    margin: float = 15.0,
    tolerance: float = TOLERANCE_MM,
) -> Region:
    """Region of interest from a mask of the spine.

    The band is at least one tile wide, centred on the spine and moved inside the image; where the
    spine is wider than a tile, so is the band, and it gets more tiles: no part of it is cut off.

    Parameters
    ----------
    spine : ndarray of bool, (slices, AP, SI)
        Vertebrae, discs and, where known, the canal.
    spacing : tuple of float
        Voxel size in mm.
    tile : int, default 112
        Side of the tile along AP, in pixels.
    margin : float, default 15.0
        How far the mask is widened, in mm. The paper names no margin; 15 mm covers the bulge of a
        disc and the error of a coarse spine network.
    tolerance : float, default `TOLERANCE_MM`
        What is so little beyond the margin, in mm, lies within it.

    Raises
    ------
    DataError
        Where the mask is empty or not 3-D.
    """
    spine = np.asarray(spine, dtype=bool)
    if spine.ndim != 3 or not spine.any():
        raise DataError("the mask of the spine is empty or not 3-D; a region needs a spine.")
    rows = np.flatnonzero(spine.any(axis=(0, 2)))
    length = spine.shape[1]
    width = min(max(tile, rows[-1] + 1 - rows[0]), length)
    start = int(np.clip((rows[0] + rows[-1] + 1 - width) // 2, 0, length - width))
    outside = ndimage.distance_transform_edt(~spine, sampling=spacing)
    return Region(outside <= margin + tolerance, (start, start + int(width)))


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
    """

    shape: tuple[int, int, int]
    tile: tuple[int, int] = TILE
    window: tuple[int, int] | None = None

    @property
    def positions(self) -> list[tuple[int, int, int]]:
        """First voxel (slice, AP, SI) of each tile, slice by slice."""
        first, last = self.window or (0, self.shape[1])
        rows = [first + start for start in tile_starts(last - first, self.tile[0])]
        columns = tile_starts(self.shape[2], self.tile[1])
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
            Where the volume has another shape.
        """
        if volume.shape[:3] != self.shape:
            raise DataError(f"a volume of shape {volume.shape} does not fit tiles of {self.shape}.")
        height, width = self.tile
        sides = (len(self.positions), height, width, *volume.shape[3:])
        tiles = np.zeros(sides, dtype=volume.dtype)
        for tile, (s, r, c) in zip(tiles, self.positions, strict=True):
            part = volume[s, r : r + height, c : c + width]
            tile[: part.shape[0], : part.shape[1]] = part
        return tiles

    def splice(self, tiles: np.ndarray) -> np.ndarray:
        """Put tiles back to a float32 volume of `shape`; mean where they overlap, zero elsewhere.

        Raises
        ------
        DataError
            Where number or shape of the tiles is not that of this grid.
        """
        expected = (len(self.positions), *self.tile)
        if tiles.shape != expected:
            raise DataError(f"tiles of shape {tiles.shape} do not fit: {expected} are needed.")
        total = np.zeros(self.shape, dtype=np.float32)
        count = np.zeros(self.shape, dtype=np.float32)
        height, width = self.tile
        for tile, (s, r, c) in zip(tiles, self.positions, strict=True):
            place = np.s_[s, r : r + height, c : c + width]
            part = total[place]
            part += tile[: part.shape[0], : part.shape[1]]
            count[place] += 1
        return total / np.maximum(count, 1)
