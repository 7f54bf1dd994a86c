"""How a lesson is written: short cells, one heading, aims, parameters, exercises in their form."""

import ast
import re
from pathlib import Path

import nbformat
import numpy as np
import pytest
import scripts

from ivdlib.course.parameters import TYPES
from ivdlib.report.lesson_names import number_of

ROOT = Path(__file__).resolve().parents[2]
SOURCES = sorted((ROOT / "notebooks" / "src").glob("*.py"))
MEDIAN, NINETIETH, MOST = 6, 15, 30  # lines of a code cell


@pytest.fixture(scope="module")
def lessons() -> dict[str, list]:
    """Cells of each lesson as a reader sees them."""
    build = scripts.load("build")
    return {p.stem: nbformat.reads(build.render_lesson(p), as_version=4).cells for p in SOURCES}


def code(cells: list) -> list[str]:
    return [cell.source for cell in cells if cell.cell_type == "code"]


def text(cells: list) -> str:
    return "\n\n".join(cell.source for cell in cells if cell.cell_type == "markdown")


def everything(cells: list) -> str:
    return "\n\n".join(cell.source for cell in cells)


def too_long(cells: dict[str, list]) -> list[str]:
    """Code cells over the limit: lesson, lines, first line."""
    return [
        f"{stem}: {len(source.splitlines())} lines, {source.splitlines()[0]!r}"
        for stem, of_lesson in cells.items()
        for source in code(of_lesson)
        if len(source.splitlines()) > MOST
    ]


def test_code_cells_are_short(lessons):
    lengths = [len(s.splitlines()) for cells in lessons.values() for s in code(cells)]
    assert len(lengths) > 50
    assert np.median(lengths) <= MEDIAN
    assert np.percentile(lengths, 90) <= NINETIETH
    assert too_long(lessons) == []


def test_a_long_cell_is_found():
    cell = nbformat.v4.new_code_cell("\n".join(["n = 1"] * (MOST + 1)))
    assert too_long({"01_x": [cell]}) == ["01_x: 31 lines, 'n = 1'"]


each_lesson = pytest.mark.parametrize("stem", [path.stem for path in SOURCES])


@each_lesson
def test_one_title_with_its_number(lessons, stem):
    titles = re.findall(r"^# (.*)", text(lessons[stem]), re.M)
    assert len(titles) == 1
    assert titles[0].startswith(f"{number_of(stem)} · ")


@each_lesson
def test_aims_stand_at_the_top(lessons, stem):
    first = lessons[stem][0].source
    assert first.startswith("# ")
    assert "> **You will be able to:**" in first


@each_lesson
def test_parameters_are_typed_literals(lessons, stem):
    cells = [c for c in lessons[stem] if "parameters" in c.metadata.get("tags", [])]
    assert len(cells) == 1
    for line in ast.parse(cells[0].source).body:
        assert isinstance(line, ast.AnnAssign), ast.unparse(line)
        assert type(ast.literal_eval(line.value)) is TYPES[ast.unparse(line.annotation)]


@each_lesson
def test_each_exercise_has_a_number_minutes_and_a_hint(lessons, stem):
    """The check of a function tells its hints itself, one after the other."""
    whole = "\n\n".join(cell.source for cell in lessons[stem])
    asked = re.findall(r"^## (Exercise.*?)(?=^## |\Z)", whole, re.M | re.S)
    for number, exercise in enumerate(asked, start=1):
        head = exercise.splitlines()[0]
        assert re.fullmatch(rf"Exercise {number} \(\d+ minutes?\)", head)
        if "own.check(" not in exercise:
            assert re.search(r"^Hint: ", exercise, re.M), f"{head} has no line that begins Hint:"
    assert 2 <= len(asked) <= 6


def test_the_first_lesson_says_how_often_to_press_enter():
    """Cells up to the picture, as a student has them; every press runs one of them."""
    build = scripts.load("build")
    text = build.render_lesson(SOURCES[0], "student")
    cells = nbformat.reads(text, as_version=4).cells
    picture = next(n for n, cell in enumerate(cells) if "plotting.show(" in cell.source)
    times = ["once", "twice", "three times", "four times", "five times", "six times"][picture]
    assert f"press Enter {times}." in cells[0].source


TALLIED = [path.stem for path in SOURCES if "exercises.tally(" in path.read_text(encoding="utf-8")]


@pytest.mark.parametrize("stem", TALLIED)
def test_the_tally_at_the_end_knows_how_many_checks_there_are(lessons, stem):
    checks = [c for c in lessons[stem] if "test" in c.metadata.get("tags", [])]
    said = [
        n for cell in code(lessons[stem]) for n in re.findall(r"exercises.tally\((\d+)\)", cell)
    ]
    assert said == [str(len(checks))]
    assert {"00_start_here", "01_data_loading", "01b_learning"} <= set(TALLIED)
