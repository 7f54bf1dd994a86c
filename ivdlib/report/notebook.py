"""An executed notebook as a part of a page: headings fitted, noise gone, nothing from elsewhere."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from functools import cache
from pathlib import Path
from typing import Any

import nbformat
from bs4 import BeautifulSoup
from markupsafe import escape
from nbconvert.exporters import HTMLExporter
from nbformat import NotebookNode

from ivdlib.errors import DataError
from ivdlib.links import need_content
from ivdlib.report import edits, formulas, harmless_html, headings, pages, pictures, shortening
from ivdlib.report.lesson_names import lessons_in, number_of

PAPERMILL_MARK = "papermill-error-cell-tag"
SHOWN = "shown"
"""Key of a cell's metadata by which the template tells whether to show its code."""
FOLDED = "folded"
"""Likewise, what stands for a solution and its check, which readers unfold; on paper they are left
out, outputs and all."""

_NOISE = re.compile(
    r"^.*: \d+/\d+, .* left *( · .*)?$"  # progress, see `progress.Progress`
    r"|^WARNING: All log messages before absl"
    r"|^(\d{4}-\d\d-\d\d \S+ )?[IWEF]\d{4} "  # TensorFlow's log
    r"|^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d+: [IWEF] "
    r"|^\s*$"
)
"""Lines of a kernel's stderr that tell a reader nothing."""

_BAR = re.compile(r"[^\n]*\d+%\|[^\n]*\| \d+/\d+ \[[^\n]*\]\s*")
"""What stands for a bar of progress in a notebook that was run live."""


def lessons_of(
    folder: Path, expected: Iterable[str] = (), code: bool = False
) -> list[dict[str, Any]]:
    """All lessons of an experiment for the template, those that failed or are missing too.

    Parameters
    ----------
    folder : Path
        The experiment's `notebooks/`.
    expected : iterable of str
        Names (`01_data_loading`) of the lessons that should be there.
    code : bool
        Whether the code is shown, or only what it gives.
    """
    paths = [*lessons_in(folder), *lessons_in(folder, ".failed.ipynb")]
    found = {path.name.split(".")[0] for path in paths}
    return [_lesson(folder, stem, code) for stem in sorted(found | set(expected))]


def _lesson(folder: Path, stem: str, code: bool) -> dict[str, Any]:
    lesson = {"id": stem, "title": stem, "html": "", "parts": [], "trouble": "", "sentence": ""}
    path, failed = folder / f"{stem}.ipynb", folder / f"{stem}.failed.ipynb"
    if failed.is_file():
        notebook = read_notebook(failed)
        where = _where_it_stopped(notebook)
        return {
            **lesson,
            **body(notebook, stem, lambda cell: code or _stopped(cell)),
            "trouble": "failed",
            "sentence": f"Lesson {stem} stopped in cell {where}; what follows it was not run.",
        }
    if not path.is_file():
        sentence = f"Lesson {stem} was not run: {path.name} is not in {folder.name}/."
        return {**lesson, "trouble": "missing", "sentence": sentence}
    return {**lesson, **body(read_notebook(path), stem, lambda _: code)}


def read_notebook(path: Path) -> nbformat.NotebookNode:
    """Read a notebook.

    Raises
    ------
    DataError
        If the file is missing or no notebook.
    """
    need_content(path)
    found = edits.opened(path)
    found.metadata[shortening.FILE] = path.name
    return found


def _stopped(cell: nbformat.NotebookNode) -> bool:
    return any(output.output_type == "error" for output in cell.get("outputs", []))


def _where_it_stopped(notebook: nbformat.NotebookNode) -> str:
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            if output.output_type == "error":
                told = f"{output.ename}: {output.evalue}"
                more = " …" if len(told) > shortening.LETTERS else ""
                return f"[{cell.execution_count}] ({told[: shortening.LETTERS]}{more})"
    return "[?] (its kernel died)"


def tags(cell: nbformat.NotebookNode) -> set[str]:
    """Tags of a cell."""
    return set(cell.metadata.get("tags", []))


