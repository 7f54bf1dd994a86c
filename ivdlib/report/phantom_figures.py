"""Figures of the phantom beside what is known of real scans, for its page."""

from __future__ import annotations

from itertools import cycle
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.colors import to_rgb
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from ivdlib.phantom.calibration.real import (
    HEIGHT_COLUMNS,
    HEIGHTS_MM,
    PUBLISHED_CONTRASTS,
    QUANTITIES,
    band,
    real_statistics,
)
from ivdlib.report.plotting import BLACK, MARKERS, WIDTH, draw, middle_slice, new_figure, styles_of

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from ivdlib.data.case import Case

PHANTOM_ALT = {
    "sizes": "Four panels: volume, largest transverse area, extent and distance of the discs by "
    "level, a dot for each scan of the phantom over the real mean, range and mean ± 2 SD. "
    "The numbers stand in the table below.",
    "heights": "Four panels: height of the discs by level, mean, front, middle and back, a dot for "
    "each scan of the phantom over the range that is wanted for the mean.",
    "contrasts": "Five ratios of mean grey values, a dot for each scan of the phantom over the "
    "published value and 15 % to either side. The numbers stand in the table of targets.",
}
"""What is to be seen in the figures, for those who cannot see them."""

GREY = "#C9CFD6"
_COLUMNS = 8
"""Entries in a line of the tissues' legend."""
_COLOURS = {
    "nucleus": "#0072B2",
    "nucleus_intermediate": "#3A5FCD",
    "nucleus_dry": "#1F2F7A",
    "annulus": "#56B4E9",
    "annulus_outer": "#9AD0F5",
    "cartilage": "#CDEBFA",
    "cortex": "#5B3A00",
    "marrow": "#E69F00",
    "haemangioma": "#FF4FA3",
    "csf": "#8FE3C8",
    "cord": "#009E73",
    "muscle": "#A33B3B",
    "fat": "#F0E442",
    "fat_deep": "#D9C93A",
    "blood": "#D55E00",
    "liver": "#7B3F61",
    "bowel": "#CC79A7",
    "ligament": "#8C8C8C",
    "skin": "#B07D62",
    "gas": "#E4E4F4",
    "lung": "#C5C5E8",
}
"""Colours of tissues; others take those of `_SPARE` in turn."""
_SPARE = ("#4D4D4D", "#6A51A3", "#31A354", "#C51B8A", "#8C6D31", "#17BECF")


def sizes(levels: pd.DataFrame) -> Figure:
    """Draw what was measured per level on the phantom's labels over what real labels have.

    Parameters
    ----------
    levels : DataFrame
        `Measured.levels`.

    Returns
    -------
    Figure
        Four panels, one for each of `real.QUANTITIES`.
    """
    figure, panels = _panels(7.4, nrows=2, ncols=2)
    for axes, (quantity, title) in zip(panels, QUANTITIES.items(), strict=True):
        names = list(real_statistics()[quantity])
        for place, level in enumerate(names):
            _real(axes, place, real_statistics()[quantity][level], band(quantity, level))
        _dots(axes, levels, names, quantity)
        _tidy(axes, names, title)
    grey = Patch(color=GREY, label="real: mean ± 2 SD")
    line = Line2D([], [], color=BLACK, linewidth=1, label="real: smallest, mean, largest")
    _legend(figure, levels, [grey, line])
    return figure


def heights(levels: pd.DataFrame) -> Figure:
    """Draw the true heights of the phantom's discs over the ranges of published means.

    Parameters
    ----------
    levels : DataFrame
        `Measured.levels`.

    Returns
    -------
    Figure
        Four panels: mean over the area, front, middle, back.
    """
    names = real_statistics()["levels"]
    figure, panels = _panels(3.8, ncols=len(HEIGHT_COLUMNS), sharey=True)
    for axes, (column, (title, _)) in zip(panels, HEIGHT_COLUMNS.items(), strict=True):
        for level, (low, high) in HEIGHTS_MM[column].items():
            axes.bar(names.index(level), high - low, 0.8, low, color=GREY, zorder=1)
        _dots(axes, levels, names, column)
        _tidy(axes, names, title, turned=True)
    panels[0].set_ylabel("height (mm)")
    _legend(figure, levels, [Patch(color=GREY, label="range wanted for the mean of a level")])
    return figure


def contrasts(scans: pd.DataFrame) -> Figure:
    """Draw ratios of grey values of each scan over the published value ± 15 %.

    Parameters
    ----------
    scans : DataFrame
        `Measured.scans`; scans with an exchange have no ratios and are not drawn.
    """
    figure, axes = new_figure(3.6)
    names = list(PUBLISHED_CONTRASTS)
    for place, (value, _) in enumerate(PUBLISHED_CONTRASTS.values()):
        axes.bar(place, 0.3 * value, 0.8, 0.85 * value, color=GREY, zorder=1)
        axes.hlines(value, place - 0.4, place + 0.4, color=BLACK, linewidth=1, zorder=2)
    long = scans.melt(["case", "stage"], names, "level", "ratio")
    _dots(axes, long, names, "ratio")
    words = [text.replace(", to", ",\nto").replace(", ", ",\n", 1)
             for _, text in PUBLISHED_CONTRASTS.values()]  # fmt: skip
    _tidy(axes, words, "")
    axes.set(ylabel="ratio of mean grey values", ylim=(0, None))
    _legend(figure, scans, [Patch(color=GREY, label="published value ± 15 %")])
    return figure


