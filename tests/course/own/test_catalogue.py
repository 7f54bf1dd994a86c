"""All functions that students write: right passes, each catalogued mistake gets its own name."""

import numpy as np
import pytest

from ivdlib.course import own
from ivdlib.course.exercises import WrongAnswer, seed
from ivdlib.course.own import catalogue, checked
from ivdlib.course.own.task import plain, same
from ivdlib.errors import ConfigError

NAMES = sorted(catalogue.LESSONS)
MISTAKES = [(name, sentence) for name in NAMES for sentence in catalogue.task(name).mistakes]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("student", ["", "Ann", "4711"])
def test_what_is_right_passes(name, student, capsys):
    task = catalogue.task(name)
    own.check(task.right, name=name, student=student)
    assert f"✅ {name} is right on" in capsys.readouterr().out
    assert checked.PASSED[name] is task.right


@pytest.mark.parametrize(("name", "sentence"), MISTAKES)
@pytest.mark.parametrize("student", ["", "Bert"])
def test_each_mistake_is_named(name, sentence, student):
    mistaken = catalogue.task(name).mistakes[sentence]
    with pytest.raises(WrongAnswer) as caught:
        own.check(mistaken, name=name, student=student)
    assert str(caught.value) == f"❌ {sentence.rstrip('.')}."
    assert name not in checked.PASSED


@pytest.mark.parametrize("name", NAMES)
def test_a_task_is_whole(name):
    """Three mistakes or more, two hints, and rules that what is right keeps."""
    task = catalogue.task(name)
    assert task.name == name and len(task.mistakes) >= 3 and all(task.hints)
    for arguments in task.inputs(np.random.default_rng(seed("Carl"))):
        found, untouched = task.result(task.right, arguments)
        assert untouched
        for sentence, holds in task.rules.items():
            assert holds(arguments, found), sentence


@pytest.mark.parametrize("name", NAMES)
def test_students_have_inputs_of_their_own(name):
    task = catalogue.task(name)
    first, second, again = (
        plain(list(task.inputs(np.random.default_rng(seed(who))))) for who in ("A", "B", "a")
    )
    assert same(first, again, 0.0) and not same(first, second, 0.0)


@pytest.mark.parametrize("name", NAMES)
def test_a_stub_is_not_written_yet(name):
    with pytest.raises(WrongAnswer, match="not a function"):
        own.check(None, name=name)
    with pytest.raises(WrongAnswer, match="gives nothing|stops with"):
        own.check(lambda *_: None, name=name)


def test_an_example_is_written_out_whole_or_left_out(monkeypatch):
    """A network of layers has no small example; what is a plain function has one."""
    told = {}
    for name in NAMES:
        monkeypatch.setitem(checked.TRIES, name, 2)
        with pytest.raises(WrongAnswer) as caught:
            own.check(lambda *_: "wrong", name=name)
        told[name] = str(caught.value).partition("An example: ")[2]
    assert {"convolve", "dice", "fuse", "splice", "sign_flip"} <= {n for n in told if told[n]}
    assert not any("an array of" in example or "…" in example for example in told.values())


def test_a_name_that_no_lesson_knows():
    with pytest.raises(ConfigError, match="no lesson asks for a function overlap"):
        own.check(lambda a: a, name="overlap")
