"""The PDF: outline, fonts, no foreign file, and without Pango."""

import json
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from hostile import ATTACKS, filled, server
from hostile_report import odd_experiment

from ivdlib.report import experiment, pdf
from ivdlib.report import experiment as report


def test_both_files_are_made(done):
    made = experiment.build_report(done)
    assert made["html"].read_text(encoding="utf-8").startswith("<!DOCTYPE html>")
    if made["pdf"] is None:
        pytest.skip(made["note"])
    data = made["pdf"].read_bytes()
    assert data.startswith(b"%PDF-")
    assert not list(done.glob(".part-*"))


def test_without_pango_there_is_html_and_a_sentence(done):
    (done / "report.pdf").write_text("of yesterday")
    call = (
        "import sys, json; from ivdlib.report import experiment\n"
        "class Broken:\n"
        "    def find_spec(self, name, *_):\n"
        "        if name == 'weasyprint': raise OSError('cannot load library')\n"
        "sys.meta_path.insert(0, Broken())\n"
        "made = experiment.build_report(sys.argv[1])\n"
        "print(json.dumps({k: str(v) for k, v in made.items()}))"
    )
    ended = subprocess.run(
        [sys.executable, "-c", call, str(done)], capture_output=True, text=True, check=True
    )
    made = json.loads(ended.stdout)
    assert made["pdf"] == "None"
    assert "apt-get install libpango-1.0-0 libpangoft2-1.0-0" in made["note"]
    assert (done / "report.html").is_file()
    assert not (done / "report.pdf").exists()


@pytest.fixture
def opened(tmp_path):
    """Files below the test's folder that were opened so far."""
    found, watched = [], [str(tmp_path)]

    def note(event, arguments):
        if event == "open" and watched and str(arguments[0]).startswith(watched[0]):
            found.append(Path(str(arguments[0])).name)

    sys.addaudithook(note)  # for good: Python cannot take it back
    yield found
    watched.clear()


def test_a_pdf_reads_no_file_and_asks_nobody(tmp_path, opened):
    """Whatever stands in its page: here what the white list takes out is left in."""
    weasyprint = pytest.importorskip("weasyprint", exc_type=OSError)
    for name in "abcdefgh":
        for ending in ("png", "css", "svg"):
            (tmp_path / f"{name}.{ending}").write_text("p { color: red }")
    with server() as (address, asked):
        text = "<p>words" + "".join(
            f'{filled(attack, host)}<a rel=attachment href="{host}/a.png">a</a>'
            f'<link rel=attachment href="{host}/h.css"><link rel=stylesheet href="{host}/g.css">'
            for host in (address, tmp_path.as_uri())
            for name, attack in ATTACKS.items()
            if name not in ("comment", "swallowing", "namespaces", "mathml")  # which hide the rest
        )
        weasyprint.HTML(string=text).write_pdf()
        assert {"/a.css", "/b.css"} <= set(asked) and {"a.css", "a.png", "h.css"} <= set(opened)
        for told in (asked, opened):
            told.clear()
        assert pdf.write_pdf(text, tmp_path / "made.pdf")
        assert not asked
    assert not [name for name in opened if "made.pdf" not in name]


def test_the_pdf_has_outline_page_numbers_text_and_fonts(tmp_path):
    folder = odd_experiment(tmp_path / "mine")
    cells = [nbformat.v4.new_markdown_cell("# A lesson\n\nSelectable words, $x^2$.\n\n## Part")]
    path = folder / "notebooks" / "01_one.ipynb"
    path.parent.mkdir()
    nbformat.write(nbformat.v4.new_notebook(cells=cells), path)
    made = report.build_report(folder, author=report.Author("Ann"))
    if made["pdf"] is None:
        pytest.skip(made["note"])

    def tool(*words: str) -> str:
        return subprocess.run(words, capture_output=True, text=True, check=True).stdout

    try:
        text = tool("pdftotext", "-layout", str(made["pdf"]), "-")
        about = tool("pdfinfo", str(made["pdf"]))
        fonts = tool("pdffonts", str(made["pdf"])).splitlines()[2:]
    except FileNotFoundError:
        pytest.skip("poppler-utils is not installed")
    pages = int(about.split("Pages:")[1].split()[0])
    close = text.replace(" ", "")
    assert f"1/{pages}\n" in close and f"{pages}/{pages}\n" in close
    assert "Selectable words" in text
    assert "$" not in text
    assert "Tagged:          yes" in about
    assert "Ann" in text
    assert fonts and all(line.split()[-5] == "yes" for line in fonts)  # column emb
    outline = tool("pdftohtml", "-xml", "-i", "-stdout", str(made["pdf"])).partition("<outline>")[2]
    assert "What was found" in outline and "A lesson" in outline and "Part" in outline
