"""Pictures of scans for the lessons, and showing and saving figures. Arrays in, figures out.

Slices are (AP, SI) and drawn upright: superior up, anterior left. The colours of Okabe and Ito
can be told apart by the colour-blind; outlines differ in their dashes too. The truth is orange and
solid in every picture, what was found is blue and dashed.
"""

from __future__ import annotations

import base64
import io
import os
import textwrap
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib import patheffects
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from ivdlib.files import atomic, readable
from ivdlib.report import figure_fonts

if TYPE_CHECKING:
    from matplotlib.axes import Axes

BLACK, ORANGE, SKY, GREEN = "#000000", "#E69F00", "#56B4E9", "#009E73"
BLUE, VERMILION, PURPLE = "#0072B2", "#D55E00", "#CC79A7"

OUTLINES = {
    "truth": (ORANGE, "solid"),
    "labelled discs": (ORANGE, "solid"),
    "found": (SKY, "dashed"),
}
"""Colour and dashes of a mask by what it is, the same in every picture."""

OTHERS = ((GREEN, "solid"), (PURPLE, "dotted"))
"""Colour and dashes of the first and second mask that is none of these."""

MARKERS = ((BLUE, "o"), (VERMILION, "s"), (GREEN, "^"), (PURPLE, "D"), (BLACK, "x"), (ORANGE, "v"))
"""Colour and marker of the first, second, … series of a figure."""

WIDTH = 10.0
"""Inches; the width of a lesson's page."""

DPI = 110


# --- making, showing and saving ------------------------------------------------------------


def new_figure(height: float, width: float = WIDTH, **panels: Any) -> tuple[Figure, Any]:
    """A figure of so many inches, and its axes; `panels` are those of `Figure.subplots`."""
    figure = Figure(figsize=(width, height), layout="constrained")
    return figure, figure.subplots(**panels)


def _png(figure: Figure, target: str | os.PathLike | io.BytesIO) -> None:
    about = {"Description": readable(figure.get_label())}
    figure_fonts.save_figure(
        figure, target, format="png", dpi=DPI, bbox_inches="tight", metadata=about
    )


def show(figure: Figure, alt: str) -> None:
    """Show a figure in a notebook, with a text for those who cannot see it.

    Parameters
    ----------
    figure : Figure
    alt : str
        What is to be seen. It goes into the output's metadata, where nbconvert finds it, and into
        the PNG itself.
    """
    from IPython.display import display  # pages of scans are made without Jupyter

    bundle = {"image/png": _base64(figure, alt), "text/plain": alt}
    display(bundle, metadata={"image/png": {"alt": alt}}, raw=True)


def data_uri(figure: Figure, alt: str) -> str:
    """A figure as the source of an image within a page; `alt` goes into the PNG too."""
    return f"data:image/png;base64,{_base64(figure, alt)}"


def _base64(figure: Figure, alt: str) -> str:
    figure.set_label(alt)
    buffer = io.BytesIO()
    _png(figure, buffer)
    return base64.b64encode(buffer.getvalue()).decode("ascii")


def save(figures: Mapping[str, Figure], folder: str | os.PathLike) -> None:
    """Write figures as `<name>.png`."""
    for name, figure in figures.items():
        with atomic(Path(folder) / f"{name}.png") as temporary:
            _png(figure, temporary)


# --- slices --------------------------------------------------------------------------------


def middle_slice(mask: np.ndarray) -> int:
    """Find the slice with most of a mask (slices, AP, SI); the middle one if the mask is empty."""
    if not mask.any():
        return mask.shape[0] // 2
    return int(np.argmax(mask.sum(axis=(1, 2))))


def around(mask: np.ndarray, margin: int) -> tuple[slice, slice]:
    """Part of a slice (AP, SI) that holds a mask and `margin` pixels around it."""
    if not mask.any():
        return slice(None), slice(None)
    edges = [np.flatnonzero(mask.any(axis=1 - axis))[[0, -1]] for axis in (0, 1)]
    return tuple(slice(max(0, int(a) - margin), int(b) + margin + 1) for a, b in edges)


def upright(plane: np.ndarray) -> np.ndarray:
    """Turn a slice (AP, SI) so that rows run downwards and columns from anterior to posterior."""
    return plane.T[::-1, ::-1]


def draw(
    axes: Axes,
    plane: np.ndarray,
    spacing: Sequence[float],
    title: str = "",
    outlines: Mapping[str, np.ndarray] | None = None,
    limits: tuple[float, float] | None = None,
    cmap: str = "gray",
    letters: bool = True,
) -> None:
    """Draw a slice upright, with outlines over a light fill.

    Parameters
    ----------
    axes : Axes
    plane : ndarray, (AP, SI)
    spacing : sequence of 3 floats
        Voxel edges in mm (left–right, AP, SI).
    title : str
    outlines : mapping of str to ndarray of bool, (AP, SI)
        Masks by what they are, see `styles_of`.
    limits : tuple of float, optional
        Values drawn black and white; without them the picture is stretched on its own.
    cmap : str
        Colour map.
    letters : bool
        Whether it says where anterior, posterior, superior and inferior are: of a scan, it does.
    """
    low, high = limits or np.percentile(plane, (0.5, 99.5))
    axes.imshow(
        upright(plane), cmap=cmap, vmin=low, vmax=max(high, low + 1e-6),
        aspect=spacing[2] / spacing[1], interpolation="nearest",
    )  # fmt: skip
    for name, (colour, dashes) in styles_of(outlines or {}).items():
        mask = outlines[name]
        if mask.any():
            levels = upright(mask).astype(float)
            axes.contourf(levels, levels=[0.5, 1.5], colors=[colour], alpha=0.2)
            if not mask.all():  # else there is no line to draw, and matplotlib warns
                axes.contour(
                    levels, levels=[0.5], colors=[colour], linestyles=[dashes], linewidths=1.2
                )
    axes.set_title(title, fontsize=10)
    axes.set(xticks=[], yticks=[])
    if letters:
        _letters(axes)


