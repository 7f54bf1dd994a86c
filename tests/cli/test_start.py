"""`ivdlib start`: says what it put where, and that a newer lesson lies beside one's own."""

import nbformat
import pytest
import scripts
from small_source import NAME, SOURCE

from ivdlib import cli


@pytest.fixture
def source(tmp_path, monkeypatch):
    """The source of the one lesson of a checkout."""
    path = scripts.one_lesson(tmp_path / "checkout", NAME, SOURCE)
    monkeypatch.chdir(tmp_path / "checkout")
    return path


def test_the_command_says_what_it_did(source, tmp_path, capsys):
    words = ["start", str(tmp_path / "mine")]
    assert cli.main(words) == 0
    told = capsys.readouterr().out
    assert "1 in " in told and "(1 new)" in told and "00_start_here.ipynb" in told
    path = tmp_path / "mine" / f"{NAME}.ipynb"
    notebook = nbformat.read(path, as_version=4)
    notebook.cells[-1].source += "\nmine"
    nbformat.write(notebook, path)
    assert cli.main(words) == 0
    assert "(all there already)" in capsys.readouterr().out
    source.write_text(SOURCE.replace("How many voxels", "What number of voxels"), encoding="utf-8")
    assert cli.main(words) == 0
    assert f"newer:   {NAME}-new.ipynb lies beside yours" in capsys.readouterr().out


def test_a_folder_that_will_not_do_is_one_sentence(source, capsys):
    assert cli.main(["start", "notebooks"]) == 1
    assert "where git would see your answers" in capsys.readouterr().err


def test_the_usual_folder(source, capsys):
    assert cli.main(["start"]) == 0
    assert (source.parents[2] / "my_lessons" / f"{NAME}.ipynb").is_file()
