"""What `ivdlib predict` writes beside a mask: table, numbered discs, picture, page."""

from __future__ import annotations

import gc
import warnings
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from ivdlib import __version__, files
from ivdlib.data.case import Case
from ivdlib.errors import AsUsual, ConfigError, DataWarning, printable
from ivdlib.evaluation import metrics
from ivdlib.evaluation.disc_names import DISC_NAMES
from ivdlib.evaluation.disc_table import Discs, find_discs
from ivdlib.report import disc_figures, pages, plotting
from ivdlib.training.disc_files import MORE, NUMBERED, TABLE, write_disc_files
from ivdlib.training.one_scan import Segmented
from ivdlib.training.segmenter import Beside

PAGE, PICTURE = ".html", "_Discs.png"

TABLE_COLUMNS = {
    "level": "disc", "from_sacrum": "from sacrum", "volume_ml": "volume, ml",
    "height_front_mm": "height in front, mm", "height_middle_mm": "in the middle, mm",
    "height_back_mm": "at the back, mm", "depth_mm": "depth, mm", "width_mm": "width, mm",
    "wedge_deg": "wedge, °", "farfan": "height over depth", "fat_share": "signal fat share",
}  # fmt: skip
"""Columns of the page's table."""

DIGITS = {"from_sacrum": 0, "farfan": 2, "fat_share": 2, "width_mm": 0, "depth_mm": 0}
"""Of a column's numbers; else 1."""


def discs_beside(more: Sequence[str] = (), lowest: str | None = None) -> Beside:
    """What `predict_folder` writes beside each mask: table, numbered discs, picture, page.

    Parameters
    ----------
    more : sequence of str
        Volumes that are written, too, see `disc_files.MORE`.
    lowest : str, optional
        Name of the lowest disc in all scans, by somebody who knows.

    Raises
    ------
    ConfigError
        If one of these is not known.
    """
    if unknown := [name for name in more if name not in MORE]:
        raise ConfigError(f"there is no {unknown[0]!r} to save; known are {', '.join(MORE)}.")
    if lowest is not None and lowest not in DISC_NAMES:
        raise ConfigError(f"{lowest!r} is no name of a disc; known are {', '.join(DISC_NAMES)}.")
    suffixes = (NUMBERED, TABLE, PICTURE, PAGE)
    write = partial(_write_beside, [*more], lowest)
    return Beside(suffixes, {"more": [*more], "lowest": lowest}, write)


def _write_beside(
    more: Sequence[str],
    lowest: str | None,
    case: Case,
    found: Segmented,
    folder: Path,
    warned: list[list[str]],
) -> dict[str, Any]:
    discs = find_discs(found.mask, case.spacing, case.contrasts, found.votes, lowest)
    write_disc_files(case, found, discs, folder, more)
    if discs.names.uncertain:
        warnings.warn(
            f"case {case.name}: the names of its discs are uncertain: "
            f"{'; '.join(discs.names.doubts)}; look at the page, and say --lowest NAME if you "
            "know it.",
            DataWarning,
            stacklevel=2,
        )
    write_page(case, found, discs, folder, warned)
    names = discs.names
    return {
        "discs": {
            "levels": names.levels, "second": names.second, "from_sacrum": names.from_sacrum,
            "probability": round(names.probability, 4), "doubts": names.doubts,
            "decisions": [*discs.chain.decisions, *names.decisions],
        }
    }  # fmt: skip