def example(
    case: Case, tissue: np.ndarray, names: dict[int, str], exchange: np.ndarray | None = None
) -> Figure:
    """Draw the middle slice of a scan: its contrasts with the label, and the tissues.

    Parameters
    ----------
    case : Case
    tissue : ndarray of int, `case.shape`
        Code of the tissue of each voxel, 0 is air; see `measure.stages_beside`.
    names : dict of int to str
        Tissue by code.
    exchange : ndarray, `case.shape`, optional
        Not 0 where water and fat stand exchanged; outlined if that is less than half of the body.
    """
    k = middle_slice(case.discs)
    body = np.flatnonzero(tissue[k].any(axis=1))
    crop = slice(max(0, body[0] - 6), body[-1] + 7) if len(body) else slice(None)
    shown, count = tissue[k, crop], len(case.contrasts) + 1
    masks = {"labelled discs": case.discs[k, crop]}
    swapped = np.zeros(shown.shape, bool) if exchange is None else exchange[k, crop] > 0
    # Where nearly all of the body is exchanged, an outline would only hide it.
    if swapped[shown > 0].mean() < 0.5:
        masks["water and fat exchanged"] = swapped & (shown > 0)
    here = [code for code in sorted(names) if (shown == code).any()]
    tall = shown.shape[1] * case.spacing[2] / (shown.shape[0] * case.spacing[1])
    legend = 0.2 * -(-(len(here) + 2) // _COLUMNS)
    height = min(tall * 0.98 * WIDTH / count, 6) + 0.4 + legend
    figure, (*panels, last) = new_figure(height, ncols=count)
    for axes, (name, image) in zip(panels, case.contrasts.items(), strict=True):
        # The skin's fat near the coil is far brighter than the spine, which is what counts here.
        high = 1.5 * np.percentile(image[k][case.spine[k]], 98) if case.spine[k].any() else None
        draw(axes, image[k, crop], case.spacing, name, masks, (0, high) if high else None)
    colours = dict(zip(sorted(names), tissue_colours(names).values(), strict=True))
    picture = np.array([to_rgb(colours.get(code, "black")) for code in range(256)])[shown]
    turned = picture.transpose(1, 0, 2)[::-1, ::-1]
    last.imshow(turned, aspect=case.spacing[2] / case.spacing[1], interpolation="nearest")
    last.set_title("tissue", fontsize=10)
    last.set(xticks=[], yticks=[])
    lines = [
        Line2D([], [], color=colour, linestyle=dashes, label=name)
        for name, (colour, dashes) in styles_of(masks).items()
        if masks[name].any()
    ]
    patches = [Patch(color=colours[code], label=names[code].replace("_", " ")) for code in here]
    figure.legend(
        handles=[*lines, *patches], loc="outside lower center", ncols=_COLUMNS, frameon=False,
        fontsize=8.5,
    )  # fmt: skip
    return figure


def tissue_colours(names: dict[int, str]) -> dict[str, str]:
    """Colour of each tissue in the order of the codes; air is black."""
    spare = iter(_SPARE * 9)
    return {names[code]: _COLOURS.get(names[code]) or next(spare) for code in sorted(names)}


def _panels(height: float, **how: Any) -> tuple[Figure, list[Axes]]:
    figure, panels = new_figure(height, squeeze=False, **how)
    for axes in panels.flat:
        axes.use_sticky_edges = False  # else the lowest bar sets the lower end of the axis
    return figure, list(panels.flat)


def _real(axes: Axes, place: int, values: list[float], limits: tuple[float, float]) -> None:
    axes.bar(place, limits[1] - limits[0], 0.8, limits[0], color=GREY, zorder=1)
    for value, half in ((min(values), 0.12), (np.mean(values), 0.4), (max(values), 0.12)):
        axes.hlines(value, place - half, place + half, color=BLACK, linewidth=1, zorder=2)


def _stages(rows: pd.DataFrame) -> list[tuple[str, tuple[str, str]]]:
    """Stages in their order, 2 before 10, each with colour and marker, which repeat after six."""
    stages = sorted(rows["stage"].unique(), key=lambda stage: (len(stage), stage))
    return list(zip(stages, cycle(MARKERS), strict=False))


def _dots(axes: Axes, rows: pd.DataFrame, names: list[str], column: str) -> None:
    """One dot a scan, spread sideways in the order of the scans; a marker for each stage."""
    cases = list(rows["case"].unique())
    for stage, (colour, marker) in _stages(rows):
        mine = rows[(rows["stage"] == stage) & rows["level"].isin(names)]
        shift = np.array([(cases.index(case) + 0.5) / len(cases) - 0.5 for case in mine["case"]])
        at = np.array([names.index(level) for level in mine["level"]]) + 0.6 * shift
        axes.plot(at, mine[column], marker, color=colour, ms=4, alpha=0.7, mec="none", zorder=3)


def _tidy(axes: Axes, names: list[str], title: str, turned: bool = False) -> None:
    axes.set_xticks(range(len(names)), names, fontsize=8.5, rotation=90 if turned else 0)
    axes.set_title(title, fontsize=10)
    axes.set_xlim(-0.6, len(names) - 0.4)
    axes.grid(axis="y", alpha=0.3, zorder=0)
    axes.spines[["top", "right"]].set_visible(False)


def _legend(figure: Figure, rows: pd.DataFrame, more: list) -> None:
    dots = [
        Line2D([], [], color=colour, marker=marker, linestyle="", ms=5,
               label=f"phantom, stage {stage}" if stage else "phantom")
        for stage, (colour, marker) in _stages(rows)
    ]  # fmt: skip
    figure.legend(handles=[*dots, *more], loc="outside lower center", ncols=4, frameon=False,
                  fontsize=9)  # fmt: skip
