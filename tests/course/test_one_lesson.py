"""One lesson: run in a kernel of its own, kept whole or not at all, its failure in one sentence."""

import sys
from pathlib import Path

import nbformat
import pytest
from written_lesson import write_notebook

from ivdlib.course.one_lesson import execute_lesson
from ivdlib.errors import ConfigError, IvdlibError


def printed(path: Path) -> str:
    """Everything that the cells of an executed notebook printed."""
    cells = nbformat.read(path, as_version=4).cells
    outputs = [out for cell in cells for out in cell.get("outputs", [])]
    return "".join(out.text for out in outputs if out.output_type == "stream")


def test_unknown_parameters_are_refused_before_a_kernel_starts(short_lesson, tmp_path):
    with pytest.raises(ConfigError, match="no parameter 'seed'; it takes profile: str = 'smoke'"):
        execute_lesson(short_lesson, {"seed": 1}, tmp_path / "out" / "01_lesson.ipynb")
    assert not (tmp_path / "out").exists()


def test_a_lesson_runs_on_this_python_in_this_folder(tmp_path, monkeypatch, capsys):
    cells = (
        "import os, sys\nprint(sys.executable, os.getcwd(), profile, seeds)",
        "sys.stderr.write('half a '); sys.stderr.write('line\\n')",
        "import matplotlib.pyplot as plt\n_ = plt.plot([1, 2])",
    )
    source = write_notebook(tmp_path / "01_lesson.ipynb", *cells)
    odd = 'a "b" \\ ü {c}'
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MPLBACKEND", "agg")
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path / "none"))
    before = source.read_bytes()
    output = tmp_path / "{odd}" / "01_lesson.ipynb"
    assert execute_lesson(source, {"profile": odd, "seeds": "2"}, output) == output
    assert printed(output) == f"{sys.executable} {tmp_path} {odd} 2\nhalf a line\n"
    done = nbformat.read(output, as_version=4)
    assert "image/png" in done.cells[-1].outputs[0].data
    assert "widgets" not in done.metadata
    assert str(tmp_path) not in str(done.metadata)
    assert source.read_bytes() == before
    assert [path.name for path in output.parent.iterdir()] == ["01_lesson.ipynb"]
    told = capsys.readouterr().err.splitlines()
    assert told[0].startswith("  01_lesson: cell ")
    assert told[0].endswith("s: A small lesson")
    assert "    half a line" in told


def test_a_failing_lesson_is_kept_and_told_in_one_sentence(tmp_path):
    output = tmp_path / "out" / "01_lesson.ipynb"
    broken = write_notebook(tmp_path / "01_lesson.ipynb", "print('so far')", "1 / 0")
    with pytest.raises(IvdlibError) as caught:
        execute_lesson(broken, {}, output)
    failed = output.with_name("01_lesson.failed.ipynb")
    assert str(caught.value) == (
        "lesson 01_lesson stopped in cell [3] (A small lesson): "
        f"ZeroDivisionError: division by zero; see {failed}."
    )
    assert printed(failed) == "so far\n"
    assert [path.name for path in output.parent.iterdir()] == [failed.name]
    # once mended, nothing is left of the failure
    mended = write_notebook(tmp_path / "01_lesson.ipynb", "print('so far')")
    execute_lesson(mended, {}, output)
    assert [path.name for path in output.parent.iterdir()] == [output.name]


@pytest.mark.parametrize("cell", ["1", "1 / 0"])
def test_an_executed_copy_that_one_wrote_into_is_kept(tmp_path, capsys, cell):
    source = write_notebook(tmp_path / "01_lesson.ipynb", cell)
    output = tmp_path / "out" / "01_lesson.ipynb"

    def again():
        if cell == "1":
            return execute_lesson(source, {}, output)
        with pytest.raises(IvdlibError):
            execute_lesson(source, {}, output)
        return output.with_suffix(".failed.ipynb")

    made = again()
    assert again() == made
    assert "kept" not in capsys.readouterr().err
    notes = nbformat.read(made, as_version=4)
    notes.cells.append(nbformat.v4.new_markdown_cell("What I saw here."))
    nbformat.write(notes, made)
    again()
    kept = made.parent / "saved" / f"{made.stem}-1.ipynb"
    assert f"kept: {made} was edited, and is now {kept}" in capsys.readouterr().err
    assert "What I saw here." in kept.read_text(encoding="utf-8")
    assert "What I saw here." not in made.read_text(encoding="utf-8")


def test_an_error_of_the_package_shows_its_own_sentence(tmp_path):
    cell = "from ivdlib.errors import DataError\nraise DataError('scan 01 has no fat; add it.')"
    path = write_notebook(tmp_path / "01_lesson.ipynb", cell)
    with pytest.raises(IvdlibError, match=r"\(A small lesson\): scan 01 has no fat; add it; see "):
        execute_lesson(path, {}, tmp_path / "out.ipynb")


def test_a_kernel_that_dies_is_told(tmp_path):
    path = write_notebook(tmp_path / "01_lesson.ipynb", "import os\nos._exit(1)")
    with pytest.raises(IvdlibError, match="stopped in cell 3.*its kernel died"):
        execute_lesson(path, {}, tmp_path / "out" / "01_lesson.ipynb")
    assert [p.name for p in (tmp_path / "out").iterdir()] == ["01_lesson.failed.ipynb"]
