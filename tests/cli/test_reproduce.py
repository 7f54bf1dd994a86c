"""`reproduce` refuses what no lesson could use before it runs one."""

from commands import is_one_sentence, run


def test_an_unknown_profile_is_one_sentence(capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    status, out, err = run(capsys, "reproduce", "--profile", "huge")
    assert status == 1 and not out
    assert is_one_sentence(err) and "unknown profile" in err
    assert not list(tmp_path.iterdir())