def write_page(
    case: Case, found: Segmented, discs: Discs, folder: Path, warned: Sequence[Sequence[str]]
) -> None:
    """Write the picture and the page of a scan, each whole or not at all.

    Parameters
    ----------
    case, found, discs
        The scan, its mask, its discs.
    folder : Path
        Where to.
    warned : sequence of (str, str)
        What was warned of: category and text.

    Raises
    ------
    DataError
        If a file cannot be written.
    """
    figure = disc_figures.three_slices(case, discs)
    said = partial(_said, case.name)
    usual = [said(text) for kind, text in warned if kind == AsUsual.__name__]
    alt = f"Three sagittal slices of case {printable(case.name)} with {_count(discs)} outlined."
    plotting.save({f"{case.name}_Discs": figure}, folder)
    page = pages.fill(
        "scan.html.j2",
        case=printable(case.name),
        lead=_lead(discs),
        uncertain=discs.names.uncertain,
        doubts=discs.names.doubts,
        first=[said(text) for text in look_first(discs.rows, warned)],
        alt=alt,
        picture=plotting.data_uri(figure, alt),
        head=[title for key, title in TABLE_COLUMNS.items() if _has(discs, key)],
        rows=[_cells(row, discs) for row in reversed(discs.rows)],
        spread=any("spread_volume_ml" in row for row in discs.rows),
        cut=[row["level"] for row in discs.rows if row["cut"]],
        lordosis="" if np.isnan(discs.lordosis_deg) else f"{discs.lordosis_deg:.0f}°",
        votes=_votes(found),
        decisions=(*usual, *discs.chain.decisions, *discs.names.decisions),
        spacing=" × ".join(f"{edge:.3g}" for edge in case.spacing),
        slices=case.shape[0],
        contrasts=", ".join(case.contrasts),
        version=__version__,
    )
    files.write_text(folder / f"{case.name}{PAGE}", page)
    # Each saving leaves a canvas of some 24 MB in a cycle, and the collector counts objects, not
    # bytes: of many scans ten such would lie about.
    del figure
    gc.collect()


def _count(discs: Discs) -> str:
    count = len(discs.rows)
    return "1 disc" if count == 1 else f"{count} discs"


def _lead(discs: Discs) -> str:
    if not discs.rows:
        return "No disc was found."
    first, *_, last = [*discs.names.levels, discs.names.levels[-1]]
    if len(discs.rows) == 1:
        return f"1 disc, {first}{'?' if discs.names.uncertain else ''}."
    return f"{_count(discs)}, from {first} up to {last or 'above T5/6'}."


def look_first(rows: Sequence[Mapping[str, Any]], warned: Sequence[Sequence[str]]) -> list[str]:
    """What a person should look at before the mask is used, a sentence each; none: nothing odd.

    Doubts about names are not among them: they are warned of, too.

    Parameters
    ----------
    rows : sequence of mapping
        Discs, caudal first, as `Discs.rows` or the table beside the mask.
    warned : sequence of (str, str)
        Category and text.
    """
    cut = [bool(row["cut"]) for row in rows]
    told = [text for kind, text in warned if kind != AsUsual.__name__]
    if len(cut) > 1 and all(cut):
        return ["all discs are cut by the edge of the scan, so volumes and widths are too small.",
                *told]  # fmt: skip
    if cut and cut[0]:
        return ["the lowest disc is cut by the edge of the scan, so its numbers are too small.",
                *told]  # fmt: skip
    return told


def _said(name: str, text: str) -> str:
    """A sentence for the page of a scan, which need not name it."""
    text = text.removeprefix(f"case {name}: ")
    return printable(text[:1].upper() + text[1:])


def _has(discs: Discs, key: str) -> bool:
    return any(key in row for row in discs.rows)


def _cells(row: dict[str, Any], discs: Discs) -> list[str]:
    """Cells of the table; a number is followed by the spread between the votes."""
    found = []
    for key in TABLE_COLUMNS:
        if not _has(discs, key):
            continue
        value = row.get(key, np.nan)
        if isinstance(value, str):
            unsure = f"{value or '?'}?" if row["uncertain"] else value or "?"
            found.append(unsure + (" (cut)" if row["cut"] else ""))
            continue
        digits = DIGITS.get(key, 1)
        text = "–" if np.isnan(value) else f"{value:z.{digits}f}"  # z: no -0.0
        spread = row.get(f"spread_{key}", np.nan)
        found.append(text if np.isnan(spread) else f"{text} ± {spread:.{digits}f}")
    return found


def _votes(found: Segmented) -> list[tuple[str, str]]:
    """How far the mask of each image agrees with that of all, Dice."""
    if len(found.votes) < 2:
        return []
    return [(name, f"{metrics.dice(v, found.mask):.2f}") for name, v in found.votes.items()]
