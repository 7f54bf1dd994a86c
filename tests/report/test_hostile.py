"""Whatever stands in names, notebooks and tables: a sound document, or one clear sentence."""

import base64
import io
import json
import re
import subprocess
import sys
import time
from pathlib import Path
from xml.etree import ElementTree

import nbformat
import numpy as np
import pandas as pd
import pytest
import tinyhtml5
from bs4 import BeautifulSoup
from hostile import ATTACKS, filled, notebook, server
from PIL import Image

from ivdlib import cli, files
from ivdlib.errors import ConfigError, DataError
from ivdlib.evaluation import scores, tables
from ivdlib.report import edits, harmless, pages, pdf
from ivdlib.report import experiment as report
from ivdlib.report import notebook as lesson
from ivdlib.report.headings import LABEL

PNG = (
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5E"
    "rkJggg=="
)
SCRIPT = "<script>alert(1)</script>"
EVIL = """\
# Title {script}

<style>body {{ display: none }} @import url(https://example.org/x.css);</style>
<p style="background: url(https://example.org/a.png)">kept</p>
<p style="color: green">green</p>
<img src="https://example.org/x.png" srcset="https://example.org/y.png 2x" alt="a picture">
<img src="data:text/html;base64,AAAA" alt="no picture">
<a href="javascript:alert(1)" onclick="alert(1)">link</a> <a href="java\tscript:alert(1)">tab</a>
<svg><a xlink:href="file:///etc/passwd"><text>svg</text></a></svg>
<meta http-equiv="refresh" content="0; url=https://example.org">
<video src="https://example.org/v.mp4"></video> <iframe srcdoc="x"></iframe>

##### A deep heading

[page](https://example.org/) and ![remote](https://example.org/z.png)
"""


def experiment(folder, rows=1, case="01"):
    record = {
        "name": "mine", "config": {"profile": {"name": "test"}, "folds": []},
        "cases": {case: {"subject": "1"}}, "made": "2026-01-02T03:04:05+00:00",
    }  # fmt: skip
    files.write_json(folder / "record.json", record)
    row = {"network": "fds_cnn", "trained_on": "contrasts+fused", "seed": 0, "fold": 1,
           "case": case, "subject": "1", "target": "disc", "scope": "volume", "level": "",
           "dice": 0.5}  # fmt: skip
    metrics = pd.DataFrame([{**row, "contrast": c} for c in ("wat", "fat", "inn", "opp")])
    files.write_csv(folder / "metrics.csv", metrics)
    tables.write(metrics, folder / "tables", "a label", set())
    if rows > 1:
        wide = pd.DataFrame({"network": [f"n{k}" for k in range(rows)], "source": "ours"})
        for column in ("wat", "Mean"):
            wide[column] = np.linspace(0, 1, rows)
        files.write_csv(folder / "tables" / "table1.csv", wide.assign(scans=1))
    return folder


def fitted(markdown: str) -> BeautifulSoup:
    cells = [nbformat.v4.new_markdown_cell(markdown)]
    made = lesson.body(nbformat.v4.new_notebook(cells=cells), "01_evil", lambda _: True)
    return BeautifulSoup(made["html"], "html.parser")


def test_a_notebook_brings_nothing_that_runs_or_fetches():
    soup = fitted(EVIL.format(script=SCRIPT))
    names = ["script", "style", "meta", "video", "iframe", "link", "object", "form"]
    assert soup.find_all(names) == []
    for tag in soup.find_all(True):
        assert not [name for name in tag.attrs if name.startswith("on") or name == "srcset"]
        assert "url" not in tag.attrs.get("style", "")
        assert tag.attrs.get("src", "data:image/").startswith("data:image/")
    links = [tag.attrs.get("href") for tag in soup.find_all("a")]
    assert links == [None, None, "https://example.org/"]
    text = soup.get_text()
    assert all(word in text for word in ("kept", "a picture", "no picture", "remote"))
    assert soup.find("p", style="color:green")


