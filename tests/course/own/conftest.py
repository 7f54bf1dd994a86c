"""Each test is a kernel of its own; what a check says."""

import pytest

from ivdlib.course import exercises, own
from ivdlib.course.exercises import WrongAnswer
from ivdlib.course.own import checked


@pytest.fixture(autouse=True)
def no_tries(monkeypatch):
    """Forget wrong tries, and what has passed."""
    monkeypatch.setattr(checked, "TRIES", type(checked.TRIES)())
    monkeypatch.setattr(checked, "PASSED", {})
    monkeypatch.setattr(exercises, "RIGHT", {})


@pytest.fixture
def said():
    """Give a function that gives the sentence of a check that fails."""

    def of(function, name="dice"):
        with pytest.raises(WrongAnswer) as caught:
            own.check(function, name=name)
        return str(caught.value)

    return of
