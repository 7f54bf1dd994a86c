"""Figures of a finished experiment: learning curves, patients, levels of the spine."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from ivdlib.data.discs import LEVELS
from ivdlib.evaluation import recorded, scores, tables
from ivdlib.profiles import ARMS, COMPARED, rank, title
from ivdlib.report import diagrams, plotting
from ivdlib.report.plotting import BLUE, MARKERS, VERMILION, new_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from ivdlib.data.cases import Case

VOXELS = 300
"""Of a scan, in `against_water`."""

ALT = {
    "learning_curves": "Training loss over the steps, mean over folds and seeds: a line for each "
    "network and kind of training.",
    "patients": "Dice of every scan, patient by patient: a colour and marker for each network.",
    "levels": "Dice and average symmetric surface distance of the discs, level by level: a line "
    "for each network.",
}
"""Alternative text by the name of the figure."""


def write_figures(folder: str | Path, metrics: pd.DataFrame | None = None) -> dict[str, Path]:
    """Draw what there is to draw of an experiment into its folder `figures/`.

    Parameters
    ----------
    folder : path
    metrics : DataFrame, optional
        Its `metrics.csv`, where that is read already.

    Returns
    -------
    dict of str to Path
        By the keys of `ALT`.
    """
    folder = Path(folder)
    drawn = figures(folder, scores.of(folder) if metrics is None else metrics)
    plotting.save(drawn, folder / "figures")
    return {name: folder / "figures" / f"{name}.png" for name in drawn}


def figures(folder: Path, metrics: pd.DataFrame | None) -> dict[str, Figure]:
    """Draw what there is to draw of an experiment, by the keys of `ALT`; nothing is written."""
    found = {}
    if metrics is not None:
        found |= {"patients": _patients(metrics), "levels": levels(metrics)}
    found |= {"learning_curves": _curves(folder)}
    return {name: figure for name, figure in found.items() if figure is not None}


def mean_curves(folder: Path) -> dict[tuple[str, str], pd.DataFrame]:
    """Read the learning curves of an experiment's disc networks, mean over folds and seeds.

    Returns
    -------
    dict
        Columns `step` and `loss`, by the titles of the network and of what it was trained on.
    """
    found: dict[tuple[str, str], list[pd.DataFrame]] = {}
    for place, record in recorded.trainings(folder).items():
        path = place / "history.csv"
        if record.get("target") == "disc" and path.is_file():
            key = title(record["network"]), ARMS[record["arm"]]
            found.setdefault(key, []).append(scores.numbers(path, ("step", "loss")))
    return {
        key: pd.concat(curves).groupby("step", as_index=False)["loss"].mean()
        for key, curves in sorted(found.items(), key=lambda item: (rank(item[0][0]), item[0]))
    }


def _curves(folder: Path) -> Figure | None:
    means = mean_curves(folder)
    if len(means) <= len(MARKERS):
        lines = {", ".join(key): mean for key, mean in means.items()}
        return diagrams.learning_curve(lines) if lines else None
    panels: dict[str, dict[str, pd.DataFrame]] = {}
    for (network, arm), mean in means.items():
        panels.setdefault(network, {})[arm] = mean
    return diagrams.learning_curves(panels)


def _main(rows: pd.DataFrame) -> pd.DataFrame:
    """Rows of the networks that compare on single contrasts, with fusion where the data have it."""
    arm = ARMS["with" if scores.has_fusion(rows) else "without"]
    rows = rows[rows["network"].isin(list(COMPARED)) & (rows["trained_on"] == arm)]
    return scores.of_single_contrasts(rows)


def _patients(metrics: pd.DataFrame) -> Figure | None:
    rows = _main(scores.disc_rows(metrics))
    if rows.empty:
        return None
    scans = rows.groupby(["network", "subject", "case"], as_index=False)["dice"].mean()
    scans = scans.replace({"network": COMPARED})
    return diagrams.dice_by_patient(scans.sort_values("network", key=lambda n: n.map(rank)))


def levels(metrics: pd.DataFrame) -> Figure | None:
    """Draw Dice and surface distance of the discs by level; None if no level is known.

    Parameters
    ----------
    metrics : DataFrame
        Rows of `metrics.csv`.
    """
    rows = _main(scores.disc_rows(metrics, "disc"))
    order = [level for level in LEVELS if (rows["level"] == level).any()]
    if not order:
        return None
    figure, panels = new_figure(3.4, ncols=2)
    for axes, (measure, name) in zip(
        panels, (("dice", "Dice"), ("asd_mm", "surface distance (mm)")), strict=True
    ):
        _by_level(axes, rows, order, measure)
        axes.set(xlabel="disc", ylabel=name)
    panels[0].set_ylim(0, 1)
    panels[1].set_ylim(bottom=0)
    lines = panels[0].get_lines()
    figure.legend(lines, [line.get_label() for line in lines], loc="outside upper center",
                  ncols=3, frameon=False, fontsize=9)  # fmt: skip
    return figure


def against_water(cases: Iterable[Case], pairs: Sequence[str]) -> Figure:
    """Draw fused contrasts against the water image, voxel by voxel within the discs.

    Parameters
    ----------
    cases : iterable of Case
        With labels; from each up to `VOXELS` voxels are drawn.
    pairs : sequence of str
        Fused contrasts, such as ``"inn+opp"``.

    Returns
    -------
    Figure
        A panel a pair, all of one scale, so that slopes can be compared: each scan in units of its
        mean water within the discs; a line at the ideal.
    """
    figure, (panels,) = new_figure(3.6, ncols=len(pairs), squeeze=False, sharey=True)
    rng, points = np.random.default_rng(0), []
    for case in cases:
        inside = np.flatnonzero(case.discs)
        chosen = rng.choice(inside, min(VOXELS, len(inside)), replace=False)
        values = {name: np.float64(image).ravel()[chosen] for name, image in case.contrasts.items()}
        scale = values["wat"].mean() or 1.0
        points.append({name: value / scale for name, value in values.items()})
    for axes, pair in zip(panels, pairs, strict=True):
        water = np.concatenate([p["wat"] for p in points])
        total = np.concatenate([sum(p[name] for name in pair.split("+")) for p in points])
        axes.plot(water, total, ".", color=BLUE, ms=2, alpha=0.4)
        ideal = tables.WATER.get(pair)
        if ideal:
            axes.axline((0, 0), slope=ideal, color=VERMILION, label=f"{ideal} × water")
            axes.legend(frameon=False, fontsize=9, loc="lower right")
        axes.set(xlabel="water", title=pair, xlim=(0, None), ylim=(0, None))
        axes.spines[["top", "right"]].set_visible(False)
    return figure


def _by_level(axes: Axes, rows: pd.DataFrame, order: list[str], measure: str) -> None:
    networks = [name for name in COMPARED if (rows["network"] == name).any()]
    for network, (colour, marker) in zip(networks, MARKERS, strict=False):
        means = rows[rows["network"] == network].groupby("level")[measure].mean().reindex(order)
        axes.plot(order, means, color=colour, marker=marker, label=COMPARED[network])
    axes.tick_params(axis="x", labelrotation=45)
    axes.grid(axis="y", alpha=0.3)
    axes.spines[["top", "right"]].set_visible(False)