@pytest.mark.parametrize("attack", ATTACKS)
def test_of_an_attack_only_what_is_on_the_white_list_is_left(attack):
    made = lesson.body(notebook(filled(ATTACKS[attack], "http://h")), "07_x", lambda _: True)
    allowed = harmless.ATTRIBUTES
    for tag in tinyhtml5.parse(made["html"], namespace_html_elements=False).find("body").iter():
        assert tag.tag in {*harmless.TAGS, "body"}
        own = {"disabled", "type"} if tag.tag == "input" else set(tag.attrib) & {LABEL}
        assert set(tag.attrib) <= allowed["*"] | allowed.get(tag.tag, set()) | own
        assert tag.get("src", "data:image/").startswith("data:image/")
        assert re.match("#|http://h|mailto:", tag.get("href", "#"))
        assert not re.search("url|position|margin|transform", tag.get("style", ""))


@pytest.mark.parametrize(
    ("markdown", "selector"),
    [
        ("- [x] done", "li input[type=checkbox][checked][disabled]"),
        ('<input type="password">', "input[type=checkbox]"),
        ("<details><summary>a</summary>\n\nb</details>", "details summary"),
        ('<table border="1"><tr><td colspan="2" style="text-align: right">a</table>',
         'td[colspan="2"][style="text-align:right"]'),
        ('<p style="color: red; position: fixed">a', 'p[style="color:red"]'),
        ('<font color="red">a</font>', 'font[color="red"]'),
        ('<a name="b"></a> [a](#b)', 'a[href="#b"]'),
        ("<sup id='fn1'>1</sup>", "sup#fn1"),
        ("<ol start='3'><li>a</ol>", 'ol[start="3"]'),
        (f'<img src="data:image/png;base64,{PNG}" width="9" alt="a">', 'img[width="9"][alt="a"]'),
        ('<svg width="9" height="9" viewBox="0 0 9 9"><title>A &lt; B&nbsp;c</title></svg>',
         'img[src^="data:image/svg+xml"][alt="A < B c"]'),
        ('<math><msup><mi>x</mi><mn>2</mn></msup></math>', 'img.formula[alt="x 2"]'),
        ("a $x^2$ b", 'img.formula[alt="x^2"]'),
    ],
)  # fmt: skip
def test_what_does_no_harm_is_kept(markdown, selector):
    (found,) = fitted(f"# A lesson\n\n{markdown}").select(selector)
    assert found.name in harmless.TAGS


def test_an_inline_drawing_is_an_image_that_stands_on_its_own():
    soup = fitted(
        '<svg viewBox="0 0 9 9"><use xlink:href="#a"/>&eacute;</svg> <svg>broken</p></svg>'
    )
    (image,) = soup.find_all("img")
    drawn = ElementTree.fromstring(base64.b64decode(image["src"].split(",")[1]))
    assert drawn.tag == "{http://www.w3.org/2000/svg}svg" and drawn.get("viewBox") == "0 0 9 9"
    assert drawn[0].get("{http://www.w3.org/1999/xlink}href") == "#a" and drawn[0].tail == "é"
    assert "(picture)" in soup.get_text() and "broken" not in soup.get_text()


def test_a_blank_line_that_was_printed_first_stays():
    cell = nbformat.v4.new_code_cell(outputs=[nbformat.v4.new_output("stream", text="\n\n a\n")])
    made = lesson.body(nbformat.v4.new_notebook(cells=[cell]), "07_x", lambda _: True)
    assert BeautifulSoup(made["html"], "html.parser").pre.get_text() == "\n\n a\n"


@pytest.mark.parametrize("markdown", ["<div>" * 3000 + "x", "# " + "<b>" * 3000 + "x"])
def test_what_is_nested_without_end_is_a_pdf_too(markdown, tmp_path):
    cells = [nbformat.v4.new_markdown_cell(markdown)]
    made = lesson.body(nbformat.v4.new_notebook(cells=cells), "07_x", bool)
    page = pages.fill("report/handin.html.j2", kind="coursework", name="A", badges=[], facts=[],
                       notes=[], results=[], lessons=[made])  # fmt: skip
    assert pages.write_report(tmp_path / "a", page)["html"].is_file() and "x" in made["html"]


@pytest.mark.parametrize("text", ["<svg>" * 50_000, "</svg " * 50_000])
def test_what_is_never_closed_takes_no_time(text):
    begun = time.process_time()
    fitted(text)
    assert time.process_time() - begun < 20


