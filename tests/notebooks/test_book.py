"""The book: every lesson and every chapter of the reference, and nothing from elsewhere."""

import importlib.util
from pathlib import Path

import pytest
import scripts
from bindery import documents, executed, reference
from bs4 import BeautifulSoup

from ivdlib.report.lesson_names import lessons_in

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def book():
    return scripts.load("book")


SOLUTIONS = {"A solution", "A model answer"}


def opened(path: Path) -> BeautifulSoup:
    return BeautifulSoup(path.read_text(encoding="utf-8"), "html.parser")


@pytest.mark.long
def test_the_book_is_whole_and_its_answers_are_folded(book, tmp_path, monkeypatch, capsys):
    """That nothing is fetched and no link is dead `bind` sees itself."""
    there = all(importlib.util.find_spec(name) for name in ("sphinx", "myst_nb", "furo"))
    scripts.need(there, "the book's packages are not installed: pip install -e .[book]")
    monkeypatch.setattr(executed.chosen, "__defaults__", (tmp_path / "nowhere",))
    site = tmp_path / "site"
    assert book.main(["--out", str(site)]) == 0
    names = {path.stem for path in lessons_in(ROOT / "notebooks")}
    assert names | set(documents.PAGES.values()) <= {path.stem for path in site.glob("*.html")}
    assert {f"without results: {name} (make reproduce runs it)" for name in names} <= set(
        capsys.readouterr().out.splitlines()
    )
    lesson = opened(site / "05_ablation_tables.html")
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
    assert {a.find(class_="context").get_text(strip=True) for a in lesson.select("footer a[href]")
            if a.find(class_="context")} == {"Next", "Previous"}  # fmt: skip
    assert "CC BY 4.0" in lesson.footer.get_text()
    terms = [a["href"] for a in lesson.select('a[href^="glossary.html#term-"]')]
    places = {tag["id"] for tag in opened(site / "glossary.html").find_all(id=True)}
    assert terms and {address.partition("#")[2] for address in terms} <= places
    pages = [opened(path) for path in (site / "api").glob("*.html")]
    assert len(pages) == len(reference.API)
    text = "\n".join(page.get_text() for page in pages)
    for word in ("ivdlib.preprocessing.fusion.fuse", "Raises", ">>> dice("):
        assert word in text
    assert book._replaceable(site)  # a book may be made again


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
