"""Solutions of a lesson in a report: folded in the page, left out on paper."""

import subprocess

import nbformat
import pytest
from bs4 import BeautifulSoup

from ivdlib.course import lesson_source, lesson_versions
from ivdlib.report import notebook, pages

SECRETS = ("deviation = people", "tuned equally hard", "0.0207 is right", "it is 0.0207 of")
"""Of lesson 05: code of a solution, words of a model answer, what a check and a solution print."""


def ran():
    """The lesson as `make reproduce` leaves it: solutions and checks with what they print."""
    made = lesson_versions.notebook(lesson_source.source_of("05"))
    told = {"test": "✅ 0.0207 is right\n", "solution": "it is 0.0207 of all\n"}
    for cell in made.cells:
        for tag, text in told.items():
            if cell.cell_type == "code" and tag in cell.metadata.get("tags", []):
                cell.outputs = [nbformat.v4.new_output("stream", text=text)]
    return made


@pytest.fixture(params=[False, True], ids=["plain", "code"])
def part(request):
    return notebook.body(ran(), "05_ablation_tables", lambda _: request.param)


def test_solutions_are_folded(part):
    soup = BeautifulSoup(part["html"], "html.parser")
    assert all(secret in soup.get_text() for secret in SECRETS)
    folded = soup.find_all("details", class_="solution")
    both = ["A solution", "The check of the solution"]
    assert [one.summary.get_text() for one in folded] == [*both * 3, "A model answer"]
    assert not any(one.has_attr("open") for one in folded)
    for one in folded:
        one.decompose()
    assert not any(secret in soup.get_text() for secret in SECRETS)
    assert "click" not in soup.get_text()


def test_paper_leaves_them_out_and_says_so(part, tmp_path):
    html = pages.fill("report/handin.html.j2", kind="coursework", name="A", badges=[], facts=[],
                       notes=[], results=[], lessons=[part])  # fmt: skip
    made = pages.write_report(tmp_path / "a", html)
    if made["pdf"] is None:
        pytest.skip(made["note"])
    try:
        done = subprocess.run(["pdftotext", str(made["pdf"]), "-"], capture_output=True, check=True)
    except FileNotFoundError:
        pytest.skip("poppler-utils is not installed")
    text = " ".join(done.stdout.decode().split())
    assert "Name three things" in text
    assert not any(secret in text for secret in SECRETS)
    assert text.count("A solution stands in the lesson’s notebook; on paper it is left out.") == 3
    assert text.count("A model answer stands in the lesson’s notebook; on paper it is left") == 1
    assert text.count("The check of the solution stands in the lesson’s notebook; on paper") == 3


def test_what_a_student_did_is_not_folded():
    made = ran()
    for cell in made.cells:
        if "solution" in cell.metadata.get("tags", []):  # its marks may be lost
            cell.metadata["nbgrader"] = {"solution": True}
    shown = notebook.body(made, "05", lambda _: True, fold=False)
    soup = BeautifulSoup(shown["html"], "html.parser")
    assert [one.summary.get_text() for one in soup.find_all(class_="solution")] == [
        "A model answer"
    ]
    assert soup.get_text().count("0.0207 is right") == 3


def test_a_check_that_stops_the_lesson_is_seen():
    made = ran()
    check = next(c for c in made.cells if "test" in c.metadata.get("tags", []))
    check.outputs = [
        nbformat.v4.new_output("error", ename="WrongAnswer", evalue="no", traceback=[])
    ]
    soup = BeautifulSoup(notebook.body(made, "05", lambda _: False)["html"], "html.parser")
    assert soup.find(class_="failure").find_parent("details") is None
