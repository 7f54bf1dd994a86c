"""Drawings of lesson 01b: grey values, a loss and its slope, the chain rule, learnt kernels."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import FancyBboxPatch

from ivdlib.report.plotting import BLUE, MARKERS, VERMILION, WIDTH, new_figure, upright


def grey_values(groups: Mapping[str, tuple[np.ndarray, np.ndarray]]) -> Figure:
    """Draw how often a grey value occurs, in discs and elsewhere: a panel for each image.

    Parameters
    ----------
    groups : mapping of str to tuple of ndarray
        Grey values of disc voxels, and of the others, by the name of the image.
    """
    figure, panels = new_figure(2.8, ncols=len(groups), squeeze=False, sharey=True)
    for axes, (name, (discs, others)) in zip(panels[0], groups.items(), strict=True):
        bins = np.linspace(0, np.quantile(np.concatenate([discs, others]), 0.999), 41)
        for values, label, colour in ((others, "not disc", BLUE), (discs, "disc", VERMILION)):
            share = np.full(len(values), 100 / len(values))
            axes.hist(values, bins, weights=share, color=colour, alpha=0.6, label=label)
        axes.set(title=name, xlabel="grey value (0 to 1)", ylim=(0, 30))
        axes.spines[["top", "right"]].set_visible(False)
    panels[0, 0].set_ylabel("per cent of its voxels")
    panels[0, 0].legend(frameon=False)
    return figure


def sigmoid_and_loss() -> Figure:
    """Draw how a sum becomes a chance, and what a chance costs if a voxel is disc, or is not."""
    figure, (left, right) = new_figure(3.0, ncols=2)
    sums, chance = np.linspace(-6, 6, 200), np.linspace(0.01, 0.99, 200)
    left.plot(sums, 1 / (1 + np.exp(-sums)), color=BLUE)
    left.axhline(0.5, color="0.7", lw=0.8)
    left.set(xlabel="weighted sum", ylabel="chance of disc", title="the sigmoid")
    right.plot(chance, -np.log(chance), color=VERMILION, label="it is disc")
    right.plot(chance, -np.log(1 - chance), "--", color=BLUE, label="it is not")
    right.set(xlabel="chance of disc that was given", ylabel="loss", title="the cross-entropy")
    right.legend(frameon=False)
    for axes in (left, right):
        axes.spines[["top", "right"]].set_visible(False)
    return figure


def chain(values: Mapping[str, float], slopes: Sequence[float]) -> Figure:
    """Draw a chain of computations: values go forward, slopes come back.

    Parameters
    ----------
    values : mapping of str to float
        What each box holds, by its name, from left to right.
    slopes : sequence of float
        How much each box changes by the one before it; one fewer than there are boxes.
    """
    figure, axes = new_figure(2.3)
    axes.set(xlim=(-0.6, 2.6 * len(values) - 1.4), ylim=(-1.15, 1.15), aspect="auto")
    axes.set_axis_off()
    for place, (name, value) in enumerate(values.items()):
        box = FancyBboxPatch((2.6 * place - 0.5, -0.4), 1.3, 0.8, boxstyle="round,pad=0.05",
                             fc="white", ec="0.3")  # fmt: skip
        axes.add_patch(box)
        text = f"{name}\n{value:.3f}"
        axes.text(2.6 * place + 0.15, 0, text, ha="center", va="center", fontsize=11)
    arrow = {"arrowstyle": "->", "lw": 1.5}
    for place, slope in enumerate(slopes):
        start, end = 2.6 * place + 0.85, 2.6 * place + 2.05
        forward = {**arrow, "color": BLUE}
        back = {**arrow, "color": VERMILION}
        axes.annotate("", (end, 0.18), (start, 0.18), arrowprops=forward)
        axes.annotate("", (start, -0.18), (end, -0.18), arrowprops=back)
        axes.text((start + end) / 2, -0.72, f"× {slope:.3f}", ha="center", color=VERMILION)
    axes.text(-0.5, 0.8, "values go forward →", color=BLUE)
    axes.text(-0.5, -1.1, "← slopes come back, and are multiplied", color=VERMILION)
    return figure


def step_downhill(
    loss_at: Callable[[float], float], start: float, slope: float, rate: float, name: str
) -> Figure:
    """Draw the loss over one weight, its slope at the start, and one step down.

    Parameters
    ----------
    loss_at : callable
        The loss, for a value of the weight.
    start, slope, rate : float
        Value of the weight, slope of the loss there, learning rate.
    name : str
        Of the weight.
    """
    figure, axes = new_figure(3.2, WIDTH * 0.7)
    end = start - rate * slope
    places = np.linspace(min(start, end) - 1.5, max(start, end) + 1.5, 100)
    axes.plot(places, [loss_at(place) for place in places], color=BLUE, label="loss")
    near = np.array([start - 0.8, start + 0.8])
    axes.plot(near, loss_at(start) + slope * (near - start), "--", color=VERMILION, label="slope")
    axes.annotate("", (end, loss_at(end)), (start, loss_at(start)),
                  arrowprops={"arrowstyle": "->", "lw": 2})  # fmt: skip
    axes.plot([start], [loss_at(start)], "o", color="black", label="before the step")
    axes.plot([end], [loss_at(end)], "s", color="black", label="after the step")
    axes.set(xlabel=name, ylabel="loss of this voxel")
    axes.legend(frameon=False)
    axes.spines[["top", "right"]].set_visible(False)
    return figure


def losses(curves: Mapping[str, Sequence[float]]) -> Figure:
    """Draw how losses fall, step by step, each with a name."""
    figure, axes = new_figure(3.2, WIDTH * 0.7)
    for (name, curve), (colour, _) in zip(curves.items(), MARKERS, strict=False):
        axes.plot(np.arange(len(curve)), curve, color=colour, lw=1.2, label=name)
    axes.set(xlabel="step", ylabel="mean loss of the batch")
    axes.set_ylim(bottom=0)
    axes.legend(frameon=False)
    axes.spines[["top", "right"]].set_visible(False)
    return figure


def borders(
    points: np.ndarray,
    truth: np.ndarray,
    names: Sequence[str],
    lines: Mapping[str, np.ndarray],
    chance: float,
) -> Figure:
    """Draw voxels as points of two features, and the line where a regression gives a chance.

    What is drawn is the neighbourhood of the discs. The side of the last line that has the higher
    chances is grey.

    Parameters
    ----------
    points : ndarray, (voxels, 2)
    truth : ndarray of bool, (voxels,)
    names : sequence of str
        Of the two features.
    lines : mapping of str to ndarray, (3,)
        Weights of the ones and of the two features, by what they are called.
    chance : float
        On one side of a line the regression gives more, on the other less.
    """
    figure, axes = new_figure(3.8, WIDTH * 0.7)
    for which, label, colour in ((~truth, "not disc", BLUE), (truth, "disc", VERMILION)):
        axes.plot(*points[which].T, ".", ms=4, alpha=0.5, color=colour, label=label)
    low, high = np.quantile(points, 0.002, axis=0), np.quantile(points, 0.998, axis=0)
    high = np.minimum(high, np.quantile(points[truth], 0.99, axis=0) + 1)
    across = np.linspace(low[0], high[0], 2)
    dashes, needed = (":", "-", "--"), np.log(chance / (1 - chance))
    for (name, (bias, first, second)), dash in zip(lines.items(), dashes, strict=False):
        if abs(second) > 1e-9:
            axes.plot(
                across, (needed - bias - first * across) / second, dash, color="black", label=name
            )
    if lines:
        plane = np.meshgrid(*np.linspace(low, high, 400).T)
        above = bias + first * plane[0] + second * plane[1] > needed
        axes.pcolormesh(*plane, np.where(above, 1.0, np.nan), cmap="Greys", vmin=0, vmax=5,
                        zorder=0)  # fmt: skip
    axes.set(xlim=(low[0], high[0]), ylim=(low[1], high[1]), xlabel=names[0], ylabel=names[1])
    axes.legend(frameon=True, loc="upper right", fontsize=9)
    return figure


def kernels(tables: Mapping[str, np.ndarray]) -> Figure:
    """Draw 3 × 3 kernels, superior up and anterior left, with their numbers: one scale for all."""
    figure, panels = new_figure(WIDTH / max(len(tables), 4) + 0.4, ncols=len(tables), squeeze=False)
    most = max(np.abs(table).max() for table in tables.values())
    for axes, (title, table) in zip(panels[0], tables.items(), strict=True):
        shown = upright(table)
        axes.imshow(shown, cmap="RdBu_r", vmin=-most, vmax=most)
        for (row, column), weight in np.ndenumerate(shown):
            colour = "white" if abs(weight) > 0.6 * most else "black"
            axes.text(column, row, f"{weight:.2f}", ha="center", va="center", color=colour)
        axes.set(xticks=[], yticks=[])
        axes.set_title(title, fontsize=10)
    return figure