def styles_of(names: Iterable[str]) -> dict[str, tuple[str, str]]:
    """Colour and dashes of masks by name, in the order in which they are drawn.

    Parameters
    ----------
    names : iterable of str
        Those of `OUTLINES`, and at most as many more as there are `OTHERS`.
    """
    names = list(dict.fromkeys(names))  # one on several pictures is named once
    known = {name: style for name, style in OUTLINES.items() if name in names}
    return known | dict(zip((name for name in names if name not in known), OTHERS, strict=False))


def _letters(axes: Axes) -> None:
    """Write which way is anterior, posterior, superior, inferior."""
    halo = [patheffects.withStroke(linewidth=2, foreground="black")]
    for letter, x, y, side, height in (
        ("A", 0.02, 0.5, "left", "center"), ("P", 0.98, 0.5, "right", "center"),
        ("S", 0.5, 0.985, "center", "top"), ("I", 0.5, 0.015, "center", "bottom"),
    ):  # fmt: skip
        axes.text(x, y, letter, transform=axes.transAxes, ha=side, va=height, color="white",
                  fontsize=8, path_effects=halo)  # fmt: skip


def slice_panels(
    heights: Sequence[float],
    columns: int,
    plane: np.ndarray,
    spacing: Sequence[float],
    lines: int = 1,
) -> tuple[Figure, np.ndarray]:
    """Make a figure whose panels fit a slice; a height of 1 makes a row as high as a slice."""
    across, side = _panel(columns, plane, spacing)
    inches = [height * side + 0.3 + 0.15 * lines for height in heights]
    panels = {"nrows": len(inches), "ncols": columns, "height_ratios": inches}
    width = min(WIDTH, columns * (across + 0.15))  # narrower than the page: else there are holes
    return new_figure(sum(inches) + 0.2, width, squeeze=False, **panels)


def _panel(columns: int, plane: np.ndarray, spacing: Sequence[float]) -> tuple[float, float]:
    """Width and height of a panel in inches."""
    ratio = slice_ratio(plane, spacing)
    side = min(min(WIDTH / columns, 4.0) * ratio, 5.5)
    return side / ratio, side


def _folded(title: str, across: float) -> str:
    """A title in lines that are no longer than its panel is wide, of so many inches."""
    letters = max(8, int(across / 0.08))
    return "\n".join(textwrap.fill(line, letters) for line in title.split("\n"))


def slice_ratio(plane: np.ndarray, spacing: Sequence[float]) -> float:
    """Height over width of a slice as it is drawn."""
    return plane.shape[1] * spacing[2] / (plane.shape[0] * spacing[1])


def mask_legend(figure: Figure, names: Sequence[str]) -> None:
    """Name the masks of all panels below them."""
    handles = [
        Line2D([], [], color=colour, linestyle=dashes, label=name)
        for name, (colour, dashes) in styles_of(names).items()
    ]
    if handles:
        figure.legend(handles=handles, loc="outside lower center", ncols=len(handles), fontsize=9)


def contrast_grid(
    planes: Mapping[str, np.ndarray],
    spacing: Sequence[float],
    outlines: Mapping[str, Mapping[str, np.ndarray]] | None = None,
    columns: int = 4,
    limits: tuple[float, float] | None = None,
    letters: bool = True,
) -> Figure:
    """Draw slices side by side (as Fig. 3 of the paper).

    Parameters
    ----------
    planes : mapping of str to ndarray, (AP, SI)
        Slice by title.
    spacing : sequence of 3 floats
        Voxel edges in mm.
    outlines : mapping, optional
        For each title, masks by what they are, see `styles_of`.
    columns : int
        Panels in a row.
    limits : tuple of float, optional
        Values drawn black and white in all panels; without them each is stretched on its own.
    letters : bool
        Whether the panels are slices of a scan, and say where anterior and superior are.
    """
    rows = -(-len(planes) // columns)
    columns = min(columns, max(len(planes), 2))
    first = next(iter(planes.values()))
    across, _ = _panel(columns, first, spacing)
    folded = {title: _folded(title, across) for title in planes}
    lines = 1 + max(title.count("\n") for title in folded.values())
    figure, axes = slice_panels([1.0] * rows, columns, first, spacing, lines)
    outlines = outlines or {}
    for place, (title, plane) in zip(axes.flat, planes.items(), strict=False):
        draw(place, plane, spacing, folded[title], outlines.get(title), limits, letters=letters)
    for place in axes.flat[len(planes) :]:
        place.set_axis_off()
    mask_legend(figure, [name for masks in outlines.values() for name in masks])
    return figure
