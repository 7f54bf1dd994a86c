"""The command line: help that explains, one clear sentence for what is wrong, exit codes."""

import os
import subprocess
import sys
from contextlib import redirect_stderr

import pytest
from commands import HOSTILE, is_one_sentence, run

from ivdlib import cli, progress
from ivdlib.errors import Visible

COMMANDS = ("phantom", "check", "grid", "reproduce", "audit", "lesson", "predict", "score", "info")


@pytest.mark.parametrize("command", COMMANDS)
def test_help_explains_every_argument(capsys, command):
    status, out, _ = run(capsys, command, "--help")
    assert status == 0
    assert len(out.splitlines()) > 6


def test_overall_help_lists_the_commands(capsys):
    _, out, _ = run(capsys, "--help")
    assert all(command in out for command in COMMANDS)


def test_a_bar_still_draws_and_a_pipe_gets_its_path(capsys, monkeypatch, tmp_path):
    monkeypatch.setenv("IVDLIB_PROGRESS", "bar")
    with redirect_stderr(Visible(sys.stderr)), progress.Progress(2, HOSTILE) as bar:
        bar.advance()
    err = capsys.readouterr().err
    assert "\r" in err and "A\ufffd[2J" in err and "\x1b]0" not in err

    path = tmp_path / HOSTILE
    monkeypatch.setattr("ivdlib.training.predict.predict_folder", lambda *_, **__: [path])
    words = ["predict", "x", "--weights", "w", "--out", "o"]
    assert run(capsys, *words)[1] == f"{path}\n"
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    assert "\x1b" not in run(capsys, *words)[1]


def test_ctrl_c_is_a_sentence_and_130(capsys, monkeypatch, tmp_path):
    def interrupted(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr("ivdlib.phantom.make_phantom", interrupted)
    status, _, err = run(capsys, "phantom", tmp_path / "p")
    assert status == 130 and "interrupted" in err and "Traceback" not in err


class ResourceExhaustedError(Exception):
    """As TensorFlow raises it."""


@pytest.mark.parametrize("error", [
    MemoryError(), ResourceExhaustedError("no room for a tensor"),
    RuntimeError("RESOURCE_EXHAUSTED: Out of memory allocating 1 bytes"),
    RuntimeError("DefaultCPUAllocator: not enough memory: you tried to allocate 9 bytes"),
])  # fmt: skip
def test_a_full_memory_is_a_sentence_in_every_backend(capsys, monkeypatch, tmp_path, error):
    def full(*_, **__):
        raise error

    monkeypatch.setattr("ivdlib.data.quality.checks.examine", full)
    (tmp_path / "x").mkdir()
    status, _, errors = run(capsys, "check", tmp_path / "x")
    assert status == 1 and "out of memory; use a smaller batch" in errors
    assert is_one_sentence(errors)


def test_output_of_a_narrow_encoding(tmp_path, write_case):
    """Redirected on Windows: arrows and dashes that it lacks are no reason to fail."""
    write_case(tmp_path / "data", "01")
    words = [sys.executable, "-m", "ivdlib", "check", str(tmp_path / "data")]
    narrow = {**os.environ, "PYTHONIOENCODING": "ascii"}
    done = subprocess.run(words, capture_output=True, env=narrow, check=False)
    wide = subprocess.run(words, capture_output=True, check=False)
    assert done.returncode == wide.returncode != 70
    assert len(done.stdout.splitlines()) == len(wide.stdout.splitlines()) > 3


def test_a_fault_of_ours_has_no_traceback_unless_asked(capsys, monkeypatch, tmp_path):
    def broken(*_, **__):
        raise RuntimeError("boom")

    monkeypatch.setattr("ivdlib.data.quality.checks.examine", broken)
    status, _, err = run(capsys, "check", tmp_path)
    assert status == 70 and "boom" in err and "--debug" in err
    status, _, err = run(capsys, "check", tmp_path, "--debug")
    assert status == 70 and "Traceback" in err and "RuntimeError: boom" in err


def test_quick_commands_load_no_framework(tmp_path, write_case):
    write_case(tmp_path, "01")
    code = (
        "import sys; from ivdlib.cli import main; main(['check', sys.argv[1]]); "
        "sys.exit(any(name in sys.modules for name in ('keras', 'tensorflow', 'matplotlib')))"
    )
    done = subprocess.run([sys.executable, "-c", code, tmp_path], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_without_a_command_all_are_listed(capsys):
    status, out, err = run(capsys)
    assert status == 2 and not out and all(command in err for command in COMMANDS)


@pytest.mark.parametrize(
    ("call", "meant"),
    [
        (["prdict", "scans"], "did you mean predict?"),
        (["predict", "scans", "--save", "probabilty"], "did you mean probability?"),
        (["xyzzy"], "choose from"),
    ],
)
def test_a_misspelt_word_is_answered_by_the_one_that_is_like_it(capsys, call, meant):
    status, _, err = run(capsys, *call)
    assert status == 2 and meant in err and err.count("\n") == 1
    assert ("choose from" in err) is (meant == "choose from")


@pytest.mark.parametrize(
    "call", [["predict", "--clip=99,9"], ["prdict"], ["--debug"], ["score", "--nothing"]]
)
def test_a_wrong_call_is_one_line_and_not_a_screen_of_options(capsys, call):
    status, _, err = run(capsys, *call)
    assert status == 2 and err.count("\n") == 1 and "--help" in err and err.endswith(".\n")


def test_a_reader_that_has_enough_is_no_error(tmp_path, write_case):
    for k in range(40):
        write_case(tmp_path, f"A{k % 10}_{k:02d}")
    words = [sys.executable, "-m", "ivdlib", "check", str(tmp_path)]
    process = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    process.stdout.close()
    told = process.stderr.read()
    assert process.wait() == cli.PIPED and "Broken pipe" not in told, told
