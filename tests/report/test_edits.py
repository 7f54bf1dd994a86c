"""Notebooks with odd parts."""

import json

import pytest

from ivdlib.errors import DataError
from ivdlib.report import edits
from ivdlib.report import notebook as lesson


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
    assert edits.read_or_none(path) is None
    with pytest.raises(DataError, match="no notebook that can be read .*; open it"):
        lesson.read_notebook(path)
    path.write_text('{"cells":' * 100_000)
    with pytest.raises(DataError, match="no notebook that can be read"):
        lesson.read_notebook(path)
