"""Progress: lines with the time left in a log, nothing that redraws itself there."""

import sys
from types import SimpleNamespace

import pytest

from ivdlib import errors, progress


@pytest.fixture
def clock(monkeypatch):
    """A clock that stands until it is told to go on."""
    now = [100.0]
    monkeypatch.setattr(progress.time, "monotonic", lambda: now[0])
    return now


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0 s"),
        (59.4, "59 s"),
        (59.6, "1 min 00 s"),
        (185, "3 min 05 s"),
        (3599.7, "1 h 00 min"),
        (7800, "2 h 10 min"),
    ],
)
def test_durations(seconds, text):
    assert progress.duration(seconds) == text


def test_plain_lines_come_seldom_and_tell_what_is_left(clock, monkeypatch, capsys):
    monkeypatch.setenv("IVDLIB_PROGRESS", "plain")
    with progress.Progress(10, "training") as task:
        task.advance()
        assert capsys.readouterr().err == ""
        clock[0] += 20
        task.advance(note="loss 0.5")
        assert capsys.readouterr().err == "training: 2/10, 1 min 20 s left · loss 0.5\n"
        clock[0] += 10
        task.advance()
        assert capsys.readouterr().err == ""
        clock[0] += 10
        task.advance(2)
        assert capsys.readouterr().err == "training: 5/10, 40 s left · loss 0.5\n"


def test_steps_of_an_earlier_run_do_not_count_for_the_time_left(clock, monkeypatch, capsys):
    monkeypatch.setenv("IVDLIB_PROGRESS", "plain")
    with progress.Progress(100, "training", start=90) as task:
        clock[0] += 20
        task.advance(2)
    assert capsys.readouterr().err == "training: 92/100, 1 min 20 s left\n"


def test_a_file_gets_plain_lines_and_no_bar(monkeypatch):
    monkeypatch.delenv("IVDLIB_PROGRESS", raising=False)
    monkeypatch.setattr(progress.sys.stderr, "isatty", lambda: False, raising=False)
    assert progress._style() == "plain"
    monkeypatch.setattr(progress.sys.stderr, "isatty", lambda: True, raising=False)
    assert progress._style() == "bar"
    monkeypatch.setenv("IVDLIB_PROGRESS", "off")
    assert progress._style() == "off"


@pytest.mark.parametrize("style", ["bar", "plain", "off"])
def test_track_gives_everything_once(style, monkeypatch, capsys):
    monkeypatch.setenv("IVDLIB_PROGRESS", style)
    assert list(progress.track("abc", "letters")) == ["a", "b", "c"]
    assert list(progress.track(iter([1, 2]), "numbers", total=2)) == [1, 2]
    out = capsys.readouterr()
    assert out.out == "" and (style == "bar" or out.err == "")


def test_a_bar_is_closed_when_the_work_fails(monkeypatch):
    monkeypatch.setenv("IVDLIB_PROGRESS", "bar")
    with pytest.raises(ZeroDivisionError), progress.Progress(3, "x") as task:
        task.advance(note="half")
        1 / 0  # noqa: B018
    assert task._bar.disable or task._bar.n == 1
    assert task.done == 1


def test_say_speaks_unless_told_to_be_quiet(monkeypatch, capsys):
    monkeypatch.setenv("IVDLIB_PROGRESS", "plain")
    progress.say("one line")
    assert capsys.readouterr().err == "one line\n"
    monkeypatch.setenv("IVDLIB_PROGRESS", "off")
    progress.say("one line")
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("style", ["bar", "plain"])
def test_nothing_stands_in_a_red_box_of_a_live_notebook(style, monkeypatch, capsys):
    monkeypatch.setenv("IVDLIB_PROGRESS", style)
    kernel = SimpleNamespace(get_ipython=lambda: SimpleNamespace(kernel=True))
    monkeypatch.setitem(sys.modules, "IPython", kernel)
    assert errors.in_kernel()
    where = []
    monkeypatch.setattr(errors, "_python_show", lambda *given: where.append(given[4]))
    errors._shown("look", errors.DataWarning, "a.py", 1)
    errors._shown("of another library", UserWarning, "b.py", 1)
    assert where == [sys.stdout if style == "bar" else None, None]
    progress.say("a line")
    out, err = capsys.readouterr()
    assert (out, err) == (("a line\n", "") if style == "bar" else ("", "a line\n"))  # papermill
