"""What of a copy is the student's, by exercise: answers, checks, pictures of functions at work."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import groupby

import nbformat
from nbformat import NotebookNode

from ivdlib.course.points import (
    EXERCISE,
    HEADING,
    NOT_ANSWERED,
    NOT_RUN,
    Copy,
    Exercise,
    Result,
    marks,
    named,
)

DEFINED = re.compile(r"^def (\w+)\(", re.M)
WORKED = re.compile(r"^Your (\w+) worked .* in the place of the library's\.$", re.M)
"""What `own.plugged` prints of a student's function."""
TAKEN = re.compile(r"\bown\.yours\((\w+)\)")
COMPARED = "model_answers.show("
"""In a cell that shows the model answer: no student wrote that."""
MINUTES = re.compile(r" \(\d+ minutes?\)$")
OUTSIDE = ""
PICTURES = 2
"""Of a function at work, the first ones: later in its section the library does more and more."""
BRIEF = 200
"""Letters of a question that say what a function is for; how it works, the function says."""


@dataclass
class Answered:
    """An exercise of a copy: what was asked, and what the student did.

    Attributes
    ----------
    title : str
        Heading, without its minutes; "" of what stands outside the exercises.
    question : str
        First paragraph of what is asked.
    results : list of Result
        Of its graded cells.
    cells : list of NotebookNode
        The student's, as they stand in the copy.
    outcome : list of NotebookNode
        Outputs: what the checks said, then what cells of the lesson showed in which the student's
        function stood for the library's; lines before pictures.
    """

    title: str
    question: str = ""
    results: list[Result] = field(default_factory=list)
    cells: list[NotebookNode] = field(default_factory=list)
    outcome: list[NotebookNode] = field(default_factory=list)


def answered(copy: Copy) -> list[Answered]:
    """All exercises of a copy, answered or not, in the order of the lesson.

    What a student wrote outside the exercises comes last, under no title.
    """
    written, worked, cells = _written(copy), _worked(copy), named(copy.notebook)
    functions = set(_functions(copy).values())
    found = []
    for title, some in groupby(zip(copy.asked, copy.results, strict=True), lambda s: s[0].title):
        pairs = list(some)
        checks = [cells[e.ident][-1] for e, r in pairs if e.ident in cells and _is_told(e, r)]
        outputs = [o for check in checks for o in check.get("outputs", [])] + worked.get(title, [])
        found.append(
            Answered(
                MINUTES.sub("", title),
                _brief(pairs[0][0].question) if title in functions else pairs[0][0].question,
                [result for _, result in pairs],
                written.get(title, []),
                sorted(map(nbformat.from_dict, outputs), key=lambda output: "data" in output),
            )
        )
    rest = written.get(OUTSIDE, [])
    return [*found, Answered(OUTSIDE, cells=rest)] if rest else found


def _brief(question: str) -> str:
    """The first sentences of a question, whole."""
    first, *more = re.split(r"(?<=[.?!:])\s+", question)
    for sentence in more:
        if len(first) + len(sentence) > BRIEF:
            break
        first += f" {sentence}"
    return first


def _is_told(exercise: Exercise, result: Result) -> bool:
    """Whether a check says more than the state of its exercise."""
    return not exercise.written and not result.state.endswith((NOT_ANSWERED, NOT_RUN))


def _written(copy: Copy) -> dict[str, list[NotebookNode]]:
    """What the student wrote, by the title of the exercise that it belongs to."""
    titles = {name: e.title for e in copy.asked for name in (e.answer, e.ident) if name}
    checks = {e.ident for e in copy.asked if not e.written}
    found: dict[str, list[NotebookNode]] = {}
    for cell, here in _with_titles(copy):
        name = marks(cell).get("grade_id")
        if name in checks or not copy.is_own(cell) or copy.is_untouched(cell):
            continue
        if COMPARED not in cell.source:
            found.setdefault(titles.get(name, here), []).append(nbformat.from_dict(cell))
    return found


def _worked(copy: Copy) -> dict[str, list[NotebookNode]]:
    """Outputs of cells in which functions worked, by the title of the exercise that asks for them.

    From such a cell on, all that its section shows is of the function's making.
    """
    functions = _functions(copy)
    order = list(functions)
    found: dict[str, list[NotebookNode]] = {}
    title = ""
    for cell, _ in _with_titles(copy):
        if cell.cell_type != "code":
            title = "" if HEADING.search(cell.source) else title
        elif not copy.is_own(cell):
            names = [name for name in _at_work(cell) if name in functions]
            title = functions[max(names, key=order.index)] if names else title
            if title:
                found.setdefault(title, []).extend(filter(_is_seen, cell.get("outputs", [])))
    return {title: list(_first_pictures(outputs)) for title, outputs in found.items()}


def _first_pictures(outputs: list[NotebookNode]) -> Iterator[NotebookNode]:
    """All lines, and the first `PICTURES`."""
    left = PICTURES
    for output in outputs:
        left -= "data" in output
        if left >= 0 or "data" not in output:
            yield output


def _at_work(cell: NotebookNode) -> list[str]:
    """Functions of the student's that a cell puts to work, as far as it was run."""
    printed = "".join(o.text for o in cell.get("outputs", []) if o.output_type == "stream")
    taken = TAKEN.findall(cell.source) if cell.get("execution_count") else []
    return [*WORKED.findall(printed), *(name for name in taken if f"{name} has not" not in printed)]


def _functions(copy: Copy) -> dict[str, str]:
    """The titles of exercises that ask for a function, by the name of the function."""
    cells = named(copy.notebook)
    return {
        name: exercise.title
        for exercise in copy.asked
        for cell in cells.get(exercise.answer, [])
        for name in DEFINED.findall(cell.source)
    }


def _with_titles(copy: Copy) -> Iterator[tuple[NotebookNode, str]]:
    """Each cell with the title of the exercise in whose section it stands."""
    titles, here = {exercise.title for exercise in copy.asked}, OUTSIDE
    for cell in copy.notebook.cells:
        if cell.cell_type == "markdown" and HEADING.search(cell.source) and not marks(cell):
            heading = EXERCISE.search(cell.source)
            here = heading[1].strip() if heading else OUTSIDE
            here = here if here in titles else OUTSIDE
        yield cell, here


def _is_seen(output: NotebookNode) -> bool:
    """Whether an output is a line or a picture: the lesson's tables and widgets are left to it."""
    kinds = output.get("data", {})
    if any("widget" in kind for kind in kinds):
        return False
    return output.output_type == "stream" or any(kind.startswith("image/") for kind in kinds)
