"""`reproduce` refuses what no lesson could use before it runs one."""

from commands import is_one_sentence, run


def test_outside_a_checkout_it_is_one_sentence(capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    status, out, err = run(capsys, "reproduce", "--profile", "test")
    assert status == 1 and not out
    is_one_sentence(err)
    assert not list(tmp_path.iterdir())
