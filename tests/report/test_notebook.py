"""A notebook becomes a page, whatever it holds."""

import io
import re

import nbformat
import numpy as np
import pytest
from bs4 import BeautifulSoup
from hostile_report import fitted

from ivdlib.errors import DataError
from ivdlib.report import notebook as lesson


def test_a_blank_line_that_was_printed_first_stays():
    cell = nbformat.v4.new_code_cell(outputs=[nbformat.v4.new_output("stream", text="\n\n a\n")])
    made = lesson.body(nbformat.v4.new_notebook(cells=[cell]), "07_x", lambda _: True)
    assert BeautifulSoup(made["html"], "html.parser").pre.get_text() == "\n\n a\n"


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


def test_no_level_of_headings_is_left_out():
    soup = fitted("# One\n\n##### Five\n\n# One again\n\n## Two")
    assert [tag.name for tag in soup.find_all(["h2", "h3", "h4", "h5", "h6"])] == [
        *("h2", "h3", "h3", "h3"),
    ]


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
