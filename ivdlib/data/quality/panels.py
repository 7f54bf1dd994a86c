"""Slices that show what a check found: one sagittal slice of each image of a case."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ivdlib.data.case import Case
from ivdlib.data.geometry import spacing_mm
from ivdlib.data.nifti import Image
from ivdlib.data.orientation import canonical_affine, to_canonical


@dataclass(frozen=True, eq=False)
class Panel:
    """A slice (AP, SI) to draw, with masks of its shape.

    Attributes
    ----------
    title : str
    plane : ndarray, (AP, SI)
    spacing : tuple of 3 floats
        Voxel edges in mm (left-right, AP, SI).
    discs, exchanged : ndarray of bool, (AP, SI), or None
        The labelled discs; where water and fat stand exchanged.
    """

    title: str
    plane: np.ndarray
    spacing: tuple[float, float, float]
    discs: np.ndarray | None = None
    exchanged: np.ndarray | None = None


def panels_of(
    images: Mapping[str, Image],
    case: Case | None,
    axcodes: tuple[str, str, str] | None,
    copies: Sequence[Sequence[str]],
    exchanged: np.ndarray | None,
) -> tuple[Panel, ...]:
    """Choose the slices of a case, as its files are and what was derived after them.

    Parameters
    ----------
    images : mapping of str to Image
        What could be read: contrasts, "labels", "spine", "exact"; of the masks only "labels" is
        shown, as an outline.
    case : Case or None
        None if the images do not make a case.
    axcodes : tuple of 3 str or None
        The declared axes.
    copies : sequence of (str, str)
        Copies stand side by side, before the others.
    exchanged : ndarray of bool or None
        Canonical, of the shape of the case.

    Returns
    -------
    tuple of Panel
        The slice with most of the exchange, else with most of the discs, else the middle one.
    """
    volumes = {word: _canonical(image, axcodes) for word, image in images.items()}
    for mask in ("spine", "exact"):
        volumes.pop(mask, None)
    labels = volumes.pop("labels", (None, None))[0]
    mask = case.discs if case is not None else None if labels is None else labels > 0
    guide = exchanged if exchanged is not None and exchanged.any() else mask
    twins = {one: other for a, b in copies for one, other in ((a, b), (b, a))}
    order = [*twins, *(name for name in volumes if name not in twins)]
    named = [
        (f"{name} (= {twins[name]})" if name in twins else name, *volumes[name]) for name in order
    ]
    if case is not None:
        named += [
            (f"{name}† (derived)", case.contrasts[name], case.spacing)
            for name in case.contrasts
            if name in case.derived
        ]
    return tuple(_panel(*one, guide, mask, exchanged) for one in named)


def _canonical(
    image: Image, axcodes: tuple[str, str, str] | None
) -> tuple[np.ndarray, tuple[float, float, float]]:
    grid = image.grid(axcodes)
    return to_canonical(image.array, grid), spacing_mm(canonical_affine(grid))


def _panel(
    title: str,
    volume: np.ndarray,
    spacing: tuple[float, float, float],
    guide: np.ndarray | None,
    mask: np.ndarray | None,
    exchanged: np.ndarray | None,
) -> Panel:
    k = volume.shape[0] // 2
    if guide is not None and guide.shape == volume.shape and guide.any():
        k = int(np.argmax(guide.sum(axis=(1, 2))))
    discs, swap = (
        other[k].copy() if other is not None and other.shape == volume.shape else None
        for other in (mask, exchanged)
    )
    # Copies: a view would keep the whole volume until the page is drawn.
    return Panel(title, volume[k].copy(), spacing, discs, swap)
