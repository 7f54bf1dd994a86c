"""Drawings for the lessons: curves, scores, folds, receptive fields, the plan of the network."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.colors import ListedColormap
from matplotlib.figure import Figure

from ivdlib.data.people import by_number
from ivdlib.errors import ConfigError
from ivdlib.report.plotting import BLACK, MARKERS, ORANGE, SKY, WIDTH, new_figure

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

    from ivdlib.preprocessing.folds import Fold


def learning_curve(histories: Mapping[str, pd.DataFrame]) -> Figure:
    """Draw the training loss over the steps.

    Parameters
    ----------
    histories : mapping of str to DataFrame
        `history.csv` (columns `step` and `loss`) by the name of the training; at most as many as
        there are markers, see `learning_curves`.
    """
    figure, axes = new_figure(3.2, WIDTH * 0.7)
    _losses(axes, histories, _highest([histories]))
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


def dice_by_patient(rows: pd.DataFrame) -> Figure:
    """Draw the Dice of every scan as a dot, patient by patient.

    Parameters
    ----------
    rows : DataFrame
        Columns `subject`, `dice` and `network`, which tells the colours and markers apart.

    Returns
    -------
    Figure
        A short line marks the mean of each network in each patient. The axis begins at the tenth
        below the lowest Dice: differences between networks are far smaller than Dice itself.
    """
    figure, axes = new_figure(3.6)
    patients = sorted(rows["subject"].unique(), key=by_number)
    names = list(rows["network"].unique())
    for number, (name, (colour, marker)) in enumerate(zip(names, MARKERS, strict=False)):
        shift = (number - (len(names) - 1) / 2) * 0.7 / len(names)
        mine = rows[rows["network"] == name]
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
        Columns `claim`, written once where it repeats, `series`, which tells colours and markers
        apart, `mean`, `low` and `high`.
    xlabel : str
    series : sequence of str, optional
        Values of `series` in the order of the colours, so that several figures agree. Default: as
        they come.
    """
    names = list(series) or list(rows["series"].unique())
    styles = [*MARKERS, *((colour, "x") for colour, _ in MARKERS)]
    if len(names) > len(styles):
        raise ConfigError(f"a figure tells {len(styles)} experiments apart, not {len(names)}.")
    figure, axes = new_figure(1.1 + 0.27 * len(rows))
    height = np.arange(len(rows), 0, -1)
    axes.axvline(0, color=BLACK, linewidth=1)
    for name, (colour, marker) in zip(names, styles, strict=False):
        mine = rows[rows["series"] == name]
        sides = np.array([mine["mean"] - mine["low"], mine["high"] - mine["mean"]]).clip(0)
        if len(mine):
            place = height[rows["series"] == name]
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
    patients = sorted(set(folds[0].subjects.values()), key=by_number)
    tests = np.array([
        [patient in {fold.subjects[case] for case in fold.test} for patient in patients]
        for fold in folds
    ])  # fmt: skip
    figure, axes = new_figure(0.5 * len(folds) + 1, WIDTH * 0.8)
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


def draw_receptive_field(stacks: Sequence[Sequence[int]]) -> Figure:
    """Draw which pixels stacks of dilated 3 × 3 convolutions see, and how often; holes stay white.

    Titles say how many holes there are if a stack has some.

    Parameters
    ----------
    stacks : sequence of sequences of int
        Dilation rates of each stack; drawn to one scale.
    """
    figure, panels = new_figure(WIDTH / len(stacks) + 0.6, ncols=len(stacks), squeeze=False)
    reach = max(sum(rates) for rates in stacks) + 1
    some = any((coverage(rates) == 0).any() for rates in stacks)
    for axes, rates in zip(panels[0], stacks, strict=True):
        ways = coverage(rates)
        seen = np.outer(ways, ways).astype(float)
        half, seen = sum(rates) + 0.5, np.where(seen > 0, np.sqrt(seen / seen.max()), np.nan)
        axes.imshow(seen, cmap="Blues", vmin=-0.4, vmax=1, extent=(-half, half, -half, half))
        axes.plot(0, 0, "s", color=ORANGE, ms=4)
        axes.set(xlim=(-reach, reach), ylim=(-reach, reach), xticks=[], yticks=[])
        holes = 100 * np.isnan(seen).mean()
        size = f"{len(ways)} × {len(ways)} pixels{f', {holes:.0f} % holes' if some else ''}"
        axes.set_title(f"rates {', '.join(map(str, rates))}\n{size}", fontsize=10)
    return figure


# --- the plan of FDS-CNN -------------------------------------------------------------------
