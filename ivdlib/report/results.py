"""The summary of an experiment: its tables beside the paper's, its figures, its worst scans."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from PIL import Image, UnidentifiedImageError

from ivdlib.data.contrasts import is_derived
from ivdlib.errors import DataError
from ivdlib.evaluation import recorded, verdicts
from ivdlib.evaluation.scores import NEEDED, of, worst
from ivdlib.files import cannot
from ivdlib.report import plotting, result_figures

SEGMENTATIONS = ("04_prediction", "06_prediction")
"""Figures of the lessons that show discs as they were found."""

_ROWS = 60
"""Rows of a table that are shown, and all of the paper's; the rest is in its file."""


def metrics_of(folder: Path) -> pd.DataFrame:
    """All scores; no row where nothing was scored."""
    found = of(folder)
    return pd.DataFrame(columns=list(NEEDED)) if found is None else found


def scores(folder: Path, record: dict[str, Any]) -> list[dict[str, Any]]:
    """Tables 1 to 3 for the template; caption, label and notes are those of the Markdown."""
    return [_table(path, record) for path in sorted((folder / "tables").glob("table?.csv"))]


def _table(path: Path, record: dict[str, Any]) -> dict[str, Any]:
    try:
        text = path.with_suffix(".md").read_text(encoding="utf-8").splitlines()
        caption, *notes = [line.replace("**", "") for line in text if line and line[0] != "|"]
        frame = pd.read_csv(path, dtype={"network": str, "source": str})
        numbers = frame.columns[2:-1]
        frame = frame.astype(dict.fromkeys(numbers, float))
        shown = frame[(np.arange(len(frame)) < _ROWS) | (frame["source"] == "paper")]
    except OSError as error:
        raise DataError(cannot("read", error.filename or path, error)) from error
    except (ValueError, KeyError, pd.errors.ParserError) as error:
        raise DataError(
            f"table {path} cannot be read ({error}); delete {path.parent} and call ivdlib grid "
            "again: it trains nothing twice."
        ) from error
    if len(shown) < len(frame):
        notes.append(f"{len(frame) - len(shown)} more rows stand in {path.name}.")
    derived = set(record.get("derived", []))
    return {
        "caption": caption,
        "head": [f"{c}†" if is_derived(c, derived) else c for c in frame.columns],
        "rows": [
            {"source": row[1], "cells": [cell(value) for value in row]}
            for row in shown.itertuples(index=False)
        ],
        "notes": notes,
    }


def cell(value: Any) -> str:
    """A value for a table."""
    if isinstance(value, float):
        return "–" if pd.isna(value) else f"{value:.4f}"
    return str(value)


def embedded_figures(folder: Path, metrics: pd.DataFrame) -> list[dict[str, str]]:
    """Patients, levels, learning curves, what segmentations there are: `name`, `src`, `alt`."""
    drawn = result_figures.figures(folder, metrics if len(metrics) else None)
    found = [{"name": name, "src": plotting.data_uri(figure, alt), "alt": alt}
             for name, figure in drawn.items() for alt in [result_figures.ALT[name]]]  # fmt: skip
    for name in SEGMENTATIONS:
        path = folder / "figures" / f"{name}.png"
        if path.is_file():
            found.append({"name": name, **picture(path)})
    return found


def picture(path: Path, alt: str = "") -> dict[str, str]:
    """A PNG as source of an image; its alternative text, if not given, is what was saved in it.

    Raises
    ------
    DataError
        If the file is no picture.
    """
    try:
        with Image.open(path) as image:
            alt = alt or str(image.info.get("Description", path.stem))
    except UnidentifiedImageError as error:
        raise DataError(f"{path} is no picture; make it again, or remove it.") from error
    data = base64.b64encode(path.read_bytes()).decode("ascii")
    return {"src": f"data:image/png;base64,{data}", "alt": alt}


def worst_scans(metrics: pd.DataFrame) -> list[tuple[str, ...]]:
    """Scans that FDS-CNN does worst on, each contrast by itself: case, contrast, arm, Dice."""
    return [
        (row.case, row.contrast, row.trained_on, f"{row.dice:.4f}")
        for row in worst(metrics).itertuples()
    ]


def audit_page(folder: Path) -> Path | None:
    """The page of claims that this experiment has a part in, see `audit.page.write_audit`."""
    place = folder.parent.parent / verdicts.PAGE
    return place if folder.parent.name == verdicts.FOLDER and place.is_file() else None


def record_of(folder: Path) -> dict[str, Any]:
    """The record of an experiment, and with it what was `changed` since, see `recorded`."""
    return {**recorded.read_record(folder), "changed": recorded.changed(folder)}
