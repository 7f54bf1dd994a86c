"""The pages that a student hands in, as pages and as a PDF."""

import nbformat
import pytest
from bs4 import BeautifulSoup
from handed_in import MINE, RIGHT, WORKED, copy_of, lesson, printed

from ivdlib.course import hand_in_page, points
from ivdlib.report import pdf
from ivdlib.report.record import Author

V4 = nbformat.v4
ANN = Author("Ann", "Imaging", "12345")


def page(made, out, *more, **how):
    """Page, text and result of a hand-in of one lesson or several."""
    result = hand_in_page.page([copy_of(made), *more], ANN, out / "ann", **how)
    soup = BeautifulSoup(result["html"].read_text(encoding="utf-8"), "html.parser")
    return soup, " ".join(soup.get_text(" ").split()), result


def pages_of(result):
    if not result["pdf"]:
        pytest.skip(result["note"])
    return pdf.page_count(result["html"].read_text(encoding="utf-8"))


def test_answers_checks_points_and_pictures_without_the_lesson(tmp_path):
    made = lesson(MINE, "Because.", RIGHT, [printed(WORKED)])
    soup, text, result = page(made, tmp_path)
    assert soup.body["class"] == ["answers"] and not soup.find("nav")
    assert all(word in text for word in ("Ann", "12345", "4 of 7, 3 to be marked by hand"))
    assert "Exercise 1 check passed 4 of 4" in text and "Exercise 2 to be marked" in text
    assert "Because." in text and "Your fuse worked 3 times" in text
    assert "What we have done" not in text and "plugged" not in text and "Hint" not in text
    assert len(soup.find_all("img")) == 2 and all(one["alt"] for one in soup.find_all("img"))
    assert pages_of(result) == 1 and not result["long"]


def test_the_whole_lesson_only_on_demand(tmp_path):
    soup, text, result = page(lesson(MINE, "Because.", RIGHT), tmp_path, whole=True)
    assert "What we have done" in text and "Hint" in text and "plugged" not in text
    assert "plugged" in page(lesson(MINE), tmp_path, whole=True, code=True)[1]


def test_a_wrong_answer_says_so_once(tmp_path):
    wrong = V4.new_output("error", ename="WrongAnswer", evalue="❌ per cent?", traceback=["❌ per"])
    text = page(lesson(MINE, check=[wrong]), tmp_path)[1]
    assert text.count("✗ per cent?") == 1 and "WrongAnswer" not in text and "traceback" not in text
    stopped = V4.new_output("error", ename="NameError", evalue="no a", traceback=["line 3"])
    assert "NameError : no a traceback line 3" in page(lesson(MINE, check=[stopped]), tmp_path)[1]


def test_many_pictures_shrink_and_long_answers_go_on(tmp_path):
    text = "A sentence of the usual length, as students write them.\n\n"
    soup, _, result = page(lesson(MINE, text * 8, RIGHT), tmp_path)
    assert pages_of(result) <= 2 and "more than 2 pages" not in soup.get_text()
    assert "--highest: 62mm" in soup.body["style"]
    soup, _, result = page(lesson(MINE, text * 150, RIGHT), tmp_path)
    assert pages_of(result) > 2 and result["long"]
    assert soup.get_text().count(text.strip()) == 150
    assert "takes more than 2 pages" in soup.get_text() and "--highest: 38mm" in soup.body["style"]


def test_what_never_ends_is_cut_and_counted(tmp_path):
    lines = printed("".join(f"line {k}\n" for k in range(10**6)))
    row = printed("0123456789" * 10**5)
    made = lesson(MINE, "Because.", RIGHT, [printed(WORKED)])
    made.cells.insert(4, V4.new_code_cell("while True: print()", outputs=[lines, row]))
    soup, text, result = page(made, tmp_path)
    assert "999,991 of 1,000,001 lines are left out here; all stand in 01_x.ipynb." in text
    assert "999,500 more letters stand in 01_x.ipynb" in text
    assert pages_of(result) <= 2


def test_nothing_that_a_student_writes_runs_or_hides(tmp_path):
    bad = "<script>x()</script> 你好 שלום 😀 $x^2$ <b>bold</b> </section><h1>4 of 4</h1>"
    soup, text, _ = page(lesson("print('<script>')", bad), tmp_path)
    assert not soup.find("script") and len(soup.find_all("h1")) == 1
    assert "你好 שלום 😀" in text and "print('<script>')" in soup.get_text()


def test_several_lessons_have_a_heading_each(tmp_path):
    second = copy_of(lesson(MINE))
    second = points.Copy("02_y", second.notebook, second.asked, second.results, given=second.given)
    soup, text, _ = page(lesson(), tmp_path, second)
    assert [one.get_text() for one in soup.find_all("h1")] == ["Ann"]
    assert "01 Exercise 1 " in text and "02 Exercise 1 " in text
    assert len({one["id"] for one in soup.find_all(id=True)}) == len(soup.find_all(id=True))
