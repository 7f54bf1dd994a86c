"""Other answers to the tasks of lesson 01, and what the library makes of right ones."""

import warnings

import numpy as np
import pytest

from ivdlib.course import own
from ivdlib.course.own import lesson01
from ivdlib.errors import DataError
from ivdlib.preprocessing import fusion

RNG = np.random.default_rng(0)


@pytest.mark.parametrize(
    ("function", "sentence"),
    [
        (lambda a, b: lesson01.fuse(a, b) ** 2, "which is not right"),
        (
            lambda a, b: np.abs(2 * lesson01.fuse(a, b) - 1),
            "a voxel whose sum is larger should be brighter",
        ),
        (lambda a, b: (a + b) / 1e6 - 1, "no voxel should be below 0"),
        (lambda a, b: (a + b).sum(), "the result should be an array of shape (2, 1, 3)"),
        (lambda a, b: np.concatenate([a, b]), "and is an array of shape (4, 1, 3)"),
        (lambda a, b: np.divide(a + b, 0), "holds NaN or infinity"),
    ],
)
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_other_faults_of_a_fused_picture(function, sentence, said):
    assert sentence in said(function, "fuse")


def test_a_sum_that_is_written_over_is_told(said):
    def fuse(first, second):
        first += second
        return lesson01.fuse(first, 0)

    assert "fuse changes what it was given" in said(fuse, "fuse")


def test_all_fused_pictures_of_the_library_are_the_students():
    def fuse(first, second):
        total = np.add(first, second, dtype=np.float64)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return np.nan_to_num((total - total.min()) / np.ptp(total))

    images = {name: RNG.random((2, 4, 5)) for name in ("wat", "fat", "opp")}
    pairs = ["wat+opp", "fat+opp", "0.3*wat+0.7*fat", "wat+fat+opp"]
    expected = fusion.fuse(images, pairs)
    own.check(fuse)
    with own.plugged(fuse) as at_work:
        found = fusion.images_of(images, (*pairs, "wat"))
    assert at_work["fuse"].calls == 4
    for pair in pairs:
        assert found[pair].dtype == np.float32
        np.testing.assert_allclose(found[pair], expected[pair], atol=1e-6)


def test_what_the_library_refuses_is_refused_with_a_students_function_too():
    own.check(lesson01.fuse)
    with own.plugged(lesson01.fuse):
        fusion.fuse({"wat": np.arange(3.0), "opp": np.arange(3.0)}, ["wat+opp"])
        with pytest.raises(DataError, match="contrast fat is missing"):
            fusion.fuse({"wat": np.arange(3.0)}, ["wat+fat"])
