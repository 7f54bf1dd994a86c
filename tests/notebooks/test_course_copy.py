"""The copy of the course in git: whole, small, offline, and made from the present sources."""

import json
import re

import nbformat
import pytest
from bindery import checks, course_copy, pages
from bs4 import BeautifulSoup

from ivdlib.report.lesson_names import lessons_in

COPY = course_copy.COPY
LESSONS = [path.stem for path in lessons_in(pages.NOTEBOOKS)]


def test_it_is_made_from_the_present_sources():
    """After a change of a lesson, the glossary or the looks of the site: make course-copy."""
    stamp = json.loads((COPY / course_copy.STAMP).read_text(encoding="utf-8"))
    now = course_copy.fingerprint()
    changed = [name for name in sorted(now | stamp) if stamp.get(name) != now.get(name)]
    assert changed == [], "the copy of the course is older than these; run: make course-copy"


def test_a_changed_source_is_noticed(tmp_path, monkeypatch):
    folder = tmp_path / "notebooks"
    (folder / "src").mkdir(parents=True)
    for name in ("src/01_a.py", "glossary.md", "HOSTED.md", "LICENSE"):
        (folder / name).write_text(name)
    monkeypatch.setattr(course_copy, "NOTEBOOKS", folder)
    monkeypatch.setattr(course_copy.front, "SITE", folder / "bindery" / "site")
    before = course_copy.fingerprint()
    (folder / "src/01_a.py").write_bytes(b"src/01_a.py")
    assert course_copy.fingerprint() == before and len(before) == 4
    (folder / "src/01_a.py").write_text("other")
    assert [n for n, value in course_copy.fingerprint().items() if value != before[n]] == [
        "src/01_a.py"
    ]


def test_it_is_small_offline_and_of_no_machine():
    assert course_copy.size(COPY) <= course_copy.LARGEST
    assert checks.remote(COPY) == checks.dead(COPY) == checks.personal(COPY) == []
    home = re.compile(r"(?<![\w.])/(?:work|root|home|Users|tmp)/\w")
    texts = [path for path in COPY.rglob("*") if path.suffix in checks.TEXTS]
    assert len(texts) > 20
    assert [p.name for p in texts if home.search(p.read_text(encoding="utf-8"))] == []


@pytest.mark.parametrize("stem", LESSONS)
def test_a_lesson_lies_there_with_its_results_twice(stem):
    page = BeautifulSoup((COPY / f"{stem}.html").read_text("utf-8"), "html.parser")
    text = (COPY / f"{stem}.md").read_text(encoding="utf-8")
    shown = [image["src"] for image in page.find_all("img", class_="figure")]
    assert shown and shown == re.findall(r"^!\[.*\]\((pictures/\S+)\)$", text, re.MULTILINE)
    assert all((COPY / source).is_file() for source in shown)
    assert all(len(image.get("alt", "")) > 10 for image in page.select("article img"))
    plain = nbformat.read(pages.NOTEBOOKS / f"{stem}.ipynb", as_version=4)
    answers = sum("solution" in cell.metadata.get("tags", []) for cell in plain.cells)
    folds = [part.summary.get_text(" ", strip=True) for part in page.find_all("details")]
    assert sum("A solution" in said for said in folds) == answers
    assert text.count("<details><summary>A solution</summary>") == answers


@pytest.mark.parametrize("name", ["README.md", *(f"{stem}.md" for stem in LESSONS)])
def test_links_of_its_markdown_lead_somewhere(name):
    text = (COPY / name).read_text(encoding="utf-8")
    text = re.sub(r"^(```+)\w*\n.*?^\1$", "", text, flags=re.MULTILINE | re.DOTALL)
    found = re.findall(r"\]\((?!https?:)([^)#\s]+)|(?:href|src)=\"([^\"#:]+)\"", text)
    assert (
        found
        and [one or other for one, other in found if not (COPY / (one or other)).exists()] == []
    )


def test_its_first_page_shows_every_lesson_with_a_picture():
    for page in ("README.md", "index.html"):
        soup = BeautifulSoup((COPY / page).read_text(encoding="utf-8"), "html.parser")
        shown = {image["src"].split("/")[1].rsplit("-", 1)[0] for image in soup.find_all("img")}
        assert set(LESSONS) <= shown
