"""The pages that a student hands in: two of a lesson, or the whole lesson."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import nbformat

from ivdlib.course.answers import MINUTES, Answered, answered
from ivdlib.course.points import BY_HAND, HEADING, Copy, Result, totals
from ivdlib.report import notebook, record, shortening
from ivdlib.report.lesson_names import number_of
from ivdlib.report.pages import fill, first_that_fits, write_report
from ivdlib.report.record import Author

PAGES = 2
"""Of the answers to a lesson, if they are of usual length."""

KINDS = (
    {"highest": 62, "widest": 178},
    {"highest": 50, "widest": 116},
    {"highest": 38, "widest": 87, "tight": True},
    {"highest": 30, "widest": 87, "tight": True},
    {"highest": 38, "widest": 87, "tight": True, "long": True},
)
"""How large pictures are in mm, whether code is small, whether the page says that it is long; the
first of these that fits is taken."""


def page(
    copies: Sequence[Copy],
    author: Author,
    out: Path,
    *,
    whole: bool = False,
    code: bool = False,
    more: Sequence[tuple[str, Result]] = (),
    notes: Sequence[str] = (),
) -> dict[str, Any]:
    """Write the page of a student's copies.

    Parameters
    ----------
    copies : sequence of Copy
    author, out, whole, code
        As for `hand_in.hand_in`.
    more : sequence of tuple
        Further rows of results, by lesson: of what is not there.
    notes : sequence of str
        Further sentences on what is odd, without full stops.

    Returns
    -------
    dict
        As `report.build`; `long`: whether the answers go on beyond `PAGES` pages a lesson.
    """
    rows = [*more, *((copy.lesson, result) for copy in copies for result in copy.results)]
    rows.sort(key=lambda row: row[0])
    graded = all(copy.graded for copy in copies)
    by = "nbgrader" if graded else "the checks in this copy, not the lecturer"
    values = {
        "kind": "coursework",
        "name": author.name,
        "facts": [*author.rows(), ("Points", _sum([r for _, r in rows], copies)),
                  ("Points given by", by), ("Report", record.when())],
        "notes": [*(told for copy in copies for told in copy.troubles()), *notes],
        "results": [(number_of(name) or name, r.title, r.state, f"{r.most:g}", _number(r.points))
                    for name, r in rows],
    }  # fmt: skip
    if whole:
        return {**write_report(out, _whole(copies, code, values)), "long": False}
    lessons = [_lesson(copy) for copy in copies]
    values |= {"lessons": lessons, "pages": PAGES}
    values["results"] = [
        (name, MINUTES.sub("", title), *rest) for name, title, *rest in values["results"]
    ]
    if len(copies) == 1:
        values["name"] = lessons[0]["title"]
    versions = (fill("report/answers.html.j2", **values, **kind) for kind in KINDS)
    place, html = first_that_fits(versions, PAGES * len(copies))
    return {**write_report(out, html), "long": "long" in KINDS[place]}


def _whole(copies: Sequence[Copy], code: bool, values: Mapping[str, Any]) -> str:
    """The page that shows copies from beginning to end."""
    shown = [
        notebook.body(
            copy.notebook, copy.lesson, lambda cell, c=copy: code or c.is_own(cell), fold=False
        )
        for copy in copies
    ]
    name = shown[0]["title"] if len(copies) == 1 else values["name"]
    return fill("report/handin.html.j2", **{**values, "name": name, "lessons": shown})


def _lesson(copy: Copy) -> dict[str, Any]:
    """The answers of a copy for the template."""
    texts = [cell.source for cell in copy.notebook.cells if cell.cell_type == "markdown"]
    heads = [line for text in texts for line in text.splitlines() if HEADING.match(line)]
    parts = [
        {
            "states": [
                f"{r.state} · {_number(r.points)} of {r.most:g} point{'s' * (r.most != 1)}"
                for r in part.results
            ],
            "html": _html(part, f"{copy.lesson}-{number}", copy),
        }
        for number, part in enumerate(answered(copy), start=1)
    ]
    return {"id": copy.lesson, "title": heads[0].lstrip("# ") if heads else copy.lesson,
            "parts": parts}  # fmt: skip


def _html(part: Answered, ident: str, copy: Copy) -> str:
    """An exercise: its heading and question, what the student wrote, what came of it."""
    head = f"## {part.title or 'Outside the exercises'}\n\n{part.question}"
    outcome = nbformat.v4.new_code_cell()
    outcome.outputs = part.outcome
    made = nbformat.v4.new_notebook()
    made.cells = [nbformat.v4.new_markdown_cell(head), *part.cells, outcome]
    made.metadata[shortening.FILE] = copy.notebook.metadata.get(
        shortening.FILE, f"{copy.lesson}.ipynb"
    )
    how = {"fold": False, "bounds": shortening.ANSWER}
    return notebook.body(made, ident, lambda cell: True, **how)["html"]


def _sum(found: Sequence[Result], copies: Sequence[Copy]) -> str:
    points, most, waiting = totals(found)
    text = f"{points - sum(copy.penalty for copy in copies):g} of {most:g}"
    return f"{text}, {waiting:g} {BY_HAND}" if waiting else text


def _number(points: float | None) -> str:
    return "–" if points is None else f"{points:g}"
