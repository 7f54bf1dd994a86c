"""Whatever stands in names, notebooks and tables: a sound document, or one clear sentence."""

import pytest
from bs4 import BeautifulSoup
from hostile_report import SCRIPT, odd_experiment

from ivdlib.errors import DataError
from ivdlib.report import experiment as report


def test_a_case_and_an_author_with_odd_names(tmp_path):
    folder = odd_experiment(tmp_path / "mine", case=SCRIPT)
    who = report.Author(f'Zoë "O\'Neil" 🦴 {SCRIPT}', "A & B", "<1>")
    page = BeautifulSoup(report.render_report(folder, author=who), "html.parser")
    assert page.find("script") is None
    head = page.header.get_text(" ")
    assert f'Zoë "O\'Neil" 🦴 {SCRIPT}' in head
    assert "A & B" in head and "<1>" in head
    assert SCRIPT in page.find(id="found").parent.get_text()


@pytest.mark.parametrize("text", ["", "{", "[]", '{"cells": 3}'])
def test_a_broken_notebook_is_one_sentence(tmp_path, text):
    folder = odd_experiment(tmp_path / "mine")
    path = folder / "notebooks" / "01_one.ipynb"
    path.parent.mkdir()
    path.write_text(text)
    with pytest.raises(DataError, match=r"01_one\.ipynb is no notebook that can be read"):
        report.render_report(folder)
