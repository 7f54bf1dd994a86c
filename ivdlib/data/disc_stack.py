"""How labelled discs lie to each other: the axis that they are stacked along, and their curve."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

LEAST_SPAN_MM, LEAST_RATIO = 40.0, 2.0
"""Three discs or more make a stack where their centres lie this far apart along one axis, and this
many times farther than along the others (68 real scans: 120 mm and 3.6 times at least)."""

FLAT, WIDEST_MM = 0.5, 15.0
"""A disc is flat along an axis where its spread is less than this share of that along the other one
(from front to back against from below to above: 0.88 at least in 117 real scans and crops), and the
latter no more than that of a disc."""

LEAST_PIECE = 0.1
"""Pieces below this share of the largest one are fragments, and say nothing."""

BENT = range(5, 10)
"""Numbers of discs whose curve is judged: the lumbar ones, perhaps with some thoracic ones."""

LORDOSIS_DEG, LOWER_BEND_DEG = 15.0, 8.0
"""The lowest disc leans forwards against the highest one by at least 19 degrees in 68 real scans,
and the lowest three bend more than the highest three by at least 8.7."""

COARSEST_MM = 3.5
"""In coarser pixels the tilt of a disc, 10 mm high, cannot be measured."""


@dataclass(frozen=True, eq=False)
class Pieces:
    """The discs: centres (k, 3) in mm and covariances (k, 3, 3) in mm² of their voxels."""

    centres: np.ndarray
    spreads: np.ndarray

    def stack(self) -> int | None:
        """The axis along which three discs or more are stacked."""
        if len(self.centres) < 3:
            return None
        span = np.ptp(self.centres, axis=0)
        *_, second, most = np.argsort(span)
        far = span[most] >= max(LEAST_SPAN_MM, LEAST_RATIO * span[second])
        return int(most) if far else None

    def narrow(self, up: int) -> int | None:
        """The axis beside that of the spine along which the stack keeps straight."""
        span = np.ptp(self.centres, axis=0)
        one, other = sorted({0, 1, 2} - {up}, key=lambda axis: span[axis])
        return one if span[other] >= LEAST_RATIO * span[one] else None

    def flat(self, across: int) -> int | None:
        """The axis in the plane of the slices along which all discs are thin.

        That `across` the slices is not looked at: some raters label the middle slices alone.
        """
        plane = sorted({0, 1, 2} - {across})
        edges = np.sqrt(np.diagonal(self.spreads, axis1=1, axis2=2))[:, plane]
        for thin, wide in ((0, 1), (1, 0)):
            disc = edges[:, wide].max() <= WIDEST_MM
            if disc and np.all(edges[:, thin] < FLAT * edges[:, wide]):
                return plane[thin]
        return None

    def bend(
        self, axes: tuple[int, int, int], spacing: tuple[float, float, float]
    ) -> tuple[int, int]:
        """Whether the curve is that of a spine that looks forwards, and stands upright.

        Parameters
        ----------
        axes : tuple of 3 ints
            The left-right, front-back and up-down axis.
        spacing : tuple of 3 floats

        Returns
        -------
        tuple of 2 ints
            1 yes, -1 no, 0 cannot be told.
        """
        plane = [*axes[1:]]
        if len(self.centres) not in BENT or max(spacing[axis] for axis in plane) > COARSEST_MM:
            return 0, 0
        order = np.argsort(self.centres[:, plane[1]])
        forwards, upwards = self.centres[order][:, plane].T
        extents, directions = np.linalg.eigh(self.spreads[order][:, plane][:, :, plane])
        if np.median(extents[:, 0] / extents[:, 1]) > FLAT**2:  # vertebrae under the discs' label
            return 0, 0
        normal = directions[:, :, 0] * np.where(directions[:, 1, 0] < 0, -1, 1)[:, None]
        tilt = np.degrees(np.arctan2(normal[:, 0], normal[:, 1]))
        lordosis = tilt[0] - tilt[-1]
        hollow = np.polyfit(upwards, forwards, 2)[0]
        if abs(lordosis) < LORDOSIS_DEG or lordosis * hollow > 0:  # the two do not agree
            return 0, 0
        front = 1 if lordosis > 0 else -1
        lower = front * ((tilt[0] - tilt[2]) - (tilt[-3] - tilt[-1]))
        return front, int(np.sign(lower)) if abs(lower) >= LOWER_BEND_DEG else 0


def measure_stack(discs: np.ndarray, spacing: tuple[float, float, float]) -> Pieces:
    """Centre and spread of each disc; a voxel counts with its size, however thin the disc is."""
    from ivdlib.data.discs import number_discs  # needs SciPy, which takes a while to load
    from ivdlib.data.masks import box_of

    numbers = number_discs(discs[box_of(discs != 0)])
    places = np.nonzero(numbers)
    found = numbers[places] - 1
    size = np.bincount(found)
    points = np.column_stack(places) * spacing
    mean = np.column_stack([np.bincount(found, column) for column in points.T]) / size[:, None]
    apart = points - mean[found]
    spread = np.array(
        [[np.bincount(found, a * b) / size for b in apart.T] for a in apart.T]
    ).transpose(2, 0, 1)
    kept = size >= LEAST_PIECE * size.max()
    return Pieces(mean[kept], (spread + np.diag(np.square(spacing) / 12))[kept])
