"""A notebook with parameters."""

import textwrap
from pathlib import Path

import nbformat

PARAMETERS = """\
profile: str = "smoke"  # a = b: papermill's own inspection loses this line
seeds: int = 0
rate: float = 0.5
quick: bool = False
plain = 3
"""


def write_notebook(path: Path, *cells: str, parameters: str = PARAMETERS) -> Path:
    """A notebook of a heading, a cell of parameters and these code cells."""
    v4 = nbformat.v4
    first = v4.new_code_cell(parameters, metadata={"tags": ["parameters"]})
    code = [v4.new_code_cell(textwrap.dedent(cell)) for cell in cells]
    short_lesson = v4.new_notebook(cells=[v4.new_markdown_cell("# A small lesson"), first, *code])
    short_lesson.metadata.kernelspec = {
        "name": "python3",
        "display_name": "x",
        "language": "python",
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    nbformat.write(short_lesson, path)
    return path
