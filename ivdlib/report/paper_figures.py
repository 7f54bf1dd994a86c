"""Figures of the paper, drawn anew: a slice on its way through both networks, and the masks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from ivdlib.report import plotting


def overlay(
    planes: Mapping[str, np.ndarray],
    predictions: Mapping[str, np.ndarray],
    truth: np.ndarray,
    spacing: Sequence[float],
) -> Figure:
    """Draw predictions beside the truth (as Fig. 4 of the paper).

    Parameters
    ----------
    planes, predictions : mapping of str to ndarray, (AP, SI)
        Slice and predicted mask by contrast.
    truth : ndarray of bool, (AP, SI)
    spacing : sequence of 3 floats
        Voxel edges in mm.

    Returns
    -------
    Figure
        Above, each slice with both outlines; below, the predicted mask (left) and the true one.
    """
    figure, axes = plotting.slice_panels([1.0, 0.5], max(len(planes), 2), truth, spacing)
    gap = np.full((max(1, truth.shape[0] // 20), truth.shape[1]), 0.5)
    for column, (name, plane) in enumerate(planes.items()):
        both = {"found": predictions[name], "truth": truth}
        plotting.draw(axes[0, column], plane, spacing, name, both)
        pair = np.concatenate(
            [truth, gap, predictions[name]]
        )  # anterior left: the last is drawn first
        plotting.draw(axes[1, column], pair, spacing, "found | truth", limits=(0, 1))
    for place in axes[:, len(planes) :].flat:
        place.set_axis_off()
    plotting.mask_legend(figure, ["found", "truth"])
    return figure


def region_overview(
    plane: np.ndarray,
    spacing: Sequence[float],
    window: tuple[int, int],
    tile: tuple[int, int],
    starts: Sequence[tuple[int, int]],
    spine: np.ndarray | None = None,
    kept: np.ndarray | None = None,
    probability: np.ndarray | None = None,
) -> Figure:
    """Draw the way of a slice through both networks (as Fig. 1 of the paper).

    Parameters
    ----------
    plane : ndarray, (AP, SI)
    spacing : sequence of 3 floats
        Voxel edges in mm.
    window : tuple of int
        AP band that is cut into tiles.
    tile : tuple of int
        Tile in pixels (AP, SI).
    starts : sequence of (AP, SI)
        First pixel of each tile.
    spine, kept : ndarray of bool, (AP, SI), optional
        Mask of the spine, and the mask widened, outside which the image becomes zero.
    probability : ndarray, (AP, SI), optional
        Probability of disc; without it an empty panel stands for it.
    """
    figure, axes = plotting.slice_panels([1.0], 5, plane, spacing)
    scan, mask, band, tiles, discs = axes[0]
    limits = tuple(np.percentile(plane, (0.5, 99.5)))
    left = plane if kept is None else np.where(kept, plane, 0)
    plotting.draw(scan, plane, spacing, "1 image", limits=limits)
    title = "2 spine" if spine is not None else "2 spine\n(not looked for)"
    plotting.draw(mask, plane, spacing, title, None if spine is None else {"found": spine}, limits)
    plotting.draw(band, left, spacing, "3 region of interest", limits=limits)
    for edge in window:
        band.axvline(
            plane.shape[0] - edge - 0.5, color=plotting.GREEN, linestyle="dashed", linewidth=1.2
        )
    plotting.draw(tiles, left, spacing, f"4 tiles of {tile[0]} × {tile[1]}", limits=limits)
    for start in starts:
        tiles.add_patch(_tile(start, tile, plane.shape))
    if probability is None:
        discs.set_title("5 disc probability", fontsize=10)
        discs.text(0.5, 0.5, "comes in\nlesson 04", ha="center", va="center", fontsize=10)
        discs.set_aspect("equal", adjustable="box")
        discs.set(xticks=[], yticks=[], box_aspect=plotting.slice_ratio(plane, spacing))
    else:
        plotting.draw(
            discs, probability, spacing, "5 disc probability", limits=(0, 1), cmap="cividis"
        )
    return figure


def _tile(start: tuple[int, int], tile: tuple[int, int], shape: tuple[int, int]) -> Rectangle:
    """Outline of the part of a tile that lies on the slice, in the upright picture."""
    size = [min(t, n - s) for t, n, s in zip(tile, shape, start, strict=True)]
    corner = [n - s - t - 0.5 for n, s, t in zip(shape, start, size, strict=True)]
    return Rectangle(
        corner, *size, fill=False, edgecolor=plotting.GREEN, linewidth=1.5, clip_on=False
    )
