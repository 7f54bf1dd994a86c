"""A lesson as Sphinx gets it: answers folded, pictures beside it, formulas drawn, terms linked."""

from __future__ import annotations

import re
from pathlib import Path

import nbformat
from bs4 import BeautifulSoup
from nbformat import NotebookNode

from bindery import terms
from bindery.heads import Head, parts_of
from bindery.pictures import Picture, Shelf
from ivdlib.report import formulas
from ivdlib.report.notebook import read_notebook, stand_in, tags

HEAD = """\
# {number} · {title}

> **You will be able to**
>
{goals}
>
> **Study time:** {minutes} minutes · **Needs:** {needs}
>
> **Paper:** {paper} · **Data:** {data}
"""

STILL = '<p class="still">A still picture: in JupyterLab you can move it.</p>'


def lesson_page(path: Path, head: Head, shelf: Shelf, glossary: str) -> str:
    """Text of a lesson's notebook for Sphinx; its pictures go onto the shelf."""
    notebook = without_injected(path)
    for (cell, output), picture in shelf.take(notebook, path.stem).items():
        bare = nbformat.from_dict({"text/html": shown(picture)})
        notebook.cells[cell].outputs[output].data = bare
    link = terms.linker(glossary)
    for cell in notebook.cells:
        _fold(cell)
        if cell.cell_type == "markdown":
            cell.source = drawn(link(cell.source))
    notebook.cells[0].source = clear_head(notebook.cells[0].source, head)
    return nbformat.writes(notebook)


def without_injected(path: Path) -> NotebookNode:
    """A notebook without the cell in which papermill repeats the parameters, folders and all."""
    notebook = read_notebook(path)
    notebook.cells = [cell for cell in notebook.cells if "injected-parameters" not in tags(cell)]
    return notebook


def shown(picture: Picture) -> str:
    """HTML of a picture of a lesson; that of a widget says that it moves elsewhere."""
    return picture.tag() + (STILL if picture.still else "")


def clear_head(text: str, head: Head) -> str:
    """The head of a lesson with its goals one below the other; what follows it stays."""
    parts = parts_of(text)
    rest = re.split(r"^(?:>.*\n?)+", text, maxsplit=1, flags=re.MULTILINE)[1]
    words = {"paper": parts.get("Paper", "–"), "data": parts.get("Data", "–")}
    goals = "\n".join(f"> - {goal}" for goal in head.goals)
    made = HEAD.format(number=head.number, title=head.title, goals=goals, minutes=head.minutes,
                       needs=head.needs, **words)  # fmt: skip
    return made + rest


def _fold(cell: NotebookNode) -> None:
    """Let myst-nb fold hidden code, as JupyterLab does, and what tells answers, outputs and all."""
    told = stand_in(cell)
    if told or cell.metadata.get("jupyter", {}).get("source_hidden"):
        what, tag = (told, "hide-cell") if told else ("Code", "hide-input")
        cell.metadata["tags"] = [*cell.metadata.get("tags", []), tag]
        cell.metadata["mystnb"] = {"code_prompt_show": what, "code_prompt_hide": what}


def drawn(text: str) -> str:
    """Markdown with its formulas as pictures: no browser draws LaTeX without a network."""

    def picture(found: re.Match) -> str:
        if found[0].startswith("`"):
            return found[0]
        soup = BeautifulSoup(found[0], "html.parser")
        formulas.draw_formula(soup)
        return str(soup)

    return re.sub(rf"`+[^`]*`+|{formulas.MATH.pattern}", picture, text, flags=re.DOTALL)
