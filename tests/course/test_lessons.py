"""The wrapper around papermill, on small throw-away notebooks."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import nbformat
import pytest
import scripts
from written_lesson import write_notebook

from ivdlib.course import lessons
from ivdlib.course.lessons import execute_lesson, find_lesson, series
from ivdlib.errors import ConfigError, IvdlibError


def printed(path: Path) -> str:
    """Everything that the cells of an executed notebook printed."""
    cells = nbformat.read(path, as_version=4).cells
    outputs = [out for cell in cells for out in cell.get("outputs", [])]
    return "".join(out.text for out in outputs if out.output_type == "stream")


def test_lessons_are_found_by_number_and_by_name(tmp_path, monkeypatch):
    scripts.mark_checkout(tmp_path)
    for name in ("02_second", "01_first", "notes", "01_first-Copy1", "02_second (1)"):
        write_notebook(tmp_path / "notebooks" / f"{name}.ipynb")
    monkeypatch.chdir(tmp_path / "notebooks")
    assert [path.stem for path in series()] == ["01_first", "02_second"]
    assert {find_lesson(wish).stem for wish in (2, "2", "02", "02_second")} == {"02_second"}
    for wish in (3, "first", "notes", ""):
        with pytest.raises(ConfigError, match="known are 01_first, 02_second"):
            find_lesson(wish)


def test_outside_a_checkout_there_are_no_lessons(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ConfigError, match="no checkout of ivdlib.* no lessons; call this"):
        find_lesson(1)


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


@pytest.mark.skipif(sys.platform == "win32", reason="Windows sends no SIGINT to a child alone")
def test_ctrl_c_stops_the_kernel_and_leaves_nothing_half_written(tmp_path):
    sleeper = """\
        import os, pathlib, time
        pathlib.Path("pid").write_text(str(os.getpid()))
        try:
            time.sleep(60)
        finally:
            pathlib.Path("tidied").touch()
        """
    write_notebook(tmp_path / "01_lesson.ipynb", sleeper)
    call = (  # a shell's background job, and what it starts, ignores Ctrl-C unless told otherwise
        "import signal; signal.signal(signal.SIGINT, signal.default_int_handler); "
        "from ivdlib.course.lessons import run_lesson; "
        "run_lesson('01_lesson.ipynb', {}, 'out/01.ipynb')"
    )
    child = subprocess.Popen([sys.executable, "-c", call], cwd=tmp_path, stderr=subprocess.PIPE)
    wait_for(lambda: (tmp_path / "pid").exists() and (tmp_path / "pid").read_text(), 60)
    time.sleep(0.5)
    child.send_signal(signal.SIGINT)
    assert b"KeyboardInterrupt" in child.communicate(timeout=60)[1]
    assert child.returncode != 0
    assert list((tmp_path / "out").iterdir()) == []
    assert (tmp_path / "tidied").exists()
    wait_for(lambda: not alive(int((tmp_path / "pid").read_text())), 10)


def wait_for(condition, seconds: float) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, f"not within {seconds} s"
        time.sleep(0.1)


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


@pytest.mark.parametrize(
    ("wish", "sentence"),
    [
        ({"profile": "huge"}, "unknown profile 'huge'"),
        ({"name": "a/b"}, "no name for an experiment"),
        ({"seeds": -1}, "seeds of Profile takes a whole number, at least 1"),
    ],
)
def test_what_does_not_fit_is_told_before_the_first_lesson(tmp_path, monkeypatch, wish, sentence):
    scripts.mark_checkout(tmp_path)
    parameters = "\n".join(
        ['profile: str = "x"', *(f'{n}: str = ""' for n in ("data_dir", "name", "reports_dir"))]
    )
    path = tmp_path / "notebooks" / "01_lesson.ipynb"
    write_notebook(path, "1 / 0", parameters=parameters + "\nseeds: int = 0")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ConfigError, match=sentence):
        lessons.reproduce(**{"profile": "test", "name": "mine", **wish})
    assert not (tmp_path / "reports").exists() or not list((tmp_path / "reports").iterdir())
