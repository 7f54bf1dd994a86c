"""Pages state their policy, go where they may, and end."""

import time

import nbformat
import pytest
from hostile_report import fitted, odd_experiment

from ivdlib.errors import ConfigError
from ivdlib.report import notebook as lesson
from ivdlib.report import pages, pdf


@pytest.mark.parametrize("markdown", ["<div>" * 3000 + "x", "# " + "<b>" * 3000 + "x"])
def test_what_is_nested_without_end_is_a_pdf_too(markdown, tmp_path):
    cells = [nbformat.v4.new_markdown_cell(markdown)]
    made = lesson.body(nbformat.v4.new_notebook(cells=cells), "07_x", bool)
    page = pages.fill("report/handin.html.j2", kind="coursework", name="A", badges=[], facts=[],
                       notes=[], results=[], lessons=[made])  # fmt: skip
    assert pages.write_report(tmp_path / "a", page)["html"].is_file() and "x" in made["html"]


def test_every_template_of_a_page_states_the_policy():
    for path in pages.TEMPLATES.rglob("*.j2"):
        text = path.read_text(encoding="utf-8")
        if "<head>" in text:
            assert text.partition("<head>\n")[2].startswith('{% include "head.html.j2" %}'), path
    head = (pages.TEMPLATES / "head.html.j2").read_text(encoding="utf-8")
    assert head.index("Content-Security-Policy") < head.index("viewport")


def test_a_report_goes_into_no_folder_of_its_name(tmp_path):
    folder = odd_experiment(tmp_path / "mine")
    with pytest.raises(ConfigError, match="is a folder; name a file in it"):
        pages.write_report(folder, "<p>")


@pytest.mark.parametrize("sign", ["> ", "- "])
def test_what_is_indented_without_end_is_a_pdf_soon(sign, tmp_path):
    made = fitted(f"# A\n\n{sign * 5000}x")
    page = pages.fill("report/handin.html.j2", kind="coursework", name="A", badges=[], facts=[],
                       notes=[], results=[], lessons=[{"id": "a", "html": str(made)}])  # fmt: skip
    begun = time.process_time()
    pdf.write_pdf(page, tmp_path / "a.pdf")
    assert time.process_time() - begun < 5
