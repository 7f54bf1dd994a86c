"""The page that `ivdlib check --html` writes: whole in itself, with pictures of what was found."""

from __future__ import annotations

import os
from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure

from ivdlib import files
from ivdlib.data.quality import check_table
from ivdlib.data.quality.checks import Checked
from ivdlib.data.quality.panels import Panel
from ivdlib.data.remarks import Finding
from ivdlib.errors import printable
from ivdlib.progress import track
from ivdlib.report import pages, plotting

DISCS, EXCHANGED = "labelled discs", "water and fat exchanged"


def write_check_page(
    path: str | os.PathLike,
    folder: str | os.PathLike,
    checked: list[Checked],
    left: Sequence[Finding] = (),
) -> None:
    """Write the page, whole or not at all.

    Parameters
    ----------
    path : path
    folder : path
        That was checked, for the title.
    checked : list of Checked
        From `checks.examine` with pictures.
    left : sequence of Finding
        From `scans.look`.

    Raises
    ------
    DataError
        If the file cannot be written.
    """
    rows = [one.row for one in checked]
    shown = [one for one in checked if one.panels]
    shown.sort(key=lambda one: check_table.case_verdict(one.row) != "ERROR")
    page = pages.fill_template(
        "check.html.j2",
        folder=printable(str(folder)),
        summary=check_table.check_summary(rows),
        head=check_table.HEAD,
        rows=[check_table.cells(row) for row in rows],
        findings=check_table.findings(rows, left),
        pictures=[_picture(one) for one in track(shown, "drawing", len(shown))],
    )
    files.write_text(path, page)


def _picture(checked: Checked) -> dict[str, object]:
    """What the template needs to show a case."""
    row = checked.row
    name = printable(row["case"])
    titles = ", ".join(panel.title for panel in checked.panels)
    outlined = [name for name in (DISCS, EXCHANGED) if _any(checked.panels, name)]
    alt = f"Sagittal slices of case {name}, one beside the other: {titles}."
    if outlined:
        alt += f" Outlined: {' and '.join(outlined)}."
    return {
        "case": name,
        "verdict": check_table.case_verdict(row),
        "findings": check_table.findings([row]),
        "alt": alt,
        "source": plotting.data_uri(draw_panel(checked.panels), alt),
    }


def draw_panel(panels: Sequence[Panel]) -> Figure:
    """Draw the slices of a case in their true proportions, with the masks outlined."""
    edge = min(min(panel.spacing[1:]) for panel in panels)
    names = [name for name in (DISCS, EXCHANGED) if _any(panels, name)]
    planes = {panel.title: _even(panel.plane, panel, edge) for panel in panels}
    outlines = {
        panel.title: {
            name: _even(np.zeros(panel.plane.shape, bool) if mask is None else mask, panel, edge)
            for name, mask in ((name, _mask(panel, name)) for name in names)
        }
        for panel in panels
    }
    return plotting.contrast_grid(planes, (edge, edge, edge), outlines, min(len(panels), 5))


def _mask(panel: Panel, name: str) -> np.ndarray | None:
    return panel.discs if name == DISCS else panel.exchanged


def _any(panels: Sequence[Panel], name: str) -> bool:
    return any(mask is not None and mask.any() for mask in (_mask(p, name) for p in panels))


def _even(plane: np.ndarray, panel: Panel, edge: float) -> np.ndarray:
    """A slice on square pixels, nearest neighbour: the images of a case may differ in spacing."""
    index = (
        np.minimum(np.arange(round(n * size / edge)) * edge / size + 1e-6, n - 1).astype(int)
        for n, size in zip(plane.shape, panel.spacing[1:], strict=True)
    )
    return plane[np.ix_(*index)]