@pytest.mark.parametrize(
    "change",
    [
        lambda cell: cell.metadata.update(tags=5),
        lambda cell: cell.outputs[0].update(metadata="x"),
        lambda cell: cell.outputs[0].data.update({"text/html": None}),
        lambda cell: cell.outputs[0].update(data={"application/vnd.jupyter.widget-view+json": "x"}),
    ],
)
def test_what_no_notebook_should_hold_is_one_sentence(change):
    out = nbformat.v4.new_output("display_data", data={"text/html": "a"})
    made = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(outputs=[out])])
    change(made.cells[0])
    with pytest.raises(DataError, match=r"^the notebook 07_x cannot be shown \(.*again\.$"):
        lesson.body(made, "07_x", lambda _: True)


def test_half_a_sign_is_replaced():
    assert re.search("a .+ b", fitted("# A\n\na \ud800 b").p.get_text())


def test_the_name_of_a_file_is_text():
    made = lesson.body(nbformat.v4.new_notebook(), '07_"><img src=x onerror=alert(1)>', bool)
    soup = BeautifulSoup(made["html"], "html.parser")
    assert not soup.find("img") and "<img src=x" in soup.h2.get_text()


def test_every_template_of_a_page_states_the_policy():
    for path in pages.TEMPLATES.rglob("*.j2"):
        text = path.read_text(encoding="utf-8")
        if "<head>" in text:
            assert text.partition("<head>\n")[2].startswith('{% include "head.html.j2" %}'), path
    head = (pages.TEMPLATES / "head.html.j2").read_text(encoding="utf-8")
    assert head.index("Content-Security-Policy") < head.index("viewport")


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
        assert pdf.write(text, tmp_path / "made.pdf")
        assert not asked
    assert not [name for name in opened if "made.pdf" not in name]


def test_no_level_of_headings_is_left_out():
    soup = fitted("# One\n\n##### Five\n\n# One again\n\n## Two")
    assert [tag.name for tag in soup.find_all(["h2", "h3", "h4", "h5", "h6"])] == [
        *("h2", "h3", "h3", "h3"),
    ]


def test_a_case_and_an_author_with_odd_names(tmp_path):
    folder = experiment(tmp_path / "mine", case=SCRIPT)
    who = report.Author(f'Zoë "O\'Neil" 🦴 {SCRIPT}', "A & B", "<1>")
    page = BeautifulSoup(report.render(folder, author=who), "html.parser")
    assert page.find("script") is None
    head = page.header.get_text(" ")
    assert f'Zoë "O\'Neil" 🦴 {SCRIPT}' in head
    assert "A & B" in head and "<1>" in head
    assert SCRIPT in page.find(id="summary").parent.get_text()


def test_empty_fields_of_an_author_are_left_out(tmp_path):
    folder = experiment(tmp_path / "mine")
    head = BeautifulSoup(report.render(folder, author=report.Author(" ", "B")), "html.parser")
    assert "Author" not in head.header.get_text()
    assert "Course" in head.header.get_text()


def test_a_long_table_is_cut_and_says_so(tmp_path):
    folder = experiment(tmp_path / "mine", rows=500)
    page = BeautifulSoup(report.render(folder), "html.parser")
    table = page.find("table", class_="scores")
    assert len(table.tbody.find_all("tr")) == 60
    assert "440 more rows stand in table1.csv." in page.get_text()


@pytest.mark.parametrize("text", ["", "network,source\n", "\0\0", "a,b\n1,2,3,4\n"])
def test_a_broken_table_is_one_sentence(tmp_path, text):
    folder = experiment(tmp_path / "mine")
    (folder / "tables" / "table1.csv").write_text(text)
    try:
        page = report.render(folder)
    except DataError as error:
        assert str(error).count("\n") == 0
        assert "table1.csv" in str(error)
    else:
        assert "<!DOCTYPE html>" in page


def test_broken_scores_are_one_sentence(tmp_path):
    folder = experiment(tmp_path / "mine")
    (folder / "metrics.csv").unlink()
    place = folder / "trainings" / "abc" / scores.METRICS
    place.parent.mkdir(parents=True)
    place.write_bytes(b"\x1f\x8b\x08\x00broken")
    with pytest.raises(DataError, match="the scores in .* cannot be read"):
        report.render(folder)


@pytest.mark.parametrize("text", ["", "{", "[]", '{"cells": 3}'])
def test_a_broken_notebook_is_one_sentence(tmp_path, text):
    folder = experiment(tmp_path / "mine")
    path = folder / "notebooks" / "01_one.ipynb"
    path.parent.mkdir()
    path.write_text(text)
    with pytest.raises(DataError, match=r"01_one\.ipynb is no notebook that can be read"):
        report.render(folder)


