"""When two results are the same, and what a function did with its arguments."""

import numpy as np
import pytest

from ivdlib.course.own.task import Task, plain, same


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (1, 1.0), (np.float32(0.5), 0.5), ([1, 2], np.array([1, 2])), ((1, 2), [1, 2]),
        ({"a": 1.0}, {"a": 1}), ([[1], [1, 2]], [[1], [1, 2]]), (["a"], ["a"]),
        (float("nan"), float("nan")), ({1, 2}, {2, 1}), (True, np.True_), ([], []),
        ([{"a": [1]}], [{"a": [1]}]),
    ],
)  # fmt: skip
def test_same(first, second):
    assert same(plain(first), plain(second), 1e-6)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (1, 1.1), (True, 1), ([1, 2], [1, 2, 3]), ({"a": 1}, {"b": 1}), ("1", 1), (None, 1),
        ([1], {1}), (1, "1"), ([[1], [1, 2]], [[1], [1, 3]]), (float("nan"), 1.0), (1, None),
        (object(), 1), ([[1, 2]], [1, 2]),
    ],
)  # fmt: skip
def test_not_the_same(first, second):
    assert not same(plain(first), plain(second), 1e-6)


def test_numbers_may_differ_by_a_share_of_the_largest():
    assert same([100.05, 0.0], [100.0, 0.0], 1e-3)
    assert same([100.0, 0.05], [100.0, 0.0], 1e-3)
    assert not same([100.0, 0.2], [100.0, 0.0], 1e-3)


def test_a_result_says_whether_the_arguments_were_left_alone():
    task = Task("double", right=lambda x: 2 * x, inputs=lambda rng: [(np.arange(3.0),)])

    def in_place(x):
        x *= 2
        return x

    given = (np.arange(3.0),)
    assert task.result(task.right, given)[1] and not task.result(in_place, given)[1]
    assert given[0].tolist() == [0, 1, 2]  # each call has its own copy
