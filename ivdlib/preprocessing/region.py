"""The region of interest of a scan: what the second network gets to see (paper, Sect. 2.1)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from ivdlib.data.masks import check_spacing
from ivdlib.errors import DataError
from ivdlib.options import TILE, TOLERANCE_MM
from ivdlib.preprocessing.tiles import side_of


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

    def upside_down(self) -> Region:
        """The region of the scan whose slices stand on their heads."""
        return Region(None if self.mask is None else self.mask[:, :, ::-1], self.window)


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
        If the mask is empty or not 3-D, or `spacing` not usable.
    ConfigError
        If `tile` is no whole number: of a tile (AP, SI) it is the first.
    """
    spine = np.asarray(spine, dtype=bool)
    if spine.ndim != 3 or not spine.any():
        raise DataError("the mask of the spine is empty or not 3-D; a region needs a spine.")
    spacing = check_spacing(spacing, 3)
    outside = ndimage.distance_transform_edt(~spine, sampling=spacing)
    return Region(outside <= margin + tolerance, spine_band(spine, tile))


def spine_band(spine: np.ndarray, tile: int = TILE[0]) -> tuple[int, int]:
    """First and one past the last AP pixel of the band, see `region_around`; whole without spine.

    `spine` is a mask (slices, AP, SI), `tile` the tile's AP side in pixels.
    """
    rows, length = np.flatnonzero(spine.any(axis=(0, 2))), spine.shape[1]
    if not rows.size:
        return 0, length
    width = min(max(side_of(tile), rows[-1] + 1 - rows[0]), length)
    start = int(np.clip((rows[0] + rows[-1] + 1 - width) // 2, 0, length - width))
    return start, start + int(width)


def fits_one_tile(shape: tuple[int, int, int], tile: tuple[int, int]) -> bool:
    """Whether a slice is no larger than a tile: then there is no background to leave out."""
    return shape[1] <= tile[0] and shape[2] <= tile[1]


def shrink(volume: np.ndarray, factor: int) -> np.ndarray:
    """Average (slices, AP, SI) over `factor` × `factor` pixels of a slice; edges are repeated.

    Gives float32, (slices, ⌈AP / factor⌉, ⌈SI / factor⌉).
    """
    pad = [(0, 0), *((0, -side % factor) for side in volume.shape[1:])]
    padded = np.pad(np.asarray(volume, dtype=np.float32), pad, mode="edge")
    n, h, w = padded.shape
    return padded.reshape(n, h // factor, factor, w // factor, factor).mean(axis=(2, 4))


def enlarge(volume: np.ndarray, factor: int, shape: tuple[int, int, int]) -> np.ndarray:
    """Undo `shrink` by repeating pixels, cropped to `shape`."""
    big = volume.repeat(factor, axis=1).repeat(factor, axis=2)
    return big[:, : shape[1], : shape[2]]


def largest_part(
    mask: np.ndarray,
    spacing: Sequence[float],
    gap: float = 0.0,
    tolerance: float = TOLERANCE_MM,
) -> np.ndarray:
    """Keep the largest part of a mask; what lies at most `gap` mm from it belongs to it.

    Parameters
    ----------
    mask : ndarray of bool, (slices, AP, SI)
    spacing : sequence of float
        Voxel edges in mm.
    gap : float, default 0
        In mm; 0 keeps one connected part.
    tolerance : float, default `TOLERANCE_MM`
        What is so little farther away, in mm, belongs to it, too.

    Returns
    -------
    ndarray of bool, same shape
    """
    if not mask.any():
        return mask.copy()
    parts, _ = ndimage.label(mask)
    kept, found = mask & False, parts == 1 + np.argmax(np.bincount(parts.ravel())[1:])
    while (found != kept).any():  # what is found may lie near other parts
        kept = found
        near = ndimage.distance_transform_edt(~kept, sampling=spacing) <= gap + tolerance
        found = np.isin(parts, np.unique(parts[near & mask]))
    return kept


def region_of(
    spine: np.ndarray | None,
    shape: tuple[int, int, int],
    spacing,
    tile: tuple[int, int],
    margin: float,
    masked: bool = True,
    tolerance: float = TOLERANCE_MM,
) -> Region:
    """Region of interest from a mask of the spine; the whole image if there is none.

    Parameters
    ----------
    spine : ndarray of bool, (slices, AP, SI), or None
    shape : tuple of int
        Of the scan.
    spacing : sequence of float
        Voxel edges in mm.
    tile : tuple of int
        Pixels (AP, SI).
    margin : float
        Widening of the mask in mm.
    masked : bool, default True
        False: only the band that is cut into tiles comes from the spine.
    tolerance : float, default `TOLERANCE_MM`
        See `region.region_around`.
    """
    if spine is None or not spine.any() or fits_one_tile(shape, tile):
        return whole_image(shape)
    found = region_around(spine, spacing, tile[0], margin, tolerance)
    return found if masked else Region(None, found.window)