def test_the_pdf_has_outline_page_numbers_text_and_fonts(tmp_path):
    folder = experiment(tmp_path / "mine")
    cells = [nbformat.v4.new_markdown_cell("# A lesson\n\nSelectable words, $x^2$.\n\n## Part")]
    path = folder / "notebooks" / "01_one.ipynb"
    path.parent.mkdir()
    nbformat.write(nbformat.v4.new_notebook(cells=cells), path)
    made = report.build(folder, author=report.Author("Ann"))
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
    assert "Summary" in outline and "A lesson" in outline and "Part" in outline


@pytest.mark.parametrize(
    "text",
    ["[1, 2]", "{}", '{"made": 3, "config": {}, "cases": {}}',
     '{"made": "2026-01-02T03:04:05+00:00", "config": {}, "cases": null}'],
)  # fmt: skip
def test_an_odd_record_is_one_sentence(tmp_path, text):
    folder = experiment(tmp_path / "mine")
    (folder / "record.json").write_text(text)
    with pytest.raises(DataError, match=r"record\.json is no record of an experiment"):
        report.render(folder)


def test_scores_that_lack_columns_are_one_sentence(tmp_path):
    folder = experiment(tmp_path / "mine")
    (folder / "metrics.csv").write_text("network,seed\nfds_cnn,0\n")
    with pytest.raises(DataError, match="lack case, contrast, dice"):
        report.render(folder)


def test_a_report_goes_into_no_folder_of_its_name(tmp_path):
    folder = experiment(tmp_path / "mine")
    with pytest.raises(ConfigError, match="is a folder; name a file in it"):
        pages.write_report(folder, "<p>")


def test_a_very_long_author(tmp_path):
    folder = experiment(tmp_path / "mine")
    assert "Ab " * 999 in report.render(folder, author=report.Author("Ab " * 1000))
    made = report.build(folder, author=report.Author("Ab " * 100))
    assert made["html"].stat().st_size > 3000


@pytest.mark.parametrize(
    ("part", "value"),
    [("cells", None), ("cells", [3]), ("metadata", []), ("source", {"a": 1}), ("cell_type", "x"),
     ("cell_type", None), ("outputs", [3]), ("outputs", [{}]), ("execution_count", "x"),
     ("metadata of a cell", 3), ("tags", "x"), ("points", "x"), ("points", None),
     ("data", {"text/html": 5})],
)  # fmt: skip
def test_a_notebook_with_odd_parts_is_one_sentence(tmp_path, part, value):
    marks = {"grade": True, "solution": False, "grade_id": "a", "points": 1}
    output = {"output_type": "display_data", "data": {"text/plain": "x"}, "metadata": {}}
    cell = {"cell_type": "code", "source": "1", "outputs": [output], "execution_count": 1,
            "metadata": {"nbgrader": marks, "tags": []}}  # fmt: skip
    book = {"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": [cell]}
    path = tmp_path / "03_x.ipynb"
    path.write_text(json.dumps(book))
    assert len(edits.opened(path).cells) == 1  # without ids, as older ones are
    places = {"cells": book, "metadata": book, "points": marks, "tags": cell["metadata"],
              "data": output, "metadata of a cell": cell}  # fmt: skip
    places.get(part, cell)[part.removesuffix(" of a cell")] = value
    path.write_text(json.dumps(book))
    assert edits.read(path) is None
    with pytest.raises(DataError, match="no notebook that can be read .*; open it"):
        lesson.read(path)
    path.write_text('{"cells":' * 100_000)
    with pytest.raises(DataError, match="no notebook that can be read"):
        lesson.read(path)


LEVELS = "".join(f'<g id="a{k}">' + f'<use href="#a{k - 1}"/>' * 10 + "</g>" for k in range(1, 20))
BOMBS = {
    "levels": f'<rect id="a0"/>{LEVELS}<use href="#a19"/>',
    "flat": '<g id="a">' + "<path/>" * 200 + "</g>" + '<use href="#a"/>' * 200,
    "itself": '<g id="a"><use href="#a"/></g>',
    "pattern": '<pattern id="a"/><rect fill="url(#a)"/>',
    "clips": '<clipPath id="a"><rect clip-path="url(#b)"/></clipPath>',
    "elsewhere": '<use href="data:image/svg+xml,x#a"/>',
}


