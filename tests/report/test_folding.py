"""Solutions of a lesson in a report: folded in the page, left out on paper."""

import subprocess

import pytest
from bs4 import BeautifulSoup

from ivdlib import lesson_source, lesson_versions, report
from ivdlib.report import lesson

SECRETS = ("deviation = people", "tuned equally hard")
"""Of lesson 05: code of a solution, words of a model answer."""


@pytest.fixture(params=[False, True], ids=["plain", "code"])
def part(request):
    made = lesson_versions.notebook(lesson_source.source_of("05"))
    return lesson.body(made, "05_ablation_tables", lambda _: request.param)


def test_solutions_are_folded(part):
    soup = BeautifulSoup(part["html"], "html.parser")
    assert all(secret in soup.get_text() for secret in SECRETS)
    folded = soup.find_all("details", class_="solution")
    assert [one.summary.get_text() for one in folded] == ["A solution"] * 2 + ["A model answer"]
    assert not any(one.has_attr("open") for one in folded)
    for one in folded:
        one.decompose()
    assert not any(secret in soup.get_text() for secret in SECRETS)
    assert "click" not in soup.get_text()


def test_paper_leaves_them_out_and_says_so(part, tmp_path):
    html = report.fill("report/handin.html.j2", kind="coursework", name="A", badges=[], facts=[],
                       notes=[], results=[], lessons=[part])  # fmt: skip
    made = report.write(tmp_path / "a", html)
    if made["pdf"] is None:
        pytest.skip(made["note"])
    try:
        done = subprocess.run(["pdftotext", str(made["pdf"]), "-"], capture_output=True, check=True)
    except FileNotFoundError:
        pytest.skip("poppler-utils is not installed")
    text = " ".join(done.stdout.decode().split())
    assert "Name three things" in text
    assert not any(secret in text for secret in SECRETS)
    assert text.count("A solution stands in the lesson’s notebook; on paper it is left out.") == 2
    assert text.count("A model answer stands in the lesson’s notebook; on paper it is left") == 1
