"""Scripts in `notebooks` import their package `bindery` from there; so do its tests."""

import base64
import io
import sys
from pathlib import Path

import nbformat
import pytest
from PIL import Image

NOTEBOOKS = Path(__file__).resolve().parents[2] / "notebooks"
sys.path.append(str(NOTEBOOKS))  # last: `build` there must not hide the package of this name


@pytest.fixture
def picture_of():
    """Give the function that makes an output with a picture, as `plotting.show` does."""

    def make(alt: str, colour: str = "red", widget: bool = False) -> nbformat.NotebookNode:
        buffer = io.BytesIO()
        Image.new("RGBA", (30, 20), colour).save(buffer, "PNG")
        data = {"image/png": base64.b64encode(buffer.getvalue()).decode(), "text/plain": alt}
        if widget:
            data["application/vnd.jupyter.widget-view+json"] = {"model_id": "0"}
        return nbformat.v4.new_output("display_data", data, metadata={"image/png": {"alt": alt}})

    return make


HEAD = """\
# 07 · Bones: what is hard

> **You will be able to:** name a bone · count
> to two
>
> **Needs:** 01, 02 · **Study time:** about 70 minutes, 40 of them for writing
>
> **Paper:** Sect. 1 · **Data:** none

A **bias** is no **bone**, and a **bias** stays one.
"""


@pytest.fixture
def lesson(tmp_path, picture_of):
    """An executed lesson of one exercise: its path."""
    cells = [
        nbformat.v4.new_markdown_cell(HEAD),
        nbformat.v4.new_code_cell("n = 2", metadata={"tags": ["injected-parameters"]}),
        nbformat.v4.new_code_cell("x = 1", metadata={"tags": ["solution"]}),
        nbformat.v4.new_code_cell("check(x, 1)", metadata={"tags": ["test"]}),
        nbformat.v4.new_code_cell("work()", metadata={"jupyter": {"source_hidden": True}}),
        nbformat.v4.new_code_cell("more()", metadata={"tags": ["card"]}),
        nbformat.v4.new_markdown_cell("Next: [06](06_your_own_scan.ipynb)"),
    ]
    cells[3].outputs = [nbformat.v4.new_output("stream", name="stdout", text="right: 1\n")]
    table = "<style>td {}</style>\n\n<table><tr><td>7</td></tr></table>"
    cells[4].outputs = [nbformat.v4.new_output("display_data", {"text/html": table})]
    cells[5].outputs = [picture_of('a "red" field [1]'), picture_of("a slider", widget=True)]
    path = tmp_path / "07_bones.ipynb"
    nbformat.write(nbformat.v4.new_notebook(cells=cells), path)
    return path
