"""Drawings for the lessons: curves, scores, folds, receptive fields, the plan of the network."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.colors import ListedColormap
from matplotlib.figure import Figure
from matplotlib.patches import FancyBboxPatch

from ivdlib.models import xception
from ivdlib.plotting import BLACK, BLUE, GREEN, MARKERS, ORANGE, SKY, VERMILION, WIDTH

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

    from ivdlib.models import FDSCNNConfig
    from ivdlib.splits import Fold


def learning_curve(histories: Mapping[str, pd.DataFrame]) -> Figure:
    """Draw the training loss over the steps.

    Parameters
    ----------
    histories : mapping of str to DataFrame
        `history.csv` (columns `step` and `loss`) by the name of the training; at most as many as
        there are markers, see `learning_curves`.
    """
    figure = Figure(figsize=(WIDTH * 0.7, 3.2), layout="constrained")
    _losses(figure.subplots(), histories, _highest([histories]))
    return figure


def learning_curves(groups: Mapping[str, Mapping[str, pd.DataFrame]]) -> Figure:
    """Draw the training loss over the steps: a panel for each group, all to one scale.

    Parameters
    ----------
    groups : mapping of str to mapping
        Histories as `learning_curve` takes them, by what stands above their panel.
    """
    columns = min(3, len(groups))
    rows = -(-len(groups) // columns)
    figure = Figure(figsize=(WIDTH, 0.4 + 2.8 * rows), layout="constrained")
    panels = figure.subplots(rows, columns, squeeze=False, sharex=True, sharey=True).ravel()
    for axes, (name, histories) in zip(panels, groups.items(), strict=False):
        _losses(axes, histories, _highest(groups.values()))
        axes.set_title(name, fontsize=10)
    for axes in panels[len(groups) :]:
        axes.set_axis_off()
    return figure


def _highest(groups: Iterable[Mapping[str, pd.DataFrame]]) -> float:
    return max(history["loss"].max() for histories in groups for history in histories.values())


def _losses(axes: Axes, histories: Mapping[str, pd.DataFrame], highest: float) -> None:
    for (name, history), (colour, marker) in zip(histories.items(), MARKERS, strict=False):
        axes.plot(history["step"], history["loss"], color=colour, marker=marker, ms=4, label=name)
    axes.set(xlabel="optimiser step", ylabel="training loss", ylim=(0, 1.08 * highest))
    axes.xaxis.get_major_locator().set_params(integer=True)
    axes.legend(frameon=False, fontsize=9)
    axes.spines[["top", "right"]].set_visible(False)


def dice_by_patient(rows: pd.DataFrame, series: str = "network") -> Figure:
    """Draw the Dice of every scan as a dot, patient by patient.

    Parameters
    ----------
    rows : DataFrame
        Columns `subject`, `dice` and the one named in `series`.
    series : str
        Column that tells the colours and markers apart.

    Returns
    -------
    Figure
        A short line marks the mean of each series in each patient. The axis begins at the tenth
        below the lowest Dice: differences between networks are far smaller than Dice itself.
    """
    figure = Figure(figsize=(WIDTH, 3.6), layout="constrained")
    axes = figure.subplots()
    patients, names = sorted(rows["subject"].unique()), list(rows[series].unique())
    for number, (name, (colour, marker)) in enumerate(zip(names, MARKERS, strict=False)):
        shift = (number - (len(names) - 1) / 2) * 0.7 / len(names)
        mine = rows[rows[series] == name]
        at = np.array([patients.index(subject) + shift for subject in mine["subject"]])
        axes.plot(at, mine["dice"], marker, color=colour, alpha=0.6, ms=5, label=name)
        means = mine.groupby("subject")["dice"].mean()
        places = np.array([patients.index(subject) + shift for subject in means.index])
        axes.hlines(means, places - 0.09, places + 0.09, color=colour, linewidth=2.5)
    axes.set_xticks(range(len(patients)), patients)
    lowest = max(0.0, np.floor(10 * rows["dice"].min()) / 10)
    axes.set(xlabel="patient", ylabel="Dice", ylim=(lowest - 0.02, 1.02))
    axes.grid(axis="y", alpha=0.3)
    axes.spines[["top", "right"]].set_visible(False)
    figure.legend(loc="outside upper center", ncols=3, frameon=False, fontsize=9)
    return figure


def forest(rows: pd.DataFrame, xlabel: str, series: Sequence[str] = ()) -> Figure:
    """Draw a mean and its interval for each row, from top to bottom, beside a line at zero.

    Parameters
    ----------
    rows : DataFrame
        Columns `claim`, written once where it repeats, `data`, which tells colours and markers
        apart, `mean`, `low` and `high`.
    xlabel : str
    series : sequence of str, optional
        Values of `data` in the order of the colours, so that several figures agree. Default: as
        they come.
    """
    names = list(series) or list(rows["data"].unique())
    figure = Figure(figsize=(WIDTH, 1.1 + 0.27 * len(rows)), layout="constrained")
    axes, height = figure.subplots(), np.arange(len(rows), 0, -1)
    axes.axvline(0, color=BLACK, linewidth=1)
    for name, (colour, marker) in zip(names, MARKERS, strict=False):
        mine = rows[rows["data"] == name]
        sides = np.array([mine["mean"] - mine["low"], mine["high"] - mine["mean"]]).clip(0)
        if len(mine):
            place = height[rows["data"] == name]
            axes.errorbar(mine["mean"], place, xerr=sides, fmt=marker, color=colour, label=name)
    axes.set_yticks(height, rows["claim"].mask(rows["claim"].duplicated(), ""), fontsize=9)
    axes.tick_params(axis="y", length=0)
    axes.set(xlabel=xlabel, ylim=(0.3, len(rows) + 0.7))
    axes.grid(axis="x", alpha=0.3)
    axes.spines[["top", "right"]].set_visible(False)
    figure.legend(loc="outside upper center", ncols=3, frameon=False, fontsize=9)
    return figure


def fold_map(folds: Sequence[Fold]) -> Figure:
    """Draw which patient trains and which tests in each fold."""
    patients = sorted(set(folds[0].subjects.values()))
    tests = np.array([
        [patient in {fold.subjects[case] for case in fold.test} for patient in patients]
        for fold in folds
    ])  # fmt: skip
    figure = Figure(figsize=(WIDTH * 0.8, 0.5 * len(folds) + 1), layout="constrained")
    axes = figure.subplots()
    axes.pcolormesh(tests, cmap=ListedColormap([SKY, ORANGE]), edgecolor="white", vmin=0, vmax=1)
    for (row, column), test in np.ndenumerate(tests):
        word = "test" if test else "train"
        axes.text(column + 0.5, row + 0.5, word, ha="center", va="center", fontsize=9)
    axes.set_xticks(np.arange(len(patients)) + 0.5, patients)
    axes.set_yticks(np.arange(len(folds)) + 0.5, [f"fold {fold.number}" for fold in folds])
    axes.invert_yaxis()
    axes.set_xlabel("patient")
    axes.spines[:].set_visible(False)
    return figure


# --- receptive field -----------------------------------------------------------------------


def coverage(rates: Sequence[int]) -> np.ndarray:
    """Count the ways from an output pixel to each input pixel along one axis.

    Parameters
    ----------
    rates : sequence of int
        Dilation rates of 3-pixel convolutions, one after the other.

    Returns
    -------
    ndarray of int
        Over the whole receptive field; a zero inside is a hole: that pixel is never seen.
    """
    ways = np.ones(1, dtype=int)
    for rate in rates:
        kernel = np.zeros(2 * rate + 1, dtype=int)
        kernel[[0, rate, 2 * rate]] = 1
        ways = np.convolve(ways, kernel)
    return ways


def receptive_field(stacks: Sequence[Sequence[int]]) -> Figure:
    """Draw which pixels stacks of dilated 3 × 3 convolutions see, and how often; holes stay white.

    Parameters
    ----------
    stacks : sequence of sequences of int
        Dilation rates of each stack; drawn to one scale.
    """
    figure = Figure(figsize=(WIDTH, WIDTH / len(stacks) + 0.6), layout="constrained")
    reach = max(sum(rates) for rates in stacks) + 1
    for axes, rates in zip(figure.subplots(1, len(stacks), squeeze=False)[0], stacks, strict=True):
        ways = coverage(rates)
        seen = np.outer(ways, ways).astype(float)
        half, seen = sum(rates) + 0.5, np.where(seen > 0, np.sqrt(seen / seen.max()), np.nan)
        axes.imshow(seen, cmap="Blues", vmin=-0.4, vmax=1, extent=(-half, half, -half, half))
        axes.plot(0, 0, "s", color=ORANGE, ms=4)
        axes.set(xlim=(-reach, reach), ylim=(-reach, reach), xticks=[], yticks=[])
        holes = 100 * np.isnan(seen).mean()
        size = f"{len(ways)} × {len(ways)} pixels, {holes:.0f} % holes"
        axes.set_title(f"rates {', '.join(map(str, rates))}\n{size}", fontsize=10)
    return figure


# --- the plan of FDS-CNN -------------------------------------------------------------------


def _text(block: str, config: FDSCNNConfig) -> str:
    """What stands in the box of a module: feature maps, rates, stride, repetitions."""
    k = xception.BLOCKS.index(block)
    widths = [str(config.channels(width)) for width in xception.WIDTHS[k]]
    maps = f"{widths[0]} maps" if len(set(widths)) == 1 else "·".join(widths) + "\nmaps"
    name = f"{block} × {config.middle_units}" if block == "middle" else block
    lines = [name, maps, "rate " + "·".join(map(str, config.rates[k]))]
    return "\n".join([*lines, f"stride {s}"] if (s := max(config.strides[k])) > 1 else lines)


def _box(axes: Axes, x: float, y: float, text: str, colour: str, size=(0.92, 0.9)) -> None:
    width, height = size
    axes.add_patch(FancyBboxPatch(
        (x - width / 2, y - height / 2), width, height, boxstyle="round,pad=0,rounding_size=0.08",
        facecolor=colour + "40", edgecolor=colour, linewidth=1.3,
    ))  # fmt: skip
    axes.text(x, y, text, ha="center", va="center", fontsize=7.5)


def _arrow(axes: Axes, *points: tuple[float, float], colour: str = BLACK, dashes="solid") -> None:
    """Line through the points with a head at the last one."""
    x, y = zip(*points, strict=True)
    axes.plot(x[:-1], y[:-1], color=colour, linestyle=dashes, linewidth=1.1)
    axes.annotate("", xy=points[-1], xytext=points[-2], arrowprops={
        "arrowstyle": "->", "color": colour, "linestyle": dashes, "linewidth": 1.1, "shrinkA": 0,
        "shrinkB": 0,
    })  # fmt: skip


def architecture(config: FDSCNNConfig, tile: tuple[int, int] = (112, 128)) -> Figure:
    """Draw FDS-CNN as its configuration describes it (in place of the lost Fig. 2 of the paper).

    Parameters
    ----------
    config : FDSCNNConfig
    tile : tuple of int
        Input in pixels (AP, SI).
    """
    figure = Figure(figsize=(WIDTH, 4.6), layout="constrained")
    axes = figure.subplots()
    axes.set(xlim=(-0.55, 8.55), ylim=(-1.65, 3.75))
    axes.set_axis_off()
    _box(axes, 0, 3, f"image\n{tile[0]} × {tile[1]}\n1 channel", BLACK)
    for x, block in enumerate(xception.BLOCKS, start=1):
        _box(axes, x, 3, _text(block, config), BLUE)
        _arrow(axes, (x - 0.54, 3), (x - 0.46, 3))
    _pyramid(axes, config)
    _skips(axes, config)
    width = config.channels(config.decoder_width)
    boxes = (
        "join" if config.skips else "(no skips)",
        f"decoder\n2 {config.convolution}\n{width} maps",
        "1 × 1\n1 map",
        f"enlarge\n× {config.decoder_stride}\nbilinear",
        f"probability\n{tile[0]} × {tile[1]}",
    )
    for x, text in zip((4.6, 3.45, 2.3, 1.15, 0), boxes, strict=True):
        _box(axes, x, 0, text, BLACK if x == 0 else GREEN)
        if x:
            _arrow(axes, (x - 0.46, 0), (x - 0.69, 0))
    return figure


def _pyramid(axes: Axes, config: FDSCNNConfig) -> None:
    """Spatial pyramid: branches beside each other, joined by a 1 × 1 convolution."""
    branches = ["1 × 1"] if config.aspp_pointwise else []
    branches += [f"{config.convolution}, rate {rate}" for rate in config.aspp_rates]
    branches += ["mean of the map"] if config.image_pooling else []
    maps = config.channels(config.aspp_width)
    ends = np.linspace(1.05, -1.05, len(branches)) if len(branches) > 1 else [0.0]
    for y, text in zip(ends, branches, strict=False):
        _box(axes, 7.35, y, text, VERMILION, size=(1.25, 0.36))
        _arrow(axes, (8, 2.55), (8.25, 2.3), (8.25, y), (7.98, y), colour=VERMILION)
        _arrow(axes, (6.72, y), (6.22, 0), colour=VERMILION)
    if branches:
        title = f"spatial pyramid (ASPP), {maps} maps each"
        axes.text(7.35, -1.45, title, ha="center", fontsize=7.5)
    else:
        _arrow(axes, (8, 2.55), (8, 0), (6.22, 0), colour=VERMILION)
    text = f"join\n1 × 1\n{maps} maps" if branches else f"1 × 1\n{maps} maps"
    if config.stride > config.decoder_stride:
        text += f"\nenlarge × {config.stride // config.decoder_stride}"
    _box(axes, 5.8, 0, text, VERMILION, size=(0.84, 0.9))
    _arrow(axes, (5.38, 0), (5.06, 0))


def _skips(axes: Axes, config: FDSCNNConfig) -> None:
    """Low-level features, each through a 1 × 1 convolution, to the pyramid's output."""
    maps = config.channels(config.skip_width)
    rails = {
        "third_layer": (1.1, 4.35, 1.18),
        "entry": (1.7, 4.6, 1.5),
        "middle": (1.1, 4.85, 1.18),
    }
    for skip in config.skips:  # chosen so that no line crosses another, or a text
        rail, end, height = rails[skip]
        block, number = config.skip_place(skip)
        x = 1 + xception.BLOCKS.index(block)
        points = ((x, 2.55), (x, rail), (end, rail), (end, 0.46))
        _arrow(axes, *points, colour=ORANGE, dashes="dashed")
        factor = config.stride_of(block, number) // config.decoder_stride
        text = f"1 × 1, {maps} maps" + (f", × {factor}" if factor > 1 else "")
        axes.text(min(x, end) + 0.1, height, text, fontsize=7.5)
