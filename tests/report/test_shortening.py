"""Notebooks that print too much: what is left out of a report is counted, and said in its place."""

import time

import nbformat
import pandas as pd
import pytest
from bs4 import BeautifulSoup
from hostile_report import odd_experiment
from report_folder import PNG
from small_course import ONE, Course, cells

from ivdlib import cli
from ivdlib.report import notebook as lesson
from ivdlib.report import pdf, shortening

V4 = nbformat.v4


# Not by `new_output`, which holds each against a schema: a minute for all of these.
def printed(text, name="stdout"):
    return nbformat.from_dict({"output_type": "stream", "name": name, "text": text})


def shown(**data):
    data = {k.replace("_", "/"): v for k, v in data.items()}
    return nbformat.from_dict({"output_type": "display_data", "data": data, "metadata": {}})


def code(*outputs, source="work()"):
    cell = V4.new_code_cell(source, execution_count=1)
    cell.outputs = list(outputs)
    return cell


def soup(*found, file="my copy.ipynb"):
    notebook = V4.new_notebook(metadata={shortening.FILE: file})
    notebook.cells = list(found)
    made = lesson.body(notebook, "07_x", lambda _: True)
    return BeautifulSoup(made["html"], "html.parser")


def told(page):
    return [note.get_text() for note in page.find_all("p", class_="note")]


TABLE = pd.DataFrame({"a": range(5000)})
NUMBERS = "".join(f"line {k}\n" for k in range(30_000))
LEFT = ["29,800 of 30,000 lines are left out here; all stand in my copy.ipynb."]


def test_many_lines_show_their_first_and_last():
    page = soup(code(printed(NUMBERS), printed("done\n", "stderr")))
    text = page.get_text()
    assert "line 148\n" in text and "line 29951\n" in text and "done" in text
    assert "line 200\n" not in text and "line 29900\n" not in text
    assert told(page) == ["29,801 of 30,001 lines are left out here; all stand in my copy.ipynb."]


@pytest.mark.parametrize(
    "outputs",
    [
        [printed(NUMBERS)],
        [printed(NUMBERS, "stderr")],
        [shown(text_plain=f"'{k}'") for k in range(30_000)],
        [printed("x\n", ("stdout", "stderr")[k % 2]) for k in range(30_000)],
        [shown(text_markdown="* x\n" * 30_000, text_plain="a list")],
        [shown(text_html="<table>" + "<tr><td>x</td></tr>" * 29_999 + "</table>")],
        [V4.new_output("error", ename="E", evalue="e", traceback=["frame\n" * 30_000])],
    ],
    ids=["out", "err", "plain", "mixed", "markdown", "table", "traceback"],
)
def test_whatever_they_are_is_counted(outputs):
    assert told(soup(code(*outputs))) == LEFT


def test_what_fits_is_as_it_was():
    page = soup(code(printed("x\n" * 200), shown(image_png=PNG)))
    assert told(page) == [] and page.get_text().count("x\n") == 200 and page.find("img")


def test_a_frame_keeps_its_head_and_its_size():
    page = soup(code(shown(text_html=TABLE._repr_html_() + TABLE.to_html(max_rows=None))))
    rows = [row.get_text(" ", strip=True) for row in page.find_all("tr")]
    assert len(rows) < 250 and "0 0" in rows and rows[-1] == "4999 4999"


def test_an_error_and_a_check_at_the_end_are_never_left_out():
    error = V4.new_output("error", ename="ValueError", evalue="x" * 10**7, traceback=["t"])
    page = soup(code(printed(NUMBERS), printed("✅ right\n", "stderr")), code(error))
    assert "✅ right" in page.get_text() and "ValueError" in page.get_text()
    assert "9,999,500 more letters stand in my copy.ipynb" in page.get_text()


def test_lines_of_a_whole_notebook_are_bounded():
    page = soup(*(code(printed("line\n" * 100)) for _ in range(100)))
    assert page.get_text().count("line\n") == 2000 + 80 * 4 and len(told(page)) == 80


def test_pictures_are_bounded_and_counted():
    some = [shown(image_png=PNG, text_plain="a figure") for _ in range(500)]
    page = soup(code(*some), code(shown(image_png=PNG)))
    assert len(page.find_all("img")) == 100
    assert told(page) == [
        "400 pictures are left out here; all stand in my copy.ipynb.",
        "1 picture of this cell is left out here; all stand in my copy.ipynb.",
    ]


