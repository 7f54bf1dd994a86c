"""The figure of page one: each difference with its interval, to be read at arm's length."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ivdlib.evaluation.claims import NO_WORSE
from ivdlib.evaluation.headlines import HEADLINES
from ivdlib.evaluation.verdicts import DATA_KINDS
from ivdlib.report.plotting import BLACK, MARKERS, new_figure

ALT = (
    "For each claim of page one and kind of data a dot, the mean difference of the Dice, and its "
    "interval, beside a line at zero: right of it the claim holds. (Separable convolutions cost "
    "nothing if their interval stays right of the dashed line.)"
)

WIDEST = 0.06
"""The axis goes no farther: what lies beyond is cut, with an arrow."""

ONE_COLUMN = 6
"""More claims stand in two columns, so that the figure stays low and its words large."""

SHORT_NAMES = {
    "equal_weights": "beats U-Net,\nequal weights", "equal_cost": "beats U-Net,\nequal cost",
    "fds_deeplab": "beats DeepLabv3+", "aligned_two_down": "one halving\nbeats two",
    "aligned_four_down": "one halving\nbeats four", "no_dilation": "dilation helps",
    "standard": "separable\ncosts nothing", "spine": "spine first helps",
    "fat_mean": "fat is harder", "fat_opp": "fat+opp mends it",
    "fused": "fused images\nscore higher",
    "fusion_training": "training with\nfusion helps",
}  # fmt: skip
"""What stands beside the dots, by claim."""


def draw_page_one(found: pd.DataFrame) -> Figure:
    """Draw the rows of `headlines.evidence` that are of Dice; those of gaps the table has."""
    keys = [key for one in HEADLINES for key in one.claims]
    rows = found[found["key"].isin(keys) & (found["kind"] != "bodies")]
    keys = [key for key in keys if (rows["key"] == key).any()]
    half = (len(keys) + 1) // 2
    parts = [keys[:half], keys[half:]] if len(keys) > ONE_COLUMN else [keys]
    figure, panels = new_figure(1.1 + 0.5 * len(parts[0]), ncols=len(parts), squeeze=False)
    for axes, part in zip(panels[0], parts, strict=True):
        _draw(axes, rows, part, len(parts[0]))
    handles, labels = panels[0, 0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper center", ncols=len(labels),
                  frameon=False, fontsize=12)  # fmt: skip
    figure.supxlabel("← does not hold      difference of the Dice      holds →", fontsize=13)
    return figure


def _draw(axes: Axes, rows: pd.DataFrame, keys: list[str], places: int) -> None:
    """Draw the claims of one column, from above; `places` is how many the longest column has."""
    axes.axvline(0, color=BLACK, linewidth=1.5)
    kinds = [kind for kind in DATA_KINDS if (rows["kind"] == kind).any()]
    shift = np.linspace(0.24, -0.24, len(kinds)) if len(kinds) > 1 else [0.0]
    for kind, (colour, marker), up in zip(kinds, MARKERS, shift, strict=False):
        mine = rows[(rows["kind"] == kind) & rows["key"].isin(keys)]
        place = np.array([-keys.index(key) for key in mine["key"]]) + up
        middle = mine["mean"].clip(-WIDEST, WIDEST)
        sides = [middle - mine["low"].clip(-WIDEST), mine["high"].clip(upper=WIDEST) - middle]
        axes.errorbar(middle, place, xerr=np.clip(sides, 0, None), fmt=marker, color=colour,
                      markersize=9, linewidth=2.5, label=DATA_KINDS[kind])  # fmt: skip
        axes.plot(np.where(mine["high"] > WIDEST, WIDEST, np.nan), place, ">", color=colour)
        axes.plot(np.where(mine["low"] < -WIDEST, -WIDEST, np.nan), place, "<", color=colour)
        for x, y, end in zip(mine["mean"], place, middle, strict=True):
            if x != end:  # beyond the arrow: the number
                axes.annotate(f"{x:+.2f}", (end, y), (12 * np.sign(x), 0), va="center",
                              textcoords="offset points", ha="left" if x > 0 else "right",
                              fontsize=11, color=colour)  # fmt: skip
    if "standard" in keys:
        row = -keys.index("standard")
        axes.plot([-NO_WORSE] * 2, [row - 0.4, row + 0.4], color=BLACK, linestyle="--")
    axes.set_yticks(range(0, -len(keys), -1), [SHORT_NAMES[key] for key in keys], fontsize=13)
    axes.tick_params(axis="y", length=0)
    axes.tick_params(axis="x", labelsize=12)
    axes.set_xticks(np.linspace(-WIDEST, WIDEST, 5))
    axes.set(xlim=(-WIDEST * 1.4, WIDEST * 1.4), ylim=(0.6 - places, 0.6))
    axes.grid(axis="x", alpha=0.3)
    axes.spines[["top", "right", "left"]].set_visible(False)
