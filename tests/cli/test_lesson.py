"""`lesson` outside a checkout, and a parameter without a value."""

from commands import is_one_sentence, run


def test_outside_a_checkout_it_is_one_sentence(capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    status, out, err = run(capsys, "lesson", "01")
    assert status == 1 and not out
    is_one_sentence(err)


def test_a_parameter_needs_a_value(capsys):
    status, _, err = run(capsys, "lesson", "01", "-p", "profile")
    assert status == 2 and "-p" in err
