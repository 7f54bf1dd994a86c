"""One sagittal slice on a super-sampled grid, and painting tissues on it."""

from __future__ import annotations

import numpy as np

from ivdlib.phantom.fields import Field, Warp, cover
from ivdlib.phantom.signal import TISSUE_CODES

SUB = 2
"""Cells along each axis of a voxel."""
_MESH = 4
"""Voxels between the nodes on which slowly varying fields are evaluated."""

Window = tuple[slice, slice, slice]


class Canvas:
    """Cells of slice `index`: where they lie in the subject, and what they are made of.

    Parameters
    ----------
    index : int
        Slice (native axis 0) of the full volume.
    plane : int
        Voxels along native axes 1 and 2.
    to_subject : numpy.ndarray
        4 × 4: voxel indices to the subject's frame, mm.
    warp : Warp
        Displacement from the subject's frame to the anatomy as it is described.
    weights : dict of str to numpy.ndarray
        Signal of each tissue of this person, see `signal.weights`.
    """

    def __init__(
        self,
        index: int,
        plane: int,
        to_subject: np.ndarray,
        warp: Warp,
        weights: dict[str, np.ndarray],
    ) -> None:
        self.index, self.plane, self.to_subject = index, plane, to_subject
        self.weights = weights
        sizes = np.linalg.norm(to_subject[:3, :3], axis=0) / SUB
        self.width = float(np.mean(sizes[1:]) * 1.15)
        """Width (mm) of the edge of a solid; a cell seen along an oblique direction."""
        # The first node lies on the first cell, so that a cell's place between nodes is a fraction.
        nodes = np.arange(0, plane + _MESH, _MESH, dtype=np.float32) + (0.5 / SUB - 0.5)
        grid = np.stack(np.meshgrid([index], nodes, nodes, indexing="ij"))
        self.nodes = np.float32(_move(to_subject, grid))
        shift = np.stack([self.stretch(part) for part in warp(*self.nodes)])
        half = (np.arange(SUB, dtype=np.float32) + 0.5) / SUB - 0.5
        fine = (np.arange(plane * SUB, dtype=np.float32) + 0.5) / SUB - 0.5
        cells = np.meshgrid(index + half, fine, fine, indexing="ij", sparse=True)
        self.points = np.float32(_move(to_subject, cells)) + shift
        shape = self.points.shape[1:]
        self.mix = np.zeros((4, *shape), np.float32)
        self.spine = np.zeros(shape, np.float32)
        self.codes = np.zeros(shape, np.uint8)
        """Tissue that fills half of a cell or more (`signal.TISSUE_CODES`)."""
        self.levels = np.zeros((plane, plane), np.uint8)
        """Exact labels: level of the disc that fills half of a voxel or more."""
        self.drawn = np.zeros((plane, plane), np.uint8)
        """Labels as a rater draws them."""

    def stretch(self, values: np.ndarray) -> np.ndarray:
        """Interpolate one slice of node values to the cells, shape (1, cells, cells)."""
        size = self.plane * SUB
        return _between(_between(values[0], size).T, size).T[None]

    def slow(self, field: Field, window: Window) -> np.ndarray:
        """Evaluate a slowly varying field in the cells of a window; one value for both cells."""
        return self.stretch(field(*self.nodes))[(slice(0, 1), *window[1:])]

    def smooth(self, field: Field) -> np.ndarray:
        """Evaluate a slowly varying field in the voxels of the slice; shape (plane, plane)."""
        return self.stretch(field(*self.nodes))[0, SUB // 2 :: SUB, SUB // 2 :: SUB]

    def quick(self, field: Field, window: Window) -> np.ndarray:
        """Evaluate a quickly varying field, one value a voxel, repeated over its cells."""
        return per_voxel(field, *(axis[window] for axis in self.points))

    def window(self, centre: np.ndarray, reach: float | tuple) -> Window | None:
        """Cells that may lie within `reach` (mm; one number or one an axis) of `centre`."""
        reach = np.broadcast_to(np.asarray(reach, float), 3) + 4
        inverse = np.linalg.inv(self.to_subject)
        middle = inverse[:3, :3] @ centre + inverse[:3, 3]
        spread = np.abs(inverse[:3, :3]) @ reach
        if abs(self.index - middle[0]) > spread[0] + 0.5:
            return None
        low = np.clip(np.floor(middle[1:] - spread[1:]), 0, self.plane).astype(int)
        high = np.clip(np.ceil(middle[1:] + spread[1:]) + 1, 0, self.plane).astype(int)
        if (low >= high).any():
            return None
        return (
            slice(0, SUB),
            *(slice(SUB * a, SUB * b) for a, b in zip(low, high, strict=True)),
        )

    def cover(self, distance: np.ndarray) -> np.ndarray:
        """Coverage of the cells by a solid of signed `distance` (mm)."""
        return cover(distance, self.width)

    def paint(
        self,
        window: Window,
        share: np.ndarray,
        tissue: str | np.ndarray,
        scale: float | np.ndarray = 1.0,
    ) -> None:
        """Put `tissue` (a name, or four channels) over `share` of each cell, times `scale`."""
        rows = np.flatnonzero(share.any(axis=(0, 2)))
        if not len(rows):
            return
        # Most solids are narrow from front to back: leave out the rows they do not reach.
        near = slice(rows[0], rows[-1] + 1)
        share, begin = share[:, near], window[1].start
        window = (window[0], slice(begin + near.start, begin + near.stop), window[2])
        scale = scale[:, near] if isinstance(scale, np.ndarray) else scale
        named = isinstance(tissue, str)
        values = self.weights[tissue] if named else [v[:, near] for v in tissue]
        code = TISSUE_CODES[tissue if named else "marrow_water"]
        np.copyto(self.codes[window], np.uint8(code), where=share >= 0.5)
        for channel, value in zip(self.mix, values, strict=True):
            part = channel[window]
            part += share * (value * scale - part)

    def paint_marrow(self, window: Window, share: np.ndarray, fat: np.ndarray) -> None:
        """Paint marrow with the proton-density fat fraction `fat`."""
        fat = np.clip(np.broadcast_to(fat, share.shape), 0.02, 0.95)
        water, oil = self.weights["marrow_water"], self.weights["marrow_fat"]
        water, oil = (tissue[:, None, None, None] for tissue in (water, oil))
        self.paint(window, share, water * (1 - fat) + oil * fat)

    def mark_disc(self, window: Window, share: np.ndarray, drawn: np.ndarray, number: int) -> None:
        """Label voxels that the disc fills by half or more.

        `share` is the disc's share of each cell; `drawn` that of the disc as a rater outlines it.
        """
        spot = tuple(slice(w.start // SUB, w.stop // SUB) for w in window[1:])
        for labels, cells in ((self.levels, share), (self.drawn, drawn)):
            labels[spot][voxel_mean(cells) >= 0.5] = number

    def tissue(self) -> np.ndarray:
        """Tissue that most cells of each voxel hold; uint8, (plane, plane)."""
        cells = self.codes.reshape(SUB, self.plane, SUB, self.plane, SUB).transpose(1, 3, 0, 2, 4)
        return _most_common(cells.reshape(self.plane, self.plane, SUB**3))


def per_voxel(field: Field, x: np.ndarray, y: np.ndarray, z: np.ndarray) -> np.ndarray:
    """Evaluate a field at one cell of each voxel and repeat it; cells (SUB, n SUB, m SUB), mm."""
    values = field(*(axis[:1, ::SUB, ::SUB] for axis in (x, y, z)))
    return values.repeat(SUB, axis=1).repeat(SUB, axis=2)


def voxel_mean(cells: np.ndarray) -> np.ndarray:
    """Average cells (..., SUB, n SUB, m SUB) to voxels (..., n, m)."""
    *lead, _, rows, columns = cells.shape
    blocks = cells.reshape(*lead, SUB, rows // SUB, SUB, columns // SUB, SUB)
    return blocks.mean(axis=(-5, -3, -1))


def _most_common(values: np.ndarray) -> np.ndarray:
    """Most common value along the last axis: the start of the longest run of the sorted values."""
    values = np.sort(values, axis=-1)
    found = values[..., 0].copy()
    for length in range(1, values.shape[-1]):
        same = values[..., length:] == values[..., :-length]
        some = same.any(axis=-1)
        if not some.any():
            break
        first = same[some].argmax(axis=-1)
        found[some] = np.take_along_axis(values[some], first[:, None], axis=-1)[:, 0]
    return found


def _move(matrix: np.ndarray, grid) -> np.ndarray:
    return np.stack(
        [sum(matrix[i, j] * grid[j] for j in range(3)) + matrix[i, 3] for i in range(3)]
    )


def _between(values: np.ndarray, size: int) -> np.ndarray:
    """Interpolate linearly along axis 0 from the nodes to `size` cells."""
    at = np.arange(_MESH * SUB, dtype=np.float32)[None, :, None] / (_MESH * SUB)
    low, high = values[:-1, None], values[1:, None]
    return (low + at * (high - low)).reshape(-1, values.shape[1])[:size]