@pytest.mark.parametrize("bomb", BOMBS)
@pytest.mark.parametrize("kind", ["inline", "image"])
def test_a_drawing_that_takes_no_end_is_left_out(bomb, kind):
    svg = f'<svg xmlns="http://www.w3.org/2000/svg">{BOMBS[bomb]}</svg>'
    source = base64.b64encode(svg.encode()).decode()
    shown = (
        svg
        if kind == "inline"
        else f'<img src="data:image/svg+xml;base64,{source}" alt="(picture)">'
    )
    soup = fitted(f"# A\n\nx {shown} y")
    assert not soup.find("img") and "x (picture) y" in soup.get_text()


def test_a_drawing_of_matplotlib_stays():
    from matplotlib.figure import Figure

    axes = Figure().add_subplot()
    axes.plot(range(50), "o", label="words")
    axes.imshow(np.eye(9))
    axes.legend()
    axes.figure.savefig(buffer := io.BytesIO(), format="svg")
    out = nbformat.v4.new_output("display_data", {"image/svg+xml": buffer.getvalue().decode()})
    made = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(outputs=[out])])
    assert "data:image/svg+xml" in lesson.body(made, "07_x", bool)["html"]


@pytest.mark.parametrize(("side", "many", "kept"), [(6000, 1, 0), (4900, 12, 10), (900, 9, 9)])
def test_pixels_of_pictures_are_bounded(side, many, kept):
    Image.new("1", (side, side)).save(buffer := io.BytesIO(), "PNG")
    tag = f'<img src="data:image/png;base64,{base64.b64encode(buffer.getvalue()).decode()}">'
    assert len(fitted(f"# A\n\n{tag * many}").find_all("img")) == kept


@pytest.mark.parametrize("sign", ["> ", "- "])
def test_what_is_indented_without_end_is_a_pdf_soon(sign, tmp_path):
    made = fitted(f"# A\n\n{sign * 5000}x")
    page = pages.fill("report/handin.html.j2", kind="coursework", name="A", badges=[], facts=[],
                       notes=[], results=[], lessons=[{"id": "a", "html": str(made)}])  # fmt: skip
    begun = time.process_time()
    pdf.write(page, tmp_path / "a.pdf")
    assert time.process_time() - begun < 5


@pytest.mark.parametrize("formula", ["$x$ ", "<math><mi>x</mi></math> "])
def test_formulas_are_bounded_and_the_page_says_so_once(formula, monkeypatch):
    monkeypatch.setattr("ivdlib.report.formulas.MOST", 5)
    soup = fitted("# A\n\n" + formula * 9)
    assert len(soup.select("img.formula")) == 5 and len(soup.find_all("code")) == 4
    assert soup.get_text().count("From here on formulas stand as code") == 1


def test_an_equation_that_is_never_closed_takes_no_time():
    begun = time.process_time()
    fitted("# A\n\n" + r"\begin{equation} x " * 2000)
    assert time.process_time() - begun < 2


def test_classes_of_the_page_are_its_own():
    names = "badge facts title failure note points formula long out messages code"
    soup = fitted(f'# <img class="formula" src="data:image/png;base64,{PNG}"> A\n\n'
                  f'<p class="{names} jp-A ansi-red ours-note">x</p>')  # fmt: skip
    assert soup.p["class"] == ["jp-A", "ansi-red"] and not soup.select(".formula")
    assert harmless.OURS not in str(soup)


@pytest.mark.parametrize(
    "text", ["<script>never closed, words", "a<svg b words", "<style>words", "<!-- words",
             "<script>a</script> <script>words", "<object><video>words"],
)  # fmt: skip
def test_what_is_never_closed_swallows_no_words(text):
    assert "words" in BeautifulSoup(harmless.clean(text), "html.parser").get_text()


@pytest.mark.parametrize(
    ("words", "option"),
    [(["--class", "x", "--out", "y"], "--out does nothing with --class"),
     (["--class", "x", "--author", "y"], "--author does nothing with --class"),
     (["--lesson", "1", "--reports", "y"], "--reports does nothing with --lesson"),
     (["--lesson", "1", "--blank", "--code"], "--code does nothing with --blank"),
     (["--compare", "a", "b", "--code"], "--code does nothing with --compare")],
)  # fmt: skip
def test_options_that_do_nothing_are_refused(words, option, capsys):
    assert cli.main(["report", *words]) != 0
    assert option in capsys.readouterr().err
