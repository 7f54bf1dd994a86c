"""The book: every lesson and every chapter of the reference, and nothing from elsewhere."""

import importlib.util
from pathlib import Path

import nbformat
import pytest
import scripts
from bs4 import BeautifulSoup

from ivdlib.report.lesson_names import lessons_in

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def book():
    return scripts.load("book")


SOLUTIONS = {"A solution", "A model answer"}


@pytest.mark.long
def test_the_book_is_whole_and_offline(book, tmp_path, monkeypatch):
    there = all(importlib.util.find_spec(name) for name in ("sphinx", "myst_nb", "furo"))
    scripts.need(there, "the book's packages are not installed: pip install -e .[book]")
    monkeypatch.setattr(book, "EXECUTED", tmp_path / "nowhere")
    assert book.main(["--out", str(tmp_path / "site")]) == 0
    site = tmp_path / "site"
    assert book.remote(site) == []
    names = {path.stem for path in lessons_in(ROOT / "notebooks")}
    assert names <= {path.stem for path in site.glob("*.html")}
    assert (site / "glossary.html").is_file()
    index = (site / "index.html").read_text(encoding="utf-8")
    assert 'href="glossary.html"' in index
    lesson = BeautifulSoup((site / "05_ablation_tables.html").read_text("utf-8"), "html.parser")
    secret = ("deviation = people", "tuned equally hard")  # code, and of a written answer
    assert all(words in lesson.get_text() for words in secret)
    every = lesson.find_all("details")
    folded = [part for part in every if SOLUTIONS & set(part.summary.get_text().split("\n"))]
    source = (ROOT / "notebooks/src/05_ablation_tables.py").read_text(encoding="utf-8")
    assert len(folded) == source.count("BEGIN SOLUTION") > 1  # every answer, each in a fold
    assert not any(part.has_attr("open") for part in folded)
    for part in folded:
        part.decompose()
    assert not any(words in lesson.get_text() for words in secret)
    assert book.main(["--out", str(site)]) == 0  # a book may be made again
    pages = [path.read_text(encoding="utf-8") for path in (site / "api").glob("*.html")]
    assert len(pages) == len(book.API)
    text = "\n".join(BeautifulSoup(page, "html.parser").get_text() for page in pages)
    for word in ("ivdlib.preprocessing.fusion.fuse", "Raises", ">>> dice("):
        assert word in text
    assert "without results" in (site / "index.html").read_text(encoding="utf-8")


def test_what_a_page_would_fetch_is_told(book, tmp_path):
    page = (
        '<script src="https://cdn.example.org/x.js"></script><img src="a.png"><a href="http://a">'
    )
    (tmp_path / "a.html").write_text(page)
    assert book.remote(tmp_path) == ["a.html: https://cdn.example.org/x.js"]


def test_a_folder_that_is_no_book_is_left_alone(book, tmp_path, capsys):
    mine = tmp_path / "thesis" / "chapter.tex"
    mine.parent.mkdir()
    mine.write_text("mine")
    for place in (mine.parent, mine):
        assert book.main(["--out", str(place)]) == 1
        assert f"{place} is there and is no book of ivdlib" in capsys.readouterr().err
    (mine.parent / "objects.inv").write_bytes(b"# Sphinx inventory version 2\n# Project: other\n")
    assert book.main(["--out", str(mine.parent)]) == 1
    assert mine.read_text() == "mine"


def test_what_a_check_prints_is_folded_with_the_solution(book, tmp_path):
    made = nbformat.v4.new_notebook(
        cells=[
            nbformat.v4.new_code_cell("x = 1", metadata={"tags": ["solution"]}),
            nbformat.v4.new_code_cell("check(x, 1)", metadata={"tags": ["test"]}),
            nbformat.v4.new_code_cell("work()", metadata={"jupyter": {"source_hidden": True}}),
            nbformat.v4.new_code_cell("more()"),
        ]
    )
    nbformat.write(made, tmp_path / "01_a.ipynb")
    cells = nbformat.reads(book._folded(tmp_path / "01_a.ipynb"), as_version=4).cells
    hides = [[t for t in cell.metadata.get("tags", []) if t.startswith("hide")] for cell in cells]
    assert hides == [["hide-cell"], ["hide-cell"], ["hide-input"], []]
    assert cells[1].metadata.mystnb.code_prompt_show == "The check of the solution"
