"""The wrapper around papermill, on small throw-away notebooks."""

import os
import signal
import subprocess
import sys
import time

import pytest
import scripts
from written_lesson import write_notebook

from ivdlib import provenance
from ivdlib.course import lessons
from ivdlib.course.lessons import find_lesson, series
from ivdlib.errors import ConfigError


def test_lessons_are_found_by_number_and_by_name(tmp_path, monkeypatch):
    scripts.mark_checkout(tmp_path)
    for name in ("02_second", "01b_new", "01_first", "notes", "01_first-Copy1", "02_second (1)"):
        write_notebook(tmp_path / "notebooks" / f"{name}.ipynb")
    monkeypatch.chdir(tmp_path / "notebooks")
    assert [path.stem for path in series()] == ["01_first", "01b_new", "02_second"]
    assert {find_lesson(wish).stem for wish in (2, "2", "02", "02_second")} == {"02_second"}
    assert {find_lesson(wish).stem for wish in ("1b", "01b", "01b_new")} == {"01b_new"}
    for wish in (3, "first", "notes", ""):
        with pytest.raises(ConfigError, match="known are 01_first, 01b_new, 02_second"):
            find_lesson(wish)


def test_outside_a_checkout_they_come_with_the_package(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert find_lesson(3).stem == "03_fds_cnn"


def test_a_package_without_lessons_is_told(tmp_path, monkeypatch):
    monkeypatch.setattr(provenance, "PACKED", tmp_path)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ConfigError, match=r"no lessons in .*notebooks; .* whole repository"):
        series()


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
        "from ivdlib.course.one_lesson import execute_lesson; "
        "execute_lesson('01_lesson.ipynb', {}, 'out/01.ipynb')"
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
