"""A report writes the page and the PDF that were asked for, and nothing else."""

import os

import nbformat
import pandas as pd
import pytest
from hostile_report import odd_experiment
from small_course import ONE, cells

from ivdlib import cli, files
from ivdlib.report import experiment as report

CURVE = pd.DataFrame({"step": [1, 2], "loss": [1.0, 0.5], "seconds": [1.0, 2.0]})
TIMES = {"seconds_training": 1.0, "seconds_scoring": 1.0, "device": "a processor"}


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """An experiment with curves, scores and a lesson, seen from another folder."""
    place = odd_experiment(tmp_path / "mine")
    files.write_csv(place / "trainings" / "1" / "history.csv", CURVE)
    record = {"target": "disc", "network": "fds_cnn", "arm": "with", "passport": {}} | TIMES
    files.write_json(place / "trainings" / "1" / "record.json", record)
    (place / "notebooks").mkdir()
    nbformat.write(nbformat.v4.new_notebook(cells=cells()), place / "notebooks" / f"{ONE}.ipynb")
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    return place


def state(folder):
    return {p.relative_to(folder): p.stat().st_mtime_ns for p in [folder, *folder.rglob("*")]}


def test_a_page_writes_nothing(folder):
    before = state(folder.parent)
    page = report.render_report(folder)
    assert page.count("data:image/png") == 2  # the curves and the patients
    assert state(folder.parent) == before


@pytest.mark.parametrize("words", [["report", "{}"], ["report", "--compare", "{}", "{}2"]])
def test_what_goes_elsewhere_leaves_the_experiment_alone(folder, words):
    odd_experiment(folder.with_name("mine2"))
    before = state(folder)
    out = folder.parent / "out"
    assert cli.main([*(word.format(folder) for word in words), "--out", str(out / "page")]) == 0
    assert state(folder) == before
    assert {p.suffix for p in out.iterdir()} <= {".html", ".pdf"} and (out / "page.html").is_file()
    assert os.listdir() == []


def test_what_goes_there_is_the_report_alone(folder):
    before = set(state(folder))
    assert cli.main(["report", str(folder)]) == 0
    assert {p.name for p in set(state(folder)) - before} <= {"report.html", "report.pdf"}


@pytest.mark.parametrize("ending", ["html", "pdf"])
def test_where_nothing_can_be_written_one_sentence_says_so(folder, ending, capsys):
    (folder / f"report.{ending}").mkdir()
    before = state(folder)
    assert cli.main(["report", str(folder)]) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"ivdlib: cannot write {folder}/report.{ending}: ")
    assert set(state(folder)) == set(before)


def test_a_file_where_the_folder_should_be(folder, capsys):
    (folder.parent / "out").write_text("mine")
    assert cli.main(["report", str(folder), "--out", str(folder.parent / "out" / "page")]) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert "cannot write" in line and line.endswith(".")
