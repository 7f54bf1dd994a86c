"""One disc in a sagittal slice: the picture that it is drawn on, its masks, example drawings."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from ivdlib.course.viewer.contour import edge_of, evenly_spaced, inside, oval, redrawn
from ivdlib.course.viewer.picture import (
    HEIGHT,
    Picture,
    enlarge_pixels,
    grey,
    lettered,
    overlay_pixels,
)
from ivdlib.data.case import Case
from ivdlib.data.discs import disc_levels, number_discs, split_by_nearest_disc
from ivdlib.data.masks import box_of
from ivdlib.phantom.conditions import Conditions
from ivdlib.report.plotting import upright

MARGIN_MM = 14.0
"""What is shown around a disc."""

MOST_ACROSS = 640
"""Pixels; a window is as large as that and `HEIGHT` allow."""

_START = 12
"""Points of the oval that a reader begins with."""

STEP_MM = 2.0
"""Between two points of a contour that was not set point by point."""


class DiscInSlice:
    """A disc, its surroundings, and its masks; all upright: rows downwards, anterior on the left.

    Parameters
    ----------
    name : str
        Its level, or its number from below.
    masks : mapping of str to ndarray of bool, (rows, columns)
        The disc in the whole slice: "truth", and perhaps "found" and "rater".
    edges : tuple of float
        Height and width of a voxel, mm.

    Attributes
    ----------
    name, masks, edges
        As given.
    window : tuple of float
        Left, top, width and height of what is shown, mm.
    """

    def __init__(
        self, name: str, masks: Mapping[str, np.ndarray], edges: tuple[float, float]
    ) -> None:
        self.name, self.masks, self.edges = name, masks, edges
        self._part = tuple(
            slice(max(0, s.start - round(MARGIN_MM / edge)), s.stop + round(MARGIN_MM / edge))
            for s, edge in zip(box_of(masks["truth"]), edges, strict=True)
        )
        rows, columns = masks["truth"][self._part].shape
        top, left = (s.start * edge for s, edge in zip(self._part, edges, strict=True))
        self.window = (left, top, columns * edges[1], rows * edges[0])
        self._scale = min(MOST_ACROSS / self.window[2], HEIGHT / self.window[3])

    def start(self) -> np.ndarray:
        """An oval in the middle of the window, too small for a disc."""
        left, top, across, down = self.window
        return oval((left + across / 2, top + down / 2), (across / 8, down / 12), _START)

    def examples(self) -> list[np.ndarray]:
        """Two contours with the errors of the phantom's rater, about the truth.

        The edge of the truth is known to a voxel only and taken half-way between two, so that
        small errors change no voxel: with voxels of 1.25 mm these drawings lie 0.31 mm from the
        truth on average, the labels of the phantom 0.44 mm.
        """
        edge = edge_of(self.masks["truth"], self.edges)
        around = np.linalg.norm(edge - np.roll(edge, 1, axis=0), axis=1).sum()
        points = evenly_spaced(edge, max(_START, round(around / STEP_MM)))
        jitter = Conditions().jitter_mm
        return [redrawn(points, jitter, np.random.default_rng(seed)) for seed in (1, 2)]

    def picture(self, plane: np.ndarray, outlines: Mapping[str, np.ndarray]) -> Picture:
        """The window of a slice.

        Parameters
        ----------
        plane : ndarray of uint8, (rows, columns)
            The whole slice, upright.
        outlines : mapping of str to ndarray
            By the names of `picture.COLOURS`: contours, or masks of the whole slice.
        """
        pixels = grey(self._enlarged(plane))
        masks = {
            name: self._enlarged(outline)
            if outline.dtype == bool
            else inside(self.pixels_of(outline), pixels.shape[:2], (1, 1))
            for name, outline in outlines.items()
        }
        overlay_pixels(pixels, masks)
        return lettered(pixels, "APSI")

    def _enlarged(self, plane: np.ndarray) -> np.ndarray:
        # turned back, because `enlarge_pixels` turns it upright
        return enlarge_pixels(upright(plane[self._part]), self.edges[::-1], self._scale)

    def pixels_of(self, contour: np.ndarray) -> np.ndarray:
        """A contour (mm) in pixels of the picture."""
        return (contour - self.window[:2]) * self._scale


def discs_of_slice(case: Case, k: int, found: np.ndarray | None) -> list[DiscInSlice]:
    """All discs of a labelled case in its sagittal slice `k`, from below.

    The truth are the discs as they are where a phantom knows them, and then its label counts as a
    rater's; else the truth is the label. Each voxel belongs to the nearest labelled disc.

    Parameters
    ----------
    case : Case
    k : int
    found : ndarray of bool or None
        A network's mask on the grid of the case.
    """
    numbers = number_discs(case.disc_numbers)
    masks = {"truth": case.discs, "found": found}
    if case.exact_mask is not None:
        masks |= {"truth": case.exact_mask, "rater": case.discs}
    split = {
        name: upright(split_by_nearest_disc(mask, numbers, case.spacing)[k])
        for name, mask in masks.items()
        if mask is not None
    }
    levels = disc_levels(int(numbers.max()))
    return [
        DiscInSlice(
            levels[number - 1] or str(number),
            {name: plane == number for name, plane in split.items()},
            case.spacing[:0:-1],
        )
        for number in np.unique(split["truth"])
        if number
    ]
