"""One HTML and one PDF page set of an experiment: its tables, its record and its executed lessons.

Both are whole in themselves and made offline: no script, no font and no picture from elsewhere.
"""

from __future__ import annotations

import logging
import re
import shlex
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import nbformat
import pandas as pd
from bs4 import BeautifulSoup
from nbconvert.exporters import HTMLExporter

from ivdlib import files, pages, tables
from ivdlib.fusion import is_derived

PANGO = (
    "There is no PDF, because WeasyPrint does not find Pango: install it "
    "(Debian: apt-get install libpango-1.0-0 libpangoft2-1.0-0; conda: environment.yml has it)."
)
PAPERMILL_MARK = "papermill-error-cell-tag"
NOISE = re.compile(
    r"^.*: \d+/\d+, .* left( · .*)?$"  # progress, see `progress.Progress`
    r"|^WARNING: All log messages before absl"
    r"|^(\d{4}-\d\d-\d\d \S+ )?[IWEF]\d{4} "  # TensorFlow's log
    r"|^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d+: [IWEF] "
    r"|^\s*$"
)
"""Lines of a kernel's stderr that tell a reader nothing."""

SIGNS = str.maketrans("✅❌", "✓✗")
"""Coloured signs that no font of a PDF has, and plain ones that most have."""


def build(folder: str | Path, expected: Sequence[str] = ()) -> dict[str, Any]:
    """Write `report.html` and `report.pdf` of an experiment.

    Parameters
    ----------
    folder : path
        The experiment, with `record.json` and whatever else there is.
    expected : sequence of str, optional
        Names (`01_data_loading`) of the lessons that should be there; a missing one is told.

    Returns
    -------
    dict
        `html`: path; `pdf`: path, or None where Pango is missing; `note`: what to do about that,
        or "".

    Raises
    ------
    DataError
        Where `record.json` is missing or broken, or a file cannot be written.
    """
    folder = Path(folder)
    html = render(folder, expected)
    files.write_text(folder / "report.html", html)
    made = _pdf(html, folder / "report.pdf")
    return {
        "html": folder / "report.html",
        "pdf": folder / "report.pdf" if made else None,
        "note": "" if made else PANGO,
    }


def render(folder: Path, expected: Sequence[str] = ()) -> str:
    """The report as one HTML page; parameters as for `build`."""
    record = files.read_json(folder / "record.json")
    metrics = _metrics(folder)
    name = record.get("name", folder.name)
    html = pages.render(
        "report.html.j2",
        name=name,
        about=f"Segmentation of intervertebral discs: experiment {name}",
        badges=_badges(record),
        facts=_facts(folder, record, metrics),
        results=_results(metrics),
        tables=[_table(path, record) for path in sorted((folder / "tables").glob("table?.csv"))],
        deviations=_deviations(record),
        choices=record.get("open_choices", []),
        lessons=[_lesson(folder / "notebooks", stem) for stem in _stems(folder, expected)],
        command=_command(record),
        versions=[
            ("configuration", f"sha256 {record.get('config_hash', 'not recorded')}"),
            *record.get("versions", {}).items(),
        ],
    )
    return html.translate(SIGNS)


# --- what the record says --------------------------------------------------------------------


def _badges(record: dict[str, Any]) -> list[tuple[str, str]]:
    badges = []
    if record.get("phantom"):
        badges.append(("PHANTOM", "made-up scans, not patients"))
    if not record.get("comparable", True):
        badges.append(("NOT COMPARABLE", "too small to stand beside other results"))
    if record.get("derived"):
        badges.append(
            ("DERIVED †", f"{', '.join(record['derived'])} computed from other contrasts")
        )
    return badges