def body(
    notebook: nbformat.NotebookNode,
    stem: str,
    shown: Callable[[nbformat.NotebookNode], bool],
    *,
    fold: bool = True,
    bounds: shortening.Bounds = shortening.LESSON,
) -> dict[str, Any]:
    """HTML of a notebook and its headings, fit to stand among others on one page.

    Parameters
    ----------
    notebook : NotebookNode
        Changed in place.
    stem : str
        Its name; the ids of its headings begin with it.
    shown : callable
        Whether the code of a cell is shown; parameters that were set always are.
    fold : bool
        Whether solutions and their checks are folded: not in what a student did. A cell that
        failed never is.
    bounds : shortening.Bounds
        How much of its outputs is shown.

    Returns
    -------
    dict
        `id`, `title` and `html`; `entry`: the title for the contents, with its formulas drawn;
        `parts`: id and entry of each section.

    Raises
    ------
    DataError
        If something in it can be shown in no way, such as a picture that is attached to no cell.
    """
    try:
        _readied(notebook, shown, fold)
        shortening.shorten(notebook, stem, bounds)
        html = _exporter().from_notebook_node(notebook, {"ours": harmless_html.OURS})[0]
    except MemoryError:
        raise
    except Exception as error:  # of many kinds, for what no notebook should hold
        raise DataError(
            f"the notebook {stem} cannot be shown ({str(error).splitlines()[0][:100]}); open it in "
            "JupyterLab, run all cells and save it again."
        ) from error
    return fitted(html, stem)


def _readied(
    notebook: nbformat.NotebookNode,
    shown: Callable[[nbformat.NotebookNode], bool],
    fold: bool,
) -> None:
    """Note of each cell whether its code is shown and whether it is folded."""
    _quietened(notebook)
    for cell in notebook.cells:
        told = stand_in(cell) if fold and not _stopped(cell) else ""
        shows = bool(shown(cell)) or "injected-parameters" in tags(cell)
        cell.metadata[SHOWN] = shows or told == SUMMARIES["solution"]
        cell.metadata[FOLDED] = told if cell.metadata[SHOWN] or cell.get("outputs") else ""


@cache
def _exporter() -> HTMLExporter:
    """What makes HTML of notebooks; its templates are compiled once."""
    return HTMLExporter(
        extra_template_basedirs=[str(pages.TEMPLATES)],
        template_name="lesson",
        exclude_input_prompt=True,
        exclude_output_prompt=True,
        exclude_anchor_links=True,
        filters={"harmless": harmless_html.clean},
    )


def fitted(html: str, stem: str) -> dict[str, Any]:
    """As `body`, from HTML that comes from a notebook or from Markdown."""
    clean = harmless_html.clean(html).replace(harmless_html.OURS, "")
    soup = BeautifulSoup(clean, "html.parser")
    for tag in soup.find_all("a", class_="anchor-link"):
        tag.decompose()
    pictures.bound(soup)
    formulas.draw_formula(soup)
    for table in soup.find_all("table"):
        if len(table.find_all("tr")) > pages.LONG:
            table["class"] = [*table.get("class", []), "long"]
    heads = headings.shifted(soup, stem)
    title, entry = (heads[0].text, heads[0].entry) if heads else (stem, stem)
    number = f"{number_of(stem)} " if number_of(stem) and not title[:1].isdigit() else ""
    return {
        "id": heads[0].ident if heads else stem,
        "title": number + title,
        "entry": number + entry,
        "parts": [(head.ident, head.entry) for head in heads[1:] if head.level == 3],
        "html": str(soup) if heads else f'<h2 id="{escape(stem)}">{escape(stem)}</h2>{soup}',
    }


def _quietened(notebook: nbformat.NotebookNode) -> None:
    """Drop what papermill adds for its own use, and noise of the kernel."""
    drop = {PAPERMILL_MARK}
    if any("injected-parameters" in tags(cell) for cell in notebook.cells):
        drop.add("parameters")  # the values that were used stand in the cell after it
    notebook.cells = [cell for cell in notebook.cells if not tags(cell) & drop]
    for cell in (cell for cell in notebook.cells if "outputs" in cell):
        cell.outputs = without_noise(cell.outputs)


def without_noise(outputs: list[NotebookNode]) -> list[NotebookNode]:
    """Outputs of a cell without lines of progress and a framework's log; what is empty goes."""
    settled = shortening.settled(outputs)
    for output in settled:
        if output.output_type == "stream" and output.name == "stderr":
            lines = output.text.splitlines(keepends=True)
            output.text = "".join(line for line in lines if not _NOISE.match(line))
    return [o for o in settled if o.get("text", "-") != "" and not _is_bar(o)]


def _is_bar(output: NotebookNode) -> bool:
    data = output.get("data", {})
    plain = "image/png" not in data and "text/html" not in data
    return plain and bool(_BAR.fullmatch(str(data.get("text/plain", ""))))


SUMMARIES = {"solution": "A solution", "test": "The check of the solution"}
"""Tags of the code that pages of a lesson fold away, and what stands in its place."""


def stand_in(cell: NotebookNode) -> str:
    """What stands for a cell that tells the answer of an exercise to a lesson's readers, or "".

    Its outputs tell it too: a check prints what is right. A student's copy bears nbgrader's marks,
    and shows all that the student did.
    """
    if "nbgrader" in cell.metadata or cell.cell_type != "code":
        return ""
    return next((text for tag, text in SUMMARIES.items() if tag in tags(cell)), "")
