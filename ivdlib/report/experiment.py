"""Reports: one self-contained HTML page and one tagged PDF, made offline.

Of an experiment or an audit (`build_report` of the folder with ``AUDIT.md``), of a student's
lesson (`coursework`), of several experiments side by side (`compare`). No script, no font and no
picture comes from elsewhere.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ivdlib.evaluation import verdicts
from ivdlib.report import audit_page, notebook, opening, record, results
from ivdlib.report.pages import fill, write_report
from ivdlib.report.record import Author
from ivdlib.training import rerun_command


def build_report(
    folder: str | Path,
    expected: Sequence[str] = (),
    author: Author | None = None,
    *,
    code: bool = False,
) -> dict[str, Any]:
    """Write `report.html` and `report.pdf` of an experiment, or of an audit.

    Parameters
    ----------
    folder : path
        The experiment, with `record.json` and whatever else there is; or a folder with ``AUDIT.md``
        and no record.
    expected : sequence of str, optional
        Names (`01_data_loading`) of the lessons that should be there; a missing one is told.
    author : Author, optional
        For the head of the first page.
    code : bool, default False
        Whether the code of the lessons is shown, or only what it gives.

    Returns
    -------
    dict
        `html`: path; `pdf`: path, or None if Pango is missing; `note`: what to do about that,
        or "".

    Raises
    ------
    DataError
        If `record.json` is missing or broken, or a file cannot be read or written.
    """
    folder = Path(folder)
    return write_report(folder / "report", render_report(folder, expected, author, code=code))


def render_report(
    folder: Path,
    expected: Sequence[str] = (),
    author: Author | None = None,
    *,
    code: bool = False,
) -> str:
    """The report as one HTML page; parameters as for `build_report`."""
    author = author or Author()
    claims = folder / verdicts.PAGE
    if claims.is_file() and not (folder / "record.json").is_file():
        return _audit(claims, author)
    made = results.record_of(folder)
    metrics = results.metrics_of(folder)
    name = made.get("name", folder.name)
    page = results.audit_page(folder)
    facts = record.facts(folder, made, metrics)
    figures = results.embedded_figures(folder, metrics)
    return fill(
        "report/experiment.html.j2",
        kind="report of an experiment",
        name=name,
        lead=record.lead(facts),
        badges=record.badges(made),
        facts=author.rows(),
        picture=opening.opening_picture(folder, metrics, figures),
        found=opening.what_was_found(made, metrics),
        besides=opening.found_besides(made, metrics),
        tables=results.scores(folder, made),
        figures=figures,
        worst=results.worst_scans(metrics),
        deviations=_rows(made.get("deviations", []), "field", "ours", "paper", "why"),
        choices=_rows(made.get("open_choices", []), "what", "ours", "paper", "why"),
        audit=audit_page.first(page) if page else None,
        lessons=notebook.lessons_of(folder / "notebooks", expected, code),
        command=record.shown_command(folder, made),
        needs=rerun_command.needs(made),
        about=[*facts, ("Report", record.when())],
        versions=record.shown_versions(made),
    )


def _rows(found: Sequence[dict[str, str]], *keys: str) -> list[list[str]]:
    return [[str(row[key]) for key in keys] for row in found]


def _audit(path: Path, author: Author) -> str:
    return fill(
        "report/audit.html.j2",
        kind="the audit",
        name="The audit of FDS-CNN",
        facts=[*author.rows(), ("Report", record.when())],
        audit=audit_page.whole(path),
    )
