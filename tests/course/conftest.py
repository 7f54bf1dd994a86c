"""A course folder, a notebook of a student, a lesson and a checkout, all small."""

from pathlib import Path

import nbformat
import pytest
import scripts
from small_course import Course
from small_lesson import graded
from written_lesson import write_notebook

from ivdlib.course import lesson_source, lesson_versions


@pytest.fixture
def quick(monkeypatch):
    """The page is looked at here, not its PDF."""
    monkeypatch.setattr("ivdlib.report.pdf.write_pdf", lambda html, path: False)
    monkeypatch.setattr("ivdlib.report.pdf.page_count", lambda html: 0)


@pytest.fixture
def course(tmp_path):
    return Course(tmp_path / "course")


V4 = nbformat.v4


def said(text):
    return [nbformat.from_dict({"output_type": "stream", "name": "stdout", "text": text})]


def failed(sentence):
    error = {"output_type": "error", "ename": "WrongAnswer", "evalue": sentence,
             "traceback": [sentence]}  # fmt: skip
    return [nbformat.from_dict(error)]


@pytest.fixture
def notebook(tmp_path):
    """A lesson with four exercises: right, wrong, not answered, written."""
    cells = [
        V4.new_markdown_cell("# 07 · A lesson\n\nWhy."),
        V4.new_code_cell("work_of_the_lesson()", execution_count=1, outputs=said("42")),
    ]
    checks = (
        said("✅ 4 is right"),
        failed("❌ expected 4, got 5."),
        failed("❌ not answered yet."),
    )
    for k, output in enumerate(checks, start=1):
        cells += [
            V4.new_markdown_cell(f"## Exercise {k} (5 minutes)\n\nTask {k}?"),
            V4.new_code_cell(f"answer{k} = {k}", metadata=graded(f"s{k}", solution=True)),
            V4.new_code_cell("check()", execution_count=3, outputs=output,
                             metadata=graded(f"t{k}", 2)),
        ]  # fmt: skip
    cells += [
        V4.new_markdown_cell("## Exercise 4 (5 minutes)\n\nSay why."),
        V4.new_markdown_cell("Because I say so.", metadata=graded("w4", 3, solution=True)),
        V4.new_markdown_cell("## What we have done\n\nMuch."),
    ]
    path = tmp_path / "07_lesson.ipynb"
    nbformat.write(V4.new_notebook(cells=cells), path)
    return path


@pytest.fixture
def checkout(tmp_path, monkeypatch):
    """A checkout with lesson 03, its exercises answered and saved."""
    scripts.mark_checkout(tmp_path)
    place = tmp_path / "notebooks"
    (place / "src").mkdir(parents=True)
    (tmp_path / "my_lessons").mkdir()
    source = lesson_source.source_of("03")
    (place / "src" / source.name).write_text(source.read_text(encoding="utf-8"), encoding="utf-8")
    text = lesson_versions.render_lesson(source)
    (place / f"{source.stem}.ipynb").write_text(text, encoding="utf-8")
    made = lesson_versions.notebook(source, "student")
    for n, cell in enumerate(made.cells):
        if cell.metadata.get("nbgrader", {}).get("solution"):
            cell.source = f"mine = {n}  # MY ANSWER"
    made.cells.append(V4.new_code_cell("more()  # MY ANSWER"))
    nbformat.write(made, tmp_path / "my_lessons" / f"{source.stem}.ipynb")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def short_lesson(tmp_path) -> Path:
    return write_notebook(tmp_path / "01_lesson.ipynb", "print(profile, seeds, rate, quick, plain)")
