"""The page of run times, made from lessons that papermill has executed."""

import json
from pathlib import Path

import nbformat
import papermill
import pytest
import scripts

from ivdlib.errors import DataError

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def status():
    return scripts.load("status")


RECORD = {
    "config": {"profile": {"name": "smoke"}},
    "versions": {"python": "3.11.7", "keras": "3.15.1"},
    "device": "tensorflow on a toaster, 2 cores",
}


def write_lesson(report: Path, name: str, seconds: float, *, failed: bool = False) -> None:
    """A notebook with what papermill notes in one that it has executed."""
    notebook = nbformat.v4.new_notebook()
    notebook.metadata["papermill"] = {
        "duration": seconds,
        "exception": True if failed else None,
        "start_time": "2026-11-22T16:22:44.174875+00:00",
    }
    (report / "notebooks").mkdir(parents=True, exist_ok=True)
    nbformat.write(notebook, report / "notebooks" / name)


@pytest.fixture
def report(tmp_path, monkeypatch) -> Path:
    """Folder of a made-up experiment in a folder that looks like a checkout."""
    scripts.mark_checkout(tmp_path)
    (tmp_path / "notebooks").mkdir()
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "reports" / "mine"
    write_lesson(folder, "02_second.ipynb", 185.2)
    write_lesson(folder, "01_first.ipynb", 14.4)
    (folder / "record.json").write_text(json.dumps(RECORD))
    return folder


def test_a_row_for_each_lesson(status, report):
    assert status.main([str(report)]) == 0
    text = (report.parent / "status.md").read_text(encoding="utf-8")
    rows = [line.strip("| ").split(" | ") for line in text.splitlines() if line.startswith("| 0")]
    rest = ["2026-11-22", "tensorflow on a toaster, 2 cores", "python 3.11.7, keras 3.15.1"]
    assert rows == [["01_first", "14 s", *rest], ["02_second", "3 min 05 s", *rest]]
    assert "Experiment `mine`, profile `smoke`; all lessons together: 3 min 20 s." in text


def test_a_lesson_that_stopped_says_so(status, report):
    write_lesson(report, "03_third.failed.ipynb", 5.0, failed=True)
    assert "| 03_third | stopped after 5 s |" in status.page(report)


def test_papermill_notes_what_is_read(status, tmp_path):
    """The names of the fields are papermill's, and may change with it."""
    source = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("n = 1")])
    source.metadata.kernelspec = {"name": "python3", "display_name": "x", "language": "python"}
    nbformat.write(source, tmp_path / "source.ipynb")
    done = tmp_path / "01_done.ipynb"
    papermill.execute_notebook(tmp_path / "source.ipynb", done, progress_bar=False)
    row = status.lesson_row(done)
    assert (row["lesson"], row["failed"]) == ("01_done", False)
    assert 0 < row["seconds"] < 300


def test_what_is_missing_is_told_in_one_sentence(status, report, tmp_path, capsys):
    plain = report / "notebooks" / "03_plain.ipynb"
    nbformat.write(nbformat.v4.new_notebook(), plain)
    with pytest.raises(DataError, match="03_plain.ipynb holds no time of papermill; run"):
        status.page(report)
    empty = tmp_path / "reports" / "empty"
    empty.mkdir()
    assert status.main([str(empty)]) == 1
    assert capsys.readouterr().out.startswith(f"cannot read {empty / 'record.json'}")
    (empty / "record.json").write_text(json.dumps(RECORD))
    assert status.main([str(empty)]) == 1
    assert "holds no executed lesson; make one" in capsys.readouterr().out
    assert not (tmp_path / "reports" / "status.md").exists()


def test_without_a_folder_it_explains_itself(status, capsys):
    assert status.main([]) == 2
    assert "python notebooks/status.py REPORT_FOLDER" in capsys.readouterr().out
