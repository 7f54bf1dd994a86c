"""Files that `predict` writes beside a mask: numbered discs, table, names of colours."""

from __future__ import annotations

import colorsys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from ivdlib import files
from ivdlib.data.case import Case
from ivdlib.data.cases import save_mask
from ivdlib.evaluation.disc_names import DISC_NAMES
from ivdlib.evaluation.disc_table import REMNANT, Discs
from ivdlib.training.one_scan import Segmented

NUMBERED = "_DiscNumbers.nii.gz"
TABLE = "_Discs.csv"

MORE = {
    "probability": "_DiscProbability.nii.gz",
    "spread": "_DiscSpread.nii.gz",
    "spine": "_DiscSpine.nii.gz",
}
"""What is written if it is asked for. Probability and spread (the standard deviation between the
votes) are in hundredths."""

COLOUR_TABLES = "levels.ctbl", "levels.label"
"""Colour tables of 3D Slicer and of ITK-SNAP for `NUMBERED`."""

GOLDEN = 0.618
"""Turn of the colour circle from disc to disc: neighbours differ clearly."""


def write_disc_files(
    case: Case, found: Segmented, discs: Discs, folder: Path, more: Sequence[str] = ()
) -> None:
    """Write numbered discs, their table, colour tables, and what of `MORE` is asked for.

    Raises
    ------
    DataError
        If a file cannot be written.
    """
    save_mask(case, discs.numbered, folder / f"{case.name}{NUMBERED}")
    write_table(case.name, discs, folder / f"{case.name}{TABLE}")
    for name in more:
        if (volume := _volume(name, found)) is not None:
            save_mask(case, volume, folder / f"{case.name}{MORE[name]}")
    write_colours(folder)


def write_table(name: str, discs: Discs, path: Path) -> None:
    """Write one row for each disc; an empty table has its head."""
    rows = [{"case": name, **row, "lordosis_deg": discs.lordosis_deg} for row in discs.rows]
    table = pd.DataFrame(rows) if rows else pd.DataFrame(columns=["case", "level"])
    files.write_csv(path, table.round(4))


def _volume(name: str, found: Segmented) -> np.ndarray | None:
    if name == "spine":
        return found.spine
    votes = np.stack([*found.votes.values()]).astype(np.float32)
    share = found.probability if name == "probability" else votes.std(axis=0)
    return np.rint(100 * share).astype(np.uint8)


def write_colours(folder: Path) -> None:
    """Write both colour tables, if they are not there: number, name and colour of each disc."""
    numbered = [*enumerate(DISC_NAMES[1:], start=1), (REMNANT, DISC_NAMES[0])]
    colours = [
        (number, name, [round(255 * part) for part in _colour(k)])
        for k, (number, name) in enumerate(numbered)
    ]
    slicer, snap = (folder / name for name in COLOUR_TABLES)
    if not slicer.is_file():
        lines = [f"{n} {name} {r} {g} {b} 255" for n, name, (r, g, b) in colours]
        head = ["# Color table file of ivdlib for 3D Slicer: number, name, red, green, blue, alpha"]
        files.write_text(slicer, "\n".join([*head, "0 Background 0 0 0 0", *lines]) + "\n")
    if not snap.is_file():
        lines = [f'{n:5d} {r:5d} {g:4d} {b:4d} 1 1 1 "{name}"' for n, name, (r, g, b) in colours]
        head = ["# ITK-SnAP Label Description File", "# IDX R G B A VIS MSH LABEL",
                '    0     0    0    0 0 0 0 "Clear Label"']  # fmt: skip
        files.write_text(snap, "\n".join([*head, *lines]) + "\n")


def _colour(k: int) -> tuple[float, float, float]:
    return colorsys.hls_to_rgb(k * GOLDEN % 1, 0.55, 0.75)
