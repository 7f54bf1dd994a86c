"""Drawings of what a network is made of: a convolution's step, an Xception module, the U-Net."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from matplotlib.patches import Rectangle

from ivdlib.report.architecture import arrow, box
from ivdlib.report.plotting import BLACK, BLUE, GREEN, ORANGE, PURPLE, VERMILION, new_figure

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from ivdlib.networks.unet import UNetConfig


# --- a convolution --------------------------------------------------------------------------------


def convolution_step(
    image: np.ndarray, kernel: np.ndarray, result: np.ndarray, place: tuple[int, int]
) -> Figure:
    """Draw how one pixel of a 3 × 3 convolution comes about: rows run downwards, as in an array.

    Parameters
    ----------
    image : ndarray of int, (rows, columns)
    kernel : ndarray of int, (3, 3)
    result : ndarray of int, shape of `image`
    place : (row, column)
        The pixel that is worked out; not at the border.
    """
    figure, (left, middle, right) = new_figure(3.0, ncols=3, width_ratios=(1.2, 0.75, 1.2))
    row, column = place
    _numbers(left, image, "image")
    _numbers(middle, kernel, "kernel (weights)")
    _numbers(right, result, "result")
    _frame(left, (row - 1, column - 1), 3)
    _frame(middle, (0, 0), 3)
    _frame(right, place, 1)
    window = image[row - 1 : row + 2, column - 1 : column + 2]
    pairs = zip(window.flat, kernel.flat, strict=True)
    products = [f"{a}·{f'({b})' if b < 0 else b}" for a, b in pairs]
    figure.supxlabel(f"{' + '.join(products)} = {result[place]}", fontsize=10)
    return figure


def _numbers(axes: Axes, array: np.ndarray, title: str) -> None:
    axes.imshow(np.zeros(array.shape), cmap="Greys", vmin=0, vmax=1)
    for (row, column), number in np.ndenumerate(array):
        axes.text(column, row, str(number), ha="center", va="center", fontsize=11)
    axes.set_xticks(np.arange(-0.5, array.shape[1]), minor=True)
    axes.set_yticks(np.arange(-0.5, array.shape[0]), minor=True)
    axes.grid(which="minor", color="#BBBBBB")
    axes.tick_params(which="both", length=0)
    axes.set(xticks=[], yticks=[])
    axes.set_title(title, fontsize=10)


def _frame(axes: Axes, first: tuple[int, int], side: int) -> None:
    axes.add_patch(Rectangle(
        (first[1] - 0.5, first[0] - 0.5), side, side, facecolor=ORANGE + "40", edgecolor=ORANGE,
        linewidth=2.5, zorder=3,
    ))  # fmt: skip


# --- the U-Net ------------------------------------------------------------------------------------


def unet(config: UNetConfig, shape: tuple[int, int]) -> Figure:
    """Draw a U-Net as its configuration describes it: down on the left, up on the right.

    Parameters
    ----------
    config : UNetConfig
    shape : tuple of int
        Input in pixels (AP, SI).
    """
    figure, axes = new_figure(0.95 * config.levels + 1.6)
    levels, last = config.levels, 2 * config.levels
    axes.set(xlim=(-1.6, last + 1.6), ylim=(-levels - 0.55, 1.15))
    axes.set_axis_off()
    for level in range(levels + 1):
        sides = " × ".join(str(-(-side // 2**level)) for side in shape)
        text = f"{sides}\n{config.base * 2**level} channels"
        if level == levels:
            box(axes, level, -level, text, PURPLE, size=(1.35, 0.55))
            continue
        box(axes, level, -level, text, BLUE, size=(1.35, 0.55))
        box(axes, last - level, -level, text, GREEN, size=(1.35, 0.55))
        mirrored, high, low = last - level, -level - 0.28, -level - 0.72
        arrow(axes, (level + 0.2, high), (level + 0.8, low), colour=BLUE)
        arrow(axes, (mirrored - 0.8, low), (mirrored - 0.2, high), colour=GREEN)
        across = (level + 0.68, -level), (mirrored - 0.68, -level)
        arrow(axes, *across, colour=ORANGE, dashes="dashed")
    arrow(axes, (-1.5, 0), (-0.68, 0))
    arrow(axes, (last + 0.68, 0), (last + 1.5, 0))
    axes.text(-1.5, 0.2, "slice", fontsize=9)
    axes.text(last + 1.5, 0.2, "spine?", fontsize=9, ha="right")
    for x, text, colour in (
        (0.6, "down: halve (max pooling)", BLUE),
        (levels, "skip: handed straight across", ORANGE),
        (last - 0.6, "up: double (learnt)", GREEN),
    ):
        axes.text(x, 0.75, text, ha="center", fontsize=9, color=colour)
    return figure


# --- an Xception module ---------------------------------------------------------------------------


def xception_module(widths: Sequence[int], rates: Sequence[int], shortcut: str) -> Figure:
    """Draw a module: its separable convolutions in a row, and the way around them.

    Parameters
    ----------
    widths, rates : sequences of int
        Of each convolution.
    shortcut : {"conv", "sum"}
        What stands on the way around: a 1 × 1 convolution, or nothing.
    """
    figure, axes = new_figure(2.3)
    number = len(widths)
    axes.set(xlim=(-0.6, number + 1.1), ylim=(-1.2, 0.7))
    axes.set_axis_off()
    box(axes, -0.2, 0, "x", BLACK, size=(0.3, 0.5))
    arrow(axes, (-0.05, 0), (0.12, 0))
    for n, (width, rate) in enumerate(zip(widths, rates, strict=True)):
        box(axes, n + 0.28, 0, "ReLU", VERMILION, size=(0.3, 0.5))
        arrow(axes, (n + 0.43, 0), (n + 0.5, 0))
        box(axes, n + 0.78, 0, f"separable\n{width} channels\nrate {rate}", BLUE, size=(0.54, 0.7))
        arrow(axes, (n + 1.05, 0), (n + 1.13, 0))
    box(axes, number + 0.28, 0, "+", BLACK, size=(0.3, 0.5))
    arrow(axes, (number + 0.43, 0), (number + 1.0, 0))
    end = number + 0.28
    arrow(axes, (-0.2, -0.25), (-0.2, -0.85), (number / 2 - 0.75, -0.85), colour=GREEN)
    arrow(axes, (number / 2 + 0.75, -0.85), (end, -0.85), (end, -0.26), colour=GREEN)
    conv = f"1 × 1 convolution, {widths[-1]} channels,\nbatch normalisation"
    text = conv if shortcut == "conv" else "x itself"
    box(axes, number / 2, -0.85, text, GREEN, size=(1.5, 0.5))
    axes.text(number / 2, 0.55, "three convolutions, one after the other", ha="center", fontsize=9)
    return figure
