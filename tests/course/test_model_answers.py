"""A written answer beside a model answer, when the student asks for it."""

import pytest
import scripts
from small_source import NAME, SOURCE

from ivdlib.course import model_answers
from ivdlib.errors import ConfigError


@pytest.fixture(autouse=True)
def checkout(tmp_path, monkeypatch):
    """A checkout with one lesson."""
    scripts.mark_checkout(tmp_path)
    (tmp_path / "notebooks" / "src").mkdir(parents=True)
    (tmp_path / "notebooks" / "src" / f"{NAME}.py").write_text(SOURCE, encoding="utf-8")
    monkeypatch.chdir(tmp_path)


def test_it_is_shown_with_its_points(capsys, monkeypatch):
    shown = []
    monkeypatch.setattr(model_answers, "display", lambda text: shown.append(text.data))
    model_answers.show(1, 3)
    assert shown == ["Because the score would be **too good**."]
    assert "How many of the 4?" in capsys.readouterr().out


def test_one_marks_oneself(capsys):
    model_answers.show("01", 3, mine=2)
    assert capsys.readouterr().out == "You give yourself 2 of 4 points for exercise 3.\n"
    with pytest.raises(ConfigError, match="is worth 4 points, not 5"):
        model_answers.show("01", 3, mine=5)


@pytest.mark.parametrize(("lesson", "number"), [("01", 1), ("01", 9), ("17", 1)])
def test_what_is_not_there_is_told(lesson, number):
    with pytest.raises(ConfigError, match="no lesson 17|no written exercise"):
        model_answers.show(lesson, number)