def _facts(folder: Path, record: dict[str, Any], metrics: pd.DataFrame) -> list[tuple[str, Any]]:
    config = record.get("config", {})
    profile = config.get("profile", {})
    cases = record.get("cases", {})
    subjects = {case["subject"] for case in cases.values()}
    done = [files.read_json(path) for path in sorted(folder.glob("trainings/*/record.json"))]
    trained = [r for r in done if "seconds_training" in r]
    seconds = sum(r["seconds_training"] + r["seconds_scoring"] for r in trained)
    return [
        ("Data", f"{record.get('data', '?')}, {len(cases)} scans of "
                 f"{len(subjects)} subjects"),
        ("Profile", profile.get("name", "?")),
        ("Folds", f"{len(config.get('folds', []))}, no subject on both sides of one"),
        ("Seeds", metrics["seed"].nunique() or "none finished"),
        ("Length", f"{profile.get('training', {}).get('steps', '?')} optimiser steps a training"),
        ("Trained", f"{len(trained)} networks, {seconds / 60:.1f} minutes of computing"),
        ("Device", "; ".join(sorted({r["device"] for r in trained})) or record.get("device", "?")),
        ("Begun", _when(datetime.fromisoformat(record["made"]))),
        ("Report made", _when(datetime.now(UTC))),
        ("Configuration", record.get("config_hash", "?")[:16]),
    ]  # fmt: skip


