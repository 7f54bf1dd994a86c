"""Pages of the checkout in the book: their links lead to pages of it, or name a file in words."""

import re

import pytest
from bindery import documents
from bindery.pictures import Shelf
from PIL import Image

from ivdlib.errors import ConfigError
from ivdlib.report.lesson_names import lessons_in


@pytest.fixture
def linked(tmp_path, monkeypatch):
    """Give a function that reads a text as `docs/scans.md` of a small checkout."""
    for name in ("RESULTS.md", "docs/scans.md", "notebooks/03_fds_cnn.ipynb", "ivdlib/LICENSE"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("")
    Image.new("RGB", (30, 20)).save(tmp_path / "docs" / "spine.png")
    monkeypatch.setattr(documents, "ROOT", tmp_path)

    def read(text: str) -> str:
        return documents.linked(text, "docs/scans.md", Shelf(tmp_path / "site"))

    return read


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("see [tables](../RESULTS.md#how-good).", "see [tables](results.md#how-good)."),
        ("[lesson\n03](../notebooks/03_fds_cnn.ipynb)", "[lesson\n03](03_fds_cnn.ipynb)"),
        ("([LICENSE](../ivdlib/LICENSE))", "(`ivdlib/LICENSE`)"),
        ("[its licence](../ivdlib/LICENSE#mit)", "its licence (`ivdlib/LICENSE`)"),
        ("[`../ivdlib/LICENSE`](../ivdlib/LICENSE)", "`ivdlib/LICENSE`"),
        ("[far](https://example.org/a.md) [near](#terms)",) * 2,
    ],
)
def test_a_link_leads_to_a_page_of_the_book_or_becomes_words(linked, written, shown):
    assert linked(written) == shown


def test_a_picture_comes_along(linked, tmp_path):
    shown = linked("![a spine](spine.png)")
    assert 'src="pictures/spine.webp"' in shown and 'alt="a spine"' in shown
    assert (tmp_path / "site" / "pictures" / "spine.webp").is_file()


def test_a_link_to_nothing_is_told(linked):
    with pytest.raises(ConfigError, match=r"docs/scans\.md links to docs/gone\.md"):
        linked("[gone](gone.md)")


def test_every_page_of_docs_is_in_the_book_once():
    written = {f"docs/{path.name}" for path in (documents.ROOT / "docs").iterdir()}
    assert written <= documents.PAGES.keys()
    names = list(documents.PAGES.values())
    assert len(names) == len(set(names))


@pytest.mark.parametrize("path", documents.PAGES)
def test_what_is_left_of_its_links_leads_to_the_book(path, tmp_path):
    lessons = {lesson.name for lesson in lessons_in(documents.ROOT / "notebooks")}
    there = lessons | {f"{name}.md" for name in (documents.PAGES | documents.MADE).values()}
    found = re.findall(r"\]\((?![a-z]+:|#)([^)#]*)", documents.page(path, Shelf(tmp_path)))
    assert set(found) <= there
