"""A lesson with its results as Markdown: what a code host shows of the course without a site."""

from __future__ import annotations

import re
from pathlib import Path

from bs4 import BeautifulSoup
from nbformat import NotebookNode

from bindery.lesson_pages import without_injected
from bindery.pictures import Picture, Shelf
from ivdlib.report.lesson_names import NAME
from ivdlib.report.notebook import stand_in

FOLD = "<details><summary>{summary}</summary>\n\n{text}\n\n</details>"


def lesson_text(path: Path, shelf: Shelf) -> str:
    """A lesson as Markdown, answers and hidden code folded; its pictures go onto the shelf."""
    notebook = without_injected(path)
    pictures = shelf.take(notebook, path.stem)
    parts = []
    for place, cell in enumerate(notebook.cells):
        own = {number: picture for (at, number), picture in pictures.items() if at == place}
        parts.append(_cell(cell, own))
    return "\n\n".join(filter(None, parts)) + "\n"


def linked(text: str) -> str:
    """Markdown whose links lead to the lessons beside it, not to notebooks that are not there."""
    return re.sub(rf"\]\(({NAME})\.ipynb(#[^)]*)?\)", r"](\1.md)", text)


def _cell(cell: NotebookNode, pictures: dict[int, Picture]) -> str:
    if cell.cell_type != "code":
        return linked(cell.source)
    outputs = enumerate(cell.get("outputs", []))
    shows = filter(None, (_output(output, pictures.get(n)) for n, output in outputs))
    code, results = _fenced(cell.source, "python"), "\n\n".join(shows)
    if told := stand_in(cell):
        return FOLD.format(summary=told, text=f"{code}\n\n{results}".strip())
    if cell.metadata.get("jupyter", {}).get("source_hidden"):
        code = FOLD.format(summary="Code", text=code)
    return f"{code}\n\n{results}".strip()


def _output(output: NotebookNode, picture: Picture | None) -> str:
    if picture:
        alt = re.sub(r"([\[\]])", r"\\\1", " ".join(picture.alt.split()))
        return f"![{alt}]({picture.source})"
    if output.output_type == "stream":
        return _fenced(output.text, "text")
    data = output.get("data", {})
    if "text/markdown" in data:
        return data["text/markdown"]
    if "text/html" in data:
        return _bare(data["text/html"])
    return _fenced(data["text/plain"], "text") if "text/plain" in data else ""


def _bare(html: str) -> str:
    """HTML without its looks, which code hosts would show as text, and without empty lines."""
    soup = BeautifulSoup(html, "html.parser")
    for tag in soup.find_all(["style", "script"]):
        tag.decompose()
    return re.sub(r"\n\s*\n+", "\n", str(soup)).strip()


def _fenced(text: str, language: str) -> str:
    longest = max((len(run) for run in re.findall(r"`{3,}", text)), default=2)
    fence = "`" * (longest + 1)
    return f"{fence}{language}\n{text.rstrip()}\n{fence}" if text.strip() else ""
