"""The film strip of a training: a slice as the network finds its discs better and better."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ivdlib.report import plotting
from ivdlib.report.plotting import MARKERS, WIDTH

FRAMES = 6
"""Of a strip at most; more would be too small to see a disc in."""

HIGHEST = 2.6
"""Inches; a slice is drawn no higher, so that two strips and their curves fit on a screen."""

Curve = Mapping[int, float]
"""A value by the step at which it was noted."""


@dataclass(frozen=True, eq=False)
class Frame:
    """What a network finds in a slice at one step of its training.

    Attributes
    ----------
    step : int
        Steps made so far.
    plane : ndarray, (AP, SI)
        The slice, or the part of it that is shown.
    masks : dict of str to ndarray of bool, (AP, SI)
        `truth` and `found`.
    dice : float
        Of the whole slice.
    spacing : tuple of 3 floats
        Voxel edges in mm.
    """

    step: int
    plane: np.ndarray
    masks: dict[str, np.ndarray]
    dice: float
    spacing: tuple[float, float, float]


def picked(frames: Sequence[Frame]) -> list[Frame]:
    """Few of many frames: the first, the last, and what lies evenly between them."""
    places = np.linspace(0, len(frames) - 1, min(len(frames), FRAMES)).round().astype(int)
    return [frames[place] for place in places]


def draw_film(strips: Mapping[str, Sequence[Frame]], losses: Mapping[str, Curve]) -> Figure:
    """Draw strips one below the other, and below them the curves of loss and Dice.

    Parameters
    ----------
    strips : mapping of str to sequence of Frame
        At least one, by what stands beside it; none is empty. At most `FRAMES` of each are drawn,
        and the Dice of all.
    losses : mapping of str to mapping of int to float
        Training loss by step.
    """
    rows = [picked(frames) for frames in strips.values()]
    columns = max(map(len, rows))
    first = rows[0][0]
    ratio = plotting.slice_ratio(first.plane, first.spacing)
    height = min(HIGHEST, WIDTH / max(columns, 3) * ratio) + 0.5
    inches = (len(rows) * height + 0.3, 2.7)
    figure = Figure(figsize=(WIDTH, sum(inches)), layout="constrained")
    above, below = figure.subfigures(2, 1, height_ratios=inches)
    panels = above.subplots(len(rows), columns, squeeze=False)
    for line, name, frames in zip(panels, strips, rows, strict=True):
        for axes in line[len(frames) :]:
            axes.set_axis_off()
        for axes, frame in zip(line, frames, strict=False):
            plotting.draw(axes, frame.plane, frame.spacing, f"step {frame.step}", frame.masks)
            axes.set_xlabel(f"Dice {frame.dice:.2f}")
        line[0].set_ylabel(name)
    plotting.mask_legend(above, list(first.masks))
    left, right = below.subplots(1, 2)
    _curves(left, losses, "training loss")
    dice = {name: {frame.step: frame.dice for frame in frames} for name, frames in strips.items()}
    _curves(right, dice, "Dice of the slice")
    right.set_ylim(-0.02, 1)
    return figure


def _curves(axes: Axes, curves: Mapping[str, Curve], title: str) -> None:
    """Draw curves that differ in colour and marker; many points bear none."""
    for (name, curve), (colour, sign) in zip(curves.items(), MARKERS, strict=False):
        few = max(1, len(curve) // 8)
        axes.plot(
            list(curve), list(curve.values()), color=colour, marker=sign, markevery=few, ms=4,
            linewidth=1.2, label=name,
        )  # fmt: skip
    axes.set(xlabel="step", ylabel=title)
    axes.set_ylim(0, 1.05 * axes.get_ylim()[1])
    axes.spines[["top", "right"]].set_visible(False)
    if len(curves) > 1:
        axes.legend(frameon=False, fontsize=9)


def words_of(strips: Mapping[str, Sequence[Frame]]) -> str:
    """What the frames of the strips show, for those who cannot see them."""
    told = []
    for name, frames in strips.items():
        each = ", ".join(f"step {frame.step}: Dice {frame.dice:.2f}" for frame in picked(frames))
        told.append(f"{name}, {each}")
    return f"Film strip, the discs found and the true ones. {'; '.join(told)}."
