"""What a notebook printed, as its reader saw it, cut to a bearable length; the rest is counted."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import groupby

import nbformat
from markupsafe import escape
from nbformat import NotebookNode

from ivdlib.report.harmless_html import OURS

FILE = "read from"
"""Key of a notebook's metadata: the name of its file, in which all stands that is left out here."""


@dataclass(frozen=True)
class Bounds:
    """How much of a notebook is shown.

    Attributes
    ----------
    lines, last : int
        Lines of a cell's outputs, rows of tables alike; how many of them are its last.
    whole, few : int
        Lines of a notebook's outputs, and those that a cell still has after these.
    pictures, size : int
        Pictures of a notebook, and the letters of its file that they may take.
    """

    lines: int = 200
    last: int = 50
    whole: int = 2000
    few: int = 4
    pictures: int = 100
    size: int = 40_000_000


LESSON = Bounds()
ANSWER = Bounds(lines=10, last=3, whole=60, few=2, pictures=6, size=8_000_000)
"""Of an exercise on the pages that a student hands in."""

SOURCE = 500
"""Lines of a cell itself."""
LETTERS, MARKUP = 500, 400_000
"""Letters of a printed line; of a table or a text with its markup."""
DRAWING = 20
"""So many times is a drawing (SVG) as much work as a picture of its size."""

HTML, SVG, PLAIN = "text/html", "image/svg+xml", "text/plain"
_KINDS = (HTML, "text/markdown", SVG, "text/latex", "image/png", "image/jpeg", PLAIN)
"""Of several kinds in an output the first is shown, as nbconvert does."""
INLINE = re.compile(r"data:image/[^\"')\s>]+")
ROW = re.compile(r"(?=<tr[\s>])", re.IGNORECASE)
HALF = re.compile(r"\x1b\[?[\d;?]*$")
"""A colour's code that is cut in two."""


def settled(outputs: Iterable[NotebookNode]) -> list[NotebookNode]:
    """Join what was printed in pieces, and show of each line what overwrote it."""
    found = []
    for stream, some in groupby(outputs, lambda o: o.get("name") or id(o)):
        first, *more = some
        if first.output_type == "stream" and isinstance(stream, str):
            text = "".join([first.text, *(output.text for output in more)]).replace("\r\n", "\n")
            if "\r" in text or "\b" in text:
                text = "\n".join(map(_overwritten, text.split("\n")))
            first.text = text
        found.append(first)
    return found


def _overwritten(line: str) -> str:
    """A line after its carriage returns and backspaces, as a terminal shows it."""
    shown = ""
    for piece in line.split("\r"):
        piece = _erased(piece.rstrip("\b"))  # those at the end only move the cursor
        coloured = "\x1b" in piece or "\x1b" in shown  # colours have no width
        shown = (piece or shown) if coloured else piece + shown[len(piece) :]
    return shown


def _erased(text: str) -> str:
    if "\b" not in text:
        return text
    kept: list[str] = []
    for letter in text:
        if letter != "\b":
            kept.append(letter)
        elif kept:
            kept.pop()
    return "".join(kept)


