"""`lesson` of a number that there is none of, and a parameter without a value."""

from commands import is_one_sentence, run


def test_a_lesson_that_is_not_there_is_one_sentence(capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    status, out, err = run(capsys, "lesson", "17")
    assert status == 1 and not out
    assert is_one_sentence(err) and "known are 00_start_here, 01_data_loading" in err


def test_a_parameter_needs_a_value(capsys):
    status, _, err = run(capsys, "lesson", "01", "-p", "profile")
    assert status == 2 and "-p" in err