def test_sources_are_bounded_too():
    page = soup(code(source="x = 1\n" * 900), V4.new_markdown_cell("a\n\n" * 900))
    assert "400 of 900 lines of this cell are left out here; all stand in" in page.get_text()
    assert "1,300 of 1,800 lines of this cell are left out here" in page.get_text()


@pytest.mark.parametrize(
    ("text", "seen"),
    [
        ("\r 1/3\r 2/3\r 3/3\nend\n", " 3/3\nend"),
        ("long line\rab\n", "abng line"),
        ("a\r\nb\r\n", "a\nb"),
        ("50%\r", "50%"),
        ("x|\b/\b-\b\\\b.\n", "x."),
        ("\x1b[32m1/2\x1b[0m\b\b\b\r\x1b[32m2/2\x1b[0m\n", "2/2"),
        ("\u2501 5/9\r\u2501\u2501 9/9", "\u2501\u2501 9/9"),
    ],
)
@pytest.mark.parametrize("pieces", [1, 3])
def test_a_line_shows_what_overwrote_it(text, seen, pieces):
    size = -(-len(text) // pieces)
    page = soup(code(*(printed(text[k : k + size]) for k in range(0, len(text), size))))
    (found,) = page.find_all("pre", class_="out")
    assert found.get_text().rstrip("\n") == seen


def test_progress_that_was_overwritten_is_noise_still():
    text = "\rtraining: 3/10, 59 s left\rtraining: 10/10, 0 s left \nmind this\n"
    assert soup(code(printed(text, "stderr"))).find("pre", class_="out").get_text() == "mind this\n"


def test_a_bar_of_progress_of_a_live_notebook_is_noise():
    view = {"application/vnd.jupyter.widget-view+json": {"model_id": "a"}}
    bar = shown(text_plain="phantom scans: 100%|##########| 8/8 [00:00<?, ?it/s]")
    bar.data.update(view)
    page = soup(code(bar, shown(text_plain="so 50% of 8/8 [mm]")))
    assert "phantom scans" not in page.get_text() and "50% of 8/8" in page.get_text()


def test_an_answer_is_bounded_more_closely():
    notebook = V4.new_notebook(cells=[code(printed(NUMBERS)), code(shown(image_png=PNG))])
    made = lesson.body(notebook, "07_x", lambda _: True, bounds=shortening.ANSWER)
    assert "29,990 of 30,000 lines are left out here; all stand in 07_x.ipynb." in made["html"]
    assert "line 6\n" in made["html"] and "line 29997\n" in made["html"]


@pytest.fixture(scope="module")
def huge():
    """Text of a student's copy with much of everything."""
    found = cells()
    found[1:1] = [
        code(printed(NUMBERS)),
        code(printed("0123456789 " * 10**6)),
        code(*(shown(text_plain=f"'{k}'") for k in range(10_000))),
        code(shown(text_html=pd.DataFrame({c: range(100_000) for c in "abc"}).to_html())),
        code(printed("a warning of fifty letters, which comes again and again\n" * 900_000,
                     "stderr")),
        code(printed("".join(f"\r{k}/99999 |####    | 5 it/s" for k in range(99_999)), "stderr")),
    ]  # fmt: skip
    notebook = V4.new_notebook()
    notebook.cells = found
    return nbformat.writes(notebook)


@pytest.mark.slow
@pytest.mark.parametrize("how", ["lesson", "class", "experiment"])
def test_such_a_report_takes_seconds(how, huge, tmp_path, capsys):
    pytest.importorskip("weasyprint", exc_type=OSError)
    course, name = Course(tmp_path / "course"), ONE
    if how == "experiment":
        words, name = ["report", str(odd_experiment(tmp_path / "mine"))], "01_x"
        (tmp_path / "mine" / "notebooks").mkdir()
        (tmp_path / f"mine/notebooks/{name}.ipynb").write_text(huge, encoding="utf-8")
    elif how == "class":
        course.hand_in("ann", huge)
        words = ["report", "--class", str(course.folder), "--whole"]
    else:
        path = course.write("copies", "", ONE, huge)
        words = ["report", "--lesson", str(path), "--out", str(tmp_path / "out"), "--whole"]
    begin = time.process_time()
    assert cli.main(words) == 0
    assert time.process_time() - begin < 20
    page = next(p for p in tmp_path.rglob("*.html")).read_text(encoding="utf-8")
    assert 2 < pdf.page_count(page) < 120
    assert page.count(f"all stand in {name}.ipynb.") == 4
