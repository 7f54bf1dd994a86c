"""Pictures of the discs that were found in a scan, by name."""

from __future__ import annotations

import numpy as np
from matplotlib import patheffects
from matplotlib.figure import Figure

from ivdlib.data.case import Case
from ivdlib.evaluation.disc_table import Discs
from ivdlib.report import plotting

LINES = (plotting.BLUE, plotting.SKY)
"""Of discs in turn: they were found, so they are blue, as in all pictures."""

ASIDE_MM = 12.0
"""How far the other slices lie to the left and right of the middle one."""

AROUND_MM = 35.0
"""Of the slice that is shown about the discs, front and back."""

ROOM = 0.2
"""A name needs this share of the picture's width."""

PREFERRED = ("wat", "t2", "inn")


def shown_contrast(case: Case) -> str:
    """The contrast that shows discs best, of those that are there."""
    return next((name for name in PREFERRED if name in case.contrasts), next(iter(case.contrasts)))


def three_slices(case: Case, discs: Discs) -> Figure:
    """The middle slice with names, and one to each side; anterior left, all discs outlined."""
    name, labels = shown_contrast(case), discs.chain.labels
    image = case.contrasts[name]
    middle = plotting.middle_slice(labels > 0)
    step = max(1, round(ASIDE_MM / case.spacing[0]))
    slices = [k for k in (middle - step, middle, middle + step) if 0 <= k < len(image)]
    band = _band(labels, case.spacing[1])
    limits = tuple(np.percentile(image[slices], (0.5, 99.7)))
    ratio = plotting.slice_ratio(image[0][band], case.spacing)
    width = plotting.WIDTH / 3
    figure, axes = plotting.new_figure(
        min(width * ratio, 9.0) + 0.4, ncols=len(slices), squeeze=False
    )
    for place, k in zip(axes[0], slices, strict=True):
        side = (k - middle) * case.spacing[0]
        title = f"{name}, middle" if not side else f"{abs(side):.0f} mm to the {_side(side)}"
        plotting.draw(place, image[k][band], case.spacing, title, limits=limits)
        for number, level in enumerate(discs.names.levels, start=1):
            _outline(place, (labels[k] == number)[band], LINES[number % 2])
            if k == middle:
                _name(place, (labels[k] == number)[band], level or "?", discs.names.uncertain)
    return figure


def _side(mm: float) -> str:
    return "right" if mm > 0 else "left"  # canonical axes run to the right


def _band(labels: np.ndarray, edge: float) -> tuple[slice, slice]:
    rows = np.flatnonzero((labels > 0).any(axis=(0, 2)))
    if not rows.size:
        return slice(None), slice(None)
    margin = round(AROUND_MM / edge)
    return slice(max(0, int(rows[0]) - margin), int(rows[-1]) + margin + 1), slice(None)


def _outline(axes, mask: np.ndarray, colour: str) -> None:
    if mask.any() and not mask.all():
        levels = plotting.upright(mask).astype(float)
        axes.contourf(levels, levels=[0.5, 1.5], colors=[colour], alpha=0.15)
        axes.contour(levels, levels=[0.5], colors=[colour], linewidths=1.1)


def _name(axes, mask: np.ndarray, level: str, uncertain: bool) -> None:
    """Write a disc's name in front of it, or on it if there is no room."""
    if not mask.any():
        return
    rows, columns = np.nonzero(plotting.upright(mask))
    halo = [patheffects.withStroke(linewidth=2.2, foreground="black")]
    room = columns.min() > ROOM * mask.shape[0]
    x = columns.min() - 3 if room else columns.mean()
    y = rows[columns <= columns.min() + 2].mean() if room else rows.mean()
    axes.text(x, y, f"{level}?" if uncertain else level, color="white", fontsize=10,
              ha="right" if room else "center", va="center", path_effects=halo)  # fmt: skip
