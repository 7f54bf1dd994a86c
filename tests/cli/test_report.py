"""`report`: options that do something, and two names."""

import pytest

from ivdlib import cli


@pytest.mark.parametrize(
    ("words", "option"),
    [(["--class", "x", "--out", "y"], "--out does nothing with --class"),
     (["--class", "x", "--author", "y"], "--author does nothing with --class"),
     (["--lesson", "1", "--reports", "y"], "--reports does nothing with --lesson"),
     (["--lesson", "1", "--blank", "--code"], "--code does nothing with --blank"),
     (["--compare", "a", "b", "--code"], "--code does nothing with --compare")],
)  # fmt: skip
def test_options_that_do_nothing_are_refused(words, option, capsys):
    assert cli.main(["report", *words]) != 0
    assert option in capsys.readouterr().err


def test_two_names_are_compared_by_an_option(capsys):
    assert cli.main(["report", "base", "base two"]) == 1
    assert "ivdlib report --compare base 'base two'." in capsys.readouterr().err
