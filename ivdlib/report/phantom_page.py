"""The page that shows how a phantom is calibrated: whole in itself, like the report."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ivdlib import files
from ivdlib.data.cases import load_case
from ivdlib.data.discs import LEVELS
from ivdlib.phantom.calibration import Measured, measure_phantom, targets
from ivdlib.phantom.calibration.measure import drawn, stages_beside, tissue_names
from ivdlib.phantom.calibration.real import QUANTITIES, real_statistics
from ivdlib.report import pages, phantom_figures, plotting

if TYPE_CHECKING:
    import pandas as pd

EXAMPLES = 5
"""Scans that are shown as pictures."""
_WORDS = {"schmorl": "Schmorl's node", "vacuum": "gas in the disc"}
"""Findings by the name that the files have for them."""


def write_phantom_page(folder: str | os.PathLike, path: str | os.PathLike | None = None) -> Path:
    """Measure a phantom and write the page about it, whole or not at all.

    Parameters
    ----------
    folder : path
        Written by `ivdlib.phantom.make_phantom`.
    path : path, optional
        The page; default `phantom.html` in the folder.

    Returns
    -------
    Path
        The page.

    Raises
    ------
    DataError
        If the folder holds no phantom, a file of it is missing or broken, or the page cannot be
        written.
    """
    path = Path(folder) / "phantom.html" if path is None else Path(path)
    files.write_text(path, render_phantom(measure_phantom(folder)))
    return path


def render_phantom(measured: Measured) -> str:
    """The page as HTML."""
    rows = targets(measured)
    return pages.fill_template(
        "phantom.html.j2",
        facts=_facts(measured),
        counts=_counts(rows),
        missed_targets=_missed(rows),
        groups=[(group, _rows(rows[rows["group"] == group])) for group in rows["group"].unique()],
        source=real_statistics()["source"],
        assumption=real_statistics()["assumption"],
        whole=measured.whole,
        exchanged=int(measured.scans["exchanged"].sum()),
        scans=len(measured.scans),
        figures={
            "sizes": _picture("sizes", measured.levels),
            "heights": _picture("heights", measured.levels),
            "contrasts": _picture("contrasts", measured.scans),
        },
        sizes=_sizes(measured) if measured.whole else [],
        quantities=list(QUANTITIES.values()),
        pairs=_pairs(measured),
        examples=[_example(measured, scan) for scan in _chosen(measured.scans)],
        findings=[_findings(measured, scan) for scan in measured.scans.to_dict("records")],
        levels=LEVELS,
    )


def _facts(measured: Measured) -> list[tuple[str, Any]]:
    dataset, scans = measured.dataset, measured.scans
    parameters = {}
    for name, value in dataset["parameters"].items():
        one = {f"{name}: {k}": v for k, v in value.items()} if isinstance(value, dict) else None
        parameters |= one or {name: value}
    return [
        ("Data", f"{len(scans)} made-up scans, {scans['subject'].nunique()} made-up people"),
        ("Version of the phantom", dataset.get("version", "?")),
        *((name.replace("_", " "), value) for name, value in parameters.items()),
    ]


def _counts(rows: pd.DataFrame) -> list[tuple[str, int, int, int]]:
    """For each group of targets: how many are met, missed, and cannot be told here."""
    counts = []
    for group, mine in rows.groupby("group", sort=False):
        met = [value for value in mine["met"] if value is not None]
        counts.append((group, sum(met), len(met) - sum(met), len(mine) - len(met)))
    return counts


def _missed(rows: pd.DataFrame) -> list[tuple[str, list[str]]]:
    """For each group of targets that has some: which ones are missed."""
    missed = rows[[met is False for met in rows["met"]]]
    return [(group, list(mine["target"])) for group, mine in missed.groupby("group", sort=False)]


def _rows(rows: pd.DataFrame) -> list[dict[str, Any]]:
    words = {True: "met", False: "missed", None: "–"}
    return [{**row, "verdict": words[row["met"]]} for row in rows.to_dict("records")]


def _picture(name: str, table: pd.DataFrame) -> dict[str, str]:
    alt = phantom_figures.PHANTOM_ALT[name]
    return {"alt": alt, "src": plotting.data_uri(getattr(phantom_figures, name)(table), alt)}


def _sizes(measured: Measured) -> list[tuple[str, list[str]]]:
    """Mean and standard deviation per level, the phantom's and the real one in turn."""
    table = []
    for level in LEVELS:
        mine = measured.levels[measured.levels["level"] == level]
        cells = []
        for quantity in QUANTITIES:
            real = real_statistics()[quantity].get(level, [])
            cells += [_spread(mine[quantity], quantity), _spread(real, quantity)]
        table.append((level, cells))
    return table


def _spread(values: Any, quantity: str) -> str:
    values = np.array([value for value in values if np.isfinite(value)])
    if not len(values):
        return "–"
    digits = 0 if quantity.endswith("mm2") else 1
    spread = f" ± {values.std(ddof=1):.{digits}f}" if len(values) > 1 else ""
    return f"{values.mean():.{digits}f}{spread}"


def _pairs(measured: Measured) -> list[list[str]]:
    growth = measured.heights.groupby(["subject", "stage"])["height_percent"].median()
    rows = []
    for pair in measured.pairs.itertuples():
        values = (growth[pair.subject, pair.stage], pair.length_mm, pair.lordosis_deg,
                  pair.volume_percent if measured.whole else np.nan)  # fmt: skip
        rows.append([pair.subject, pair.stage, *(_signed(value) for value in values)])
    return rows


def _signed(value: float) -> str:
    return f"{value:+.1f}".replace("-", "−") if np.isfinite(value) else "–"


def _chosen(scans: pd.DataFrame) -> list[dict[str, Any]]:
    """Scans to show: one of each person, as far as there are enough persons."""
    return scans.sort_values(["stage", "case"], kind="stable")[:EXAMPLES].to_dict("records")


def _example(measured: Measured, scan: dict[str, Any]) -> dict[str, str]:
    name, names = scan["case"], tissue_names(measured.dataset, measured.folder)
    case = load_case(measured.folder / name)
    figure = phantom_figures.example(
        case, stages_beside(case, "Tissue"), names, stages_beside(case, "Swap")
    )
    alt = (
        f"Scan {name} of the phantom: its middle sagittal slice in the contrasts "
        f"{', '.join(case.contrasts)} with the labelled discs outlined, and a map of its tissues."
    )
    about = f"person {case.subject}, stage {case.stage}"
    about += "; water and fat stand exchanged" if scan["exchanged"] else ""
    return {"name": name, "about": about, "alt": alt, "src": plotting.data_uri(figure, alt)}


def _findings(measured: Measured, scan: dict[str, Any]) -> dict[str, Any]:
    """What is wrong with the person of a scan, from the truth."""
    name = scan["case"]
    record = drawn(measured.folder, name)
    found = [
        f"{_WORDS.get(one['kind'], one['kind'].replace('_', ' '))} at {one.get('where', '?')}"
        + (f" ({one['size_mm']:.0f} mm)" if one.get("size_mm") else "")
        for one in record.get("findings", [])
    ]
    grades = measured.levels[measured.levels["case"] == name].set_index("level")["grade"].dropna()
    cobb = record.get("person", {}).get("cobb_deg")
    return {
        **{key: scan[key] for key in ("case", "subject", "stage", "exchanged")},
        "grades": [f"{grades[level]:.0f}" if level in grades else "–" for level in LEVELS],
        "found": ", ".join(found) or "none",
        "cobb": "–" if cobb is None else f"{abs(cobb):.0f}°",
    }