def _when(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M UTC")


def _deviations(record: dict[str, Any]) -> list[dict[str, str]]:
    rows = list(record.get("deviations", []))
    folds = len(record.get("config", {}).get("folds", []))
    if folds and folds != 4:
        why = "as the profile or the number of subjects asks"
        rows.insert(0, {"field": "folds", "ours": str(folds), "paper": "4", "why": why})
    if record.get("phantom"):
        why = "no scans were given (--data)"
        paper = "IVDM3Seg, 16 scans of 8 subjects"
        rows.insert(0, {"field": "data", "ours": "phantom", "paper": paper, "why": why})
    return rows


def _command(record: dict[str, Any]) -> str:
    program, *rest = record.get("command") or ["ivdlib", "reproduce"]
    start = ["python", "-m", "ivdlib"] if program == "__main__.py" else [program]
    return shlex.join([*start, *rest])


# --- results ---------------------------------------------------------------------------------


def _metrics(folder: Path) -> pd.DataFrame:
    path = folder / "metrics.csv"
    if not path.is_file():
        return pd.DataFrame(columns=["target", "scope", "network", "seed", "dice", "case"])
    return tables.read(path)


def _results(metrics: pd.DataFrame) -> list[str]:
    spine = metrics[metrics["target"] == "spine"]
    if spine.empty:
        return []
    mean, scans = spine["dice"].mean(), spine["case"].nunique()
    return [
        f"Spine U-Net, on subjects it was not trained on: mean Dice {mean:.3f} ({scans} scans)."
    ]


def _table(path: Path, record: dict[str, Any]) -> dict[str, Any]:
    """A table of `tables/` for the template; caption, label and notes are those of the Markdown."""
    text = path.with_suffix(".md").read_text(encoding="utf-8").splitlines()
    caption, *notes = [line.replace("**", "") for line in text if line and line[0] != "|"]
    frame = pd.read_csv(path, dtype={"network": str, "source": str})
    numbers = frame.columns[2:-1]
    frame = frame.astype(dict.fromkeys(numbers, float))
    derived = set(record.get("derived", []))
    return {
        "caption": caption,
        "head": [f"{c}†" if is_derived(c, derived) else c for c in frame.columns],
        "rows": [
            {"source": row[1], "cells": [_cell(value) for value in row]}
            for row in frame.itertuples(index=False)
        ],
        "notes": notes,
    }


def _cell(value: Any) -> str:
    if isinstance(value, float):
        return "–" if pd.isna(value) else f"{value:.4f}"
    return str(value)


# --- lessons ---------------------------------------------------------------------------------


def _stems(folder: Path, expected: Iterable[str]) -> list[str]:
    found = {p.name.split(".")[0] for p in (folder / "notebooks").glob("[0-9][0-9]_*.ipynb")}
    return sorted(found | set(expected))


def _lesson(folder: Path, stem: str) -> dict[str, Any]:
    """One lesson for the template; a failed or missing one with the sentence that says so."""
    lesson = {"id": stem, "title": stem, "html": "", "parts": [], "trouble": "", "sentence": ""}
    path, failed = folder / f"{stem}.ipynb", folder / f"{stem}.failed.ipynb"
    if failed.is_file():
        where = _where_it_stopped(failed)
        return {
            **lesson,
            **_body(failed, stem),
            "trouble": "failed",
            "sentence": f"Lesson {stem} stopped in cell {where}; what follows it was not run.",
        }
    if not path.is_file():
        sentence = f"Lesson {stem} was not run: {path.name} is not in {folder.name}/."
        return {**lesson, "trouble": "missing", "sentence": sentence}
    return {**lesson, **_body(path, stem)}


def _where_it_stopped(notebook: Path) -> str:
    for cell in nbformat.read(notebook, as_version=4).cells:
        for output in cell.get("outputs", []):
            if output.output_type == "error":
                return f"[{cell.execution_count}] ({output.ename}: {output.evalue})"
    return "[?] (its kernel died)"


def _body(path: Path, stem: str) -> dict[str, Any]:
    """HTML of an executed notebook and its headings, fit to stand among others on one page."""
    notebook = _quietened(nbformat.read(path, as_version=4))
    exporter = HTMLExporter(
        extra_template_basedirs=[str(pages.TEMPLATES)],
        template_name="lesson",
        exclude_input_prompt=True,
        exclude_output_prompt=True,
        exclude_anchor_links=True,
    )
    html, _ = exporter.from_notebook_node(notebook)
    soup = BeautifulSoup(html, "html.parser")
    _without_the_world(soup)
    heads = _shifted(soup, stem)
    title = heads[0][2] if heads else stem
    parts = [(ident, text) for level, ident, text in heads[1:] if level == 3]
    return {
        "id": heads[0][1] if heads else stem,
        "title": f"{stem[:2]} {title}" if not title[:1].isdigit() else title,
        "parts": parts,
        "html": str(soup) if heads else f'<h2 id="{stem}">{stem}</h2>{soup}',
    }


def _quietened(notebook: nbformat.NotebookNode) -> nbformat.NotebookNode:
    """Drop what papermill adds for its own use, and noise of the kernel."""
    tags = [set(cell.metadata.get("tags", [])) for cell in notebook.cells]
    drop = {PAPERMILL_MARK}
    if any("injected-parameters" in t for t in tags):
        drop.add("parameters")  # the values that were used stand in the cell after it
    notebook.cells = [c for c, t in zip(notebook.cells, tags, strict=True) if not t & drop]
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            if output.output_type == "stream" and output.name == "stderr":
                lines = output.text.splitlines(keepends=True)
                output.text = "".join(line for line in lines if not NOISE.match(line))
        if "outputs" in cell:
            cell.outputs = [o for o in cell.outputs if o.get("text", "-") != ""]
    return notebook


def _without_the_world(soup: BeautifulSoup) -> None:
    """Remove whatever would run or be fetched from elsewhere."""
    for tag in soup.find_all(["script", "iframe", "object", "embed", "link", "base", "form"]):
        tag.decompose()
    for tag in soup.find_all(True):
        for name in [n for n in tag.attrs if n.startswith("on")]:
            del tag.attrs[name]
        if str(tag.attrs.get("href", "")).strip().lower().startswith("javascript:"):
            del tag.attrs["href"]
        if not str(tag.attrs.get("src", "data:")).startswith("data:"):
            tag.replace_with(tag.attrs.get("alt", ""))


def _shifted(soup: BeautifulSoup, stem: str) -> list[tuple[int, str, str]]:
    """Lower headings by one, for the page has one H1; give ids that no other lesson has.

    Returns level, id and text of each heading.
    """
    heads: list[tuple[int, str, str]] = []
    for tag in soup.find_all(re.compile("^h[1-6]$")):
        level = min(int(tag.name[1]) + 1, 6)
        if level == 2 and heads:
            level = 3
        tag.name = f"h{level}"
        tag.attrs["id"] = f"{stem}-{len(heads)}"
        heads.append((level, tag.attrs["id"], tag.get_text(" ", strip=True)))
    return heads


# --- PDF -------------------------------------------------------------------------------------


def _pdf(html: str, path: Path) -> bool:
    """Write the PDF; False where the libraries of the system are missing."""
    try:
        import weasyprint
        from weasyprint.urls import URLFetcher
    except OSError:
        path.unlink(missing_ok=True)  # an older one would not belong to this HTML
        return False
    logging.getLogger("weasyprint").setLevel(logging.ERROR)
    logging.getLogger("fontTools").setLevel(logging.ERROR)
    fetcher = URLFetcher(allowed_protocols=["data"])
    document = weasyprint.HTML(string=html, url_fetcher=fetcher)
    with files.atomic(path) as temporary:
        document.write_pdf(temporary, pdf_variant="pdf/ua-1")
    return True