def shorten(notebook: NotebookNode, stem: str, bounds: Bounds = LESSON) -> None:
    """Leave out of a notebook what nobody reads on paper, and say there how much that is.

    Parameters
    ----------
    notebook : NotebookNode
        Changed in place.
    stem : str
        Its name, if it does not say which file it was read from.
    bounds : Bounds
    """
    file = str(notebook.metadata.get(FILE, f"{stem}.ipynb"))
    lines, pictures, size = bounds.whole, bounds.pictures, bounds.size
    for cell in notebook.cells:
        cell.source = _source(cell, file)
        kept, outside = [], 0
        for output in cell.get("outputs", []):
            _without_much_markup(output, bounds.lines)
            weight = _weight(output)
            if weight and (not pictures or weight > size):
                outside += 1
                continue
            pictures, size = pictures - bool(weight), size - weight
            kept.append(output)
        if "outputs" in cell:
            most = max(min(bounds.lines, lines), bounds.few)
            cell.outputs, used = _cut(kept, most, min(bounds.last, most // 2), file)
            lines -= used
        if outside:
            some = "1 picture of this cell is" if outside == 1 else f"{outside:,} pictures are"
            cell.outputs.append(_note(f"{some} left out here; all stand in {file}."))


def _cut(
    outputs: list[NotebookNode], most: int, last: int, file: str
) -> tuple[list[NotebookNode], int]:
    """The first and the last lines of a cell's outputs, with a note between; how many these are."""
    parts = [_lines(output) for output in outputs]
    total = sum(map(len, parts))
    if total <= most:
        return [_with(*pair, file) for pair in zip(outputs, parts, strict=True)], total
    first, ending = most - last, total - last  # lines between these are left out
    kept, at, told = [], 0, False
    for output, part in zip(outputs, parts, strict=True):
        before, after = part[: max(first - at, 0)], part[max(ending - at, 0) :]
        if before or not part:
            kept.append(_with(output, before, file))
        at += len(part)
        if at > first and not told:
            told = True
            told_of = f"{total - most:,} of {total:,} lines are left out here"
            kept.append(_note(f"{told_of}; all stand in {file}."))
        if after:
            kept.append(_with(output, after, file))
    return kept, most


def _kind(output: NotebookNode) -> str:
    """What is shown of an output; "" if that is no data."""
    return next((kind for kind in _KINDS if kind in output.get("data", {})), "")


def _lines(output: NotebookNode) -> list[str]:
    """Lines of an output, rows of a table; none of a picture."""
    if output.output_type == "error":
        return "\n".join(output.traceback).splitlines(keepends=True) or [""]
    if output.output_type == "stream":
        return output.text.splitlines(keepends=True) or [""]
    kind = _kind(output)
    text = str(output.data[kind]) if kind.startswith("text/") else ""
    return ROW.split(text) if kind == HTML else text.splitlines(keepends=True)


def _with(output: NotebookNode, lines: list[str], file: str) -> NotebookNode:
    """An output with these lines alone."""
    made, kind = nbformat.from_dict(output), _kind(output)
    if output.output_type == "error":
        made.traceback = ["".join(_short(line, file) for line in lines)]
        made.ename, made.evalue = _short(output.ename, file), _short(output.evalue, file)
    elif output.output_type == "stream":
        made.text = "".join(_short(line, file) for line in lines)
    elif kind == PLAIN:
        made.data[kind] = "".join(_short(line, file) for line in lines)
    elif lines:
        made.data[kind] = "".join(lines)
    return made


def _short(line: str, file: str, most: int = LETTERS) -> str:
    """A line, cut if it is too long."""
    if len(line) <= most:
        return line
    end = "\n" * line.endswith("\n")
    return f"{HALF.sub('', line[:most])} … ({len(line) - most:,} more letters stand in {file}){end}"


def _without_much_markup(output: NotebookNode, lines: int) -> None:
    """Leave out a text with more markup than a page bears, for the plain one that stands for it."""
    kind = _kind(output)
    if kind in (HTML, "text/markdown", "text/latex"):
        letters = sum(len(INLINE.sub("", part)) for part in _lines(output)[:lines])
        if letters > MARKUP:
            output.data.setdefault(PLAIN, f"({letters:,} letters of {kind})")
            del output.data[kind]
            _without_much_markup(output, lines)


def _weight(output: NotebookNode) -> int:
    """Letters that a picture takes in the file of its notebook; 0 if it is none."""
    kind = _kind(output)
    if kind == HTML:
        return sum(map(len, INLINE.findall(output.data[HTML])))
    weight = len(str(output.data[kind])) if kind.startswith("image/") else 0
    return weight * (DRAWING if kind == SVG else 1)


def _note(text: str) -> NotebookNode:
    return nbformat.v4.new_output(
        "display_data", {HTML: f'<p class="{OURS}note">{escape(text)}</p>'}
    )


def _source(cell: NotebookNode, file: str) -> str:
    """The text of a cell, or its beginning."""
    lines = cell.source.splitlines(keepends=True)
    code = cell.cell_type == "code"
    shown = lines[:SOURCE]
    if code:
        shown = [_short(line, file) for line in shown]
    elif len(INLINE.sub("", "".join(shown))) > MARKUP:
        shown = [_short(line, file, MARKUP // SOURCE) for line in shown]
    left = len(lines) - len(shown)
    told = f"{left:,} of {len(lines):,} lines of this cell are left out here; all stand in {file}."
    return "".join(shown) + (f"# {told}" if code else f"\n\n*{told}*\n") * bool(left)
