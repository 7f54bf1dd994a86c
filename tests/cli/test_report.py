"""`report`: options that do something, and two names."""

import nbformat
import pytest
import small_course

from ivdlib import cli


@pytest.mark.parametrize(
    ("words", "option"),
    [(["--class", "x", "--out", "y"], "--out does nothing with --class"),
     (["--class", "x", "--author", "y"], "--author does nothing with --class"),
     (["--lesson", "1", "--reports", "y"], "--reports does nothing with --lesson"),
     (["--lesson", "1", "--code"], "--code shows a lesson's own code: add --whole"),
     (["smoke", "--whole"], "--whole is for a lesson or a class"),
     (["--lesson", "1", "--blank", "--whole"], "--whole does nothing with --blank"),
     (["--lesson", "1", "--blank", "--code"], "--code does nothing with --blank"),
     (["--compare", "a", "b", "--code"], "--code does nothing with --compare")],
)  # fmt: skip
def test_options_that_do_nothing_are_refused(words, option, capsys):
    assert cli.main(["report", *words]) != 0
    assert option in capsys.readouterr().err


def test_two_names_are_compared_by_an_option(capsys):
    assert cli.main(["report", "base", "base two"]) == 1
    assert "ivdlib report --compare base 'base two'." in capsys.readouterr().err


@pytest.mark.parametrize(
    ("ran", "note"),
    [
        (3, ""),
        (1, "note: 2 checks have not been run in"),
        (2, "note: 1 check has not been run in"),
        (0, "note: nothing is answered in"),
    ],
)
def test_a_hand_in_says_its_points_and_what_was_not_run(ran, note, tmp_path, capsys):
    cells = [cell for cell in small_course.cells() if "exercise9" not in str(cell.metadata)]
    checks = [cell for cell in cells if cell.get("outputs")]
    for check in checks[ran:]:
        check.update(execution_count=None, outputs=[])
    place = tmp_path / "mine.ipynb"
    nbformat.write(nbformat.v4.new_notebook(cells=cells), place)
    assert cli.main(["report", "--lesson", str(place), "--out", str(tmp_path / "page")]) == 0
    told = capsys.readouterr().out
    assert told.count("check passed, 2 of 2") == ran and told.count("not run, 0 of 2") == 3 - ran
    assert note in told if note else "note" not in told
