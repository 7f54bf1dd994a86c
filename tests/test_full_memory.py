"""A memory that is full is told as that: no file is called broken for it."""

import errno
import os

import nbformat
import pytest
from bs4 import BeautifulSoup

from ivdlib.errors import ConfigError, DataError
from ivdlib.evaluation import scores
from ivdlib.phantom import make_phantom, writer
from ivdlib.report import edits, formulas, notebook
from ivdlib.training import engines, weights_file


def full(*_, **__):
    raise MemoryError


def test_notebooks_and_formulas(tmp_path, monkeypatch):
    monkeypatch.setattr(nbformat, "read", full)
    for read in (edits.read_or_none, notebook.read_notebook):
        with pytest.raises(MemoryError):
            read(tmp_path / "a.ipynb")
    monkeypatch.setattr("ziamath.Latex", full)
    with pytest.raises(MemoryError):
        formulas.draw_formula(BeautifulSoup("<p>$x^2$</p>", "html.parser"))


def test_a_gradebook(tmp_path, monkeypatch):
    api = pytest.importorskip("nbgrader.api")
    from ivdlib.course import course_folder

    (tmp_path / "gradebook.db").write_bytes(b"")
    monkeypatch.setattr(api, "Gradebook", full)
    with pytest.raises(MemoryError):
        course_folder.grading(tmp_path, tmp_path / "autograded" / "a" / "b" / "c.ipynb")


class Exhausted(RuntimeError):
    """As frameworks have them."""


@pytest.mark.parametrize(
    ("fault", "kind"),
    [(MemoryError(), MemoryError), (Exhausted("RESOURCE_EXHAUSTED: no room"), Exhausted)],
)
def test_a_graph(tmp_path, monkeypatch, fault, kind):
    pytest.importorskip("openvino")
    from ivdlib.training import openvino_graph

    def fail(*_):
        raise fault

    monkeypatch.setattr(weights_file, "read_passport", lambda _: ({"tile": [4, 4]}, []))
    monkeypatch.setattr(weights_file, "read_numbers", lambda _: ([{"shape": [4, 4, 1]}], {}))
    monkeypatch.setattr(openvino_graph, "graph", fail)
    with pytest.raises(kind):
        engines._graph(tmp_path / "a.weights.h5")


@pytest.mark.slow
def test_a_process_that_is_killed_while_it_makes_a_phantom(tmp_path, monkeypatch):
    """That is how Linux ends one that takes too much."""
    monkeypatch.setattr(writer, "_make_scan", lambda *_, **__: os.kill(os.getpid(), 9))
    with pytest.raises(ConfigError, match="want of memory; use fewer workers"):
        make_phantom(tmp_path / "p", subjects=2, stages=1, slices=2, in_plane=32, workers=2)


def test_scores_that_may_not_be_read_are_not_to_be_deleted(tmp_path, monkeypatch):
    def refuse(*_, **__):
        raise OSError(errno.EIO, os.strerror(errno.EIO), str(tmp_path))

    monkeypatch.setattr(scores.pd, "read_csv", refuse)
    with pytest.raises(DataError, match="cannot read .*: Input/output error; look after") as caught:
        scores.read_scores(tmp_path / "metrics.csv")
    assert "delete" not in str(caught.value)
