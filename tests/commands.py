"""Run a command as a user does, for tests of several commands."""

from ivdlib import cli


def run(capsys, *arguments):
    """Call the command in this process; gives (status, output, errors)."""
    try:
        status = cli.main([str(a) for a in arguments])
    except SystemExit as stop:
        status = stop.code
    out = capsys.readouterr()
    return status, out.out, out.err


def is_one_sentence(text):
    lines = [line for line in text.splitlines() if line.startswith("ivdlib:")]
    assert len(lines) == 1, text
    assert "Traceback" not in text
    assert lines[0].rstrip().endswith(".")
    return True


HOSTILE = "A\x1b[2J\x1b]0;x\x07\u202e\rb"


def grid(capsys, data, tmp_path, *more):
    reports = tmp_path / "reports"
    return run(capsys, "grid", "--profile", "test", "--data", data, "--reports", reports, *more)
