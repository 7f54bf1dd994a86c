"""`check`: what it prints, writes and answers."""

import json
import sys

import numpy as np
import pytest
from commands import run


def test_check_names_every_bad_case_and_fails(capsys, tmp_path, write_case):
    (tmp_path / "subjects.csv").write_text("case,subject\n01,a\n02,b\n03,c\n")
    write_case(tmp_path, "01")
    write_case(tmp_path, "02", missing=["fat", "inn"])
    write_case(tmp_path, "03", missing=["fat"])
    status, out, _ = run(capsys, "check", tmp_path)
    assert status == 1
    table = [line.split() for line in out.split("\n\n")[0].splitlines()]
    assert [line[-1] for line in table] == ["verdict", "ok", "ERROR", "warning"]
    assert table[3][5:10] == ["LPS", "wat", "fat†", "inn", "opp"]
    assert "ERROR  case 02: contrast 'fat'" in out and "  → provide inn or fat itself (" in out
    assert out.endswith("3 cases: 1 ERROR, 1 warning, 1 ok\n")
    assert "\x1b" not in out
    (tmp_path / "subjects.csv").write_text("case,subject\n01,a\n")
    status, out, _ = run(capsys, "check", tmp_path / "01")
    assert status == 0 and "Nothing" not in out and out.endswith("1 case: ok\n")


@pytest.mark.parametrize(
    ("terminal", "variables", "coloured"),
    [
        (True, {}, True),
        (True, {"NO_COLOR": "1"}, False),
        (True, {"NO_COLOR": ""}, True),
        (True, {"TERM": "dumb"}, False),
        (False, {}, False),
    ],
)
def test_verdicts_are_coloured_in_a_terminal(
    capsys, monkeypatch, tmp_path, write_case, terminal, variables, coloured
):
    for name in ("NO_COLOR", "TERM"):
        monkeypatch.delenv(name, raising=False)
    for name, text in variables.items():
        monkeypatch.setenv(name, text)
    monkeypatch.setattr(sys.stdout, "isatty", lambda: terminal)
    write_case(tmp_path, "A1")
    _, out, _ = run(capsys, "check", tmp_path)
    assert ("\x1b[32mok\x1b[0m" in out) is coloured
    assert ("\x1b" in out) is coloured


def test_check_writes_a_page_and_json_at_once(capsys, tmp_path, write_case):
    write_case(tmp_path / "data", "A1", copy=("wat", "inn"))
    page = tmp_path / "out" / "check.html"
    status, out, _ = run(capsys, "check", tmp_path / "data", "--json", "--html", page)
    assert status == 0
    assert json.loads(out)["cases"][0]["copies"] == [["wat", "inn"]]
    assert "data:image/png;base64," in page.read_text(encoding="utf-8")


def test_check_reads_scans_as_the_other_commands_do(capsys, tmp_path, write_case):
    write_case(tmp_path, "A1", missing=["opp"], change={"Labels": lambda a: a * np.uint8(3)})
    status, out, _ = run(capsys, "check", tmp_path)
    assert status == 1 and "(--discs)" in out
    status, out, _ = run(capsys, "check", tmp_path, "--discs", "3")
    assert status == 0 and "opp†" in out
    status, out, _ = run(capsys, "check", tmp_path, "--discs", "3", "--no-derive-missing")
    assert status == 1 and "contrast 'opp' is missing" in out


def test_names_of_files_do_not_steer_the_terminal(capsys, tmp_path, write_case):
    for path in write_case(tmp_path, "A1", copy=("wat", "fat")).iterdir():
        path.rename(path.with_name(path.name.replace("A1", "A\x1b[2J")))
    status, out, _ = run(capsys, "check", tmp_path)
    assert status == 1
    assert "\x1b" not in out and "A\ufffd[2J" in out
