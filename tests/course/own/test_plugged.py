"""A student's function at work in the library: counted, said, and gone behind the block."""

import numpy as np
import pytest

from ivdlib import provenance
from ivdlib.course import exercises, own
from ivdlib.course.exercises import WrongAnswer
from ivdlib.evaluation import metrics
from ivdlib.training import hashes

A, B = np.array([[True, True, False]]), np.array([[True, False, False]])


def dice(a, b):
    total = a.sum() + b.sum()
    return 2 * (a & b).sum() / total if total else 1.0


def test_it_works_in_the_place_of_the_librarys(capsys):
    own.check(dice)
    with own.plugged(dice) as at_work:
        assert metrics.dice(A, B) == pytest.approx(2 / 3)
    assert at_work["dice"].calls == 1
    assert "Your dice worked 1 time in the place of the library's." in capsys.readouterr().out
    metrics.dice(A, B)
    assert at_work["dice"].calls == 1  # the library has its own again


def test_one_that_has_not_passed_is_left_out(capsys):
    with own.plugged(dice) as at_work:
        assert metrics.dice(A, B) == pytest.approx(2 / 3)
    assert at_work["dice"].function is not dice
    assert "dice has not passed its check yet" in capsys.readouterr().out
    with own.plugged(None, names=("dice",)) as at_work:
        assert at_work["dice"](A, B) == pytest.approx(metrics.dice(A, B))


def test_whether_it_has_passed():
    assert not own.passed(dice) and not own.passed(None, name="dice")
    own.check(dice)
    assert own.passed(dice) and not own.passed(lambda a, b: 1.0, name="dice")


def test_a_function_that_passed_counts_in_the_tally(capsys):
    exercises.tally(1)
    own.check(dice)
    exercises.tally(1)
    with pytest.raises(WrongAnswer):
        own.check(lambda a, b: 1.0, name="dice")
    exercises.tally(1)
    said = [line for line in capsys.readouterr().out.splitlines() if "exercises with" in line]
    assert [line[0] for line in said] == ["0", "✅", "0"]


def test_one_that_was_changed_after_it_passed_is_left_out():
    own.check(dice)
    with own.plugged(lambda a, b: 1.0, names=("dice",)):
        assert metrics.dice(A, B) == pytest.approx(2 / 3)


def test_a_result_without_a_call_is_refused():
    own.check(dice)
    with pytest.raises(WrongAnswer, match="your dice was not called"), own.plugged(dice):
        pass


def test_what_fails_within_is_told_as_it_is_and_all_is_put_back():
    own.check(dice)
    with pytest.raises(KeyError), own.plugged(dice):
        raise KeyError("scan")
    assert metrics._dice.__module__ == metrics.__name__ and not provenance.REPLACED


def test_trainings_have_hashes_of_their_own():
    usual = hashes.short_hash({"steps": 1})
    own.check(dice)
    with own.plugged(dice):
        metrics.dice(A, B)
        theirs = hashes.short_hash({"steps": 1})
    assert theirs != usual == hashes.short_hash({"steps": 1})

    def other(a, b):
        return dice(b, a)

    own.check(other, name="dice")
    with own.plugged(other, names=("dice",)):
        metrics.dice(A, B)
        assert hashes.short_hash({"steps": 1}) not in (usual, theirs)
