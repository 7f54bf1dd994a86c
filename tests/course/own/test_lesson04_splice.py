"""Splicing by a student's function."""

import numpy as np

from ivdlib.course import own
from ivdlib.course.own import lesson04_splice
from ivdlib.preprocessing import tiles


def test_splice_works_in_the_place_of_the_librarys():
    def splice(tiles, positions, shape):
        return lesson04_splice.splice(tiles, positions, shape)

    own.check(splice)
    grid = tiles.TileGrid((2, 7, 9), (4, 6), None, 0.5)
    answers = np.random.default_rng(0).random((len(grid.positions), 4, 6), np.float32)
    usual = grid.splice(answers)
    with own.plugged(splice) as at_work:
        theirs = grid.splice(answers)
    assert at_work["splice"].calls == 1 and theirs.dtype == usual.dtype
    np.testing.assert_allclose(theirs, usual, atol=1e-6)


def test_a_splice_of_another_shape_is_told(said):
    told = said(lambda t, p, s: lesson04_splice.splice(t, p, s)[0], "splice")
    assert "the result should be an array of shape (1, 1, 7), and is an array of shape (1, 7)" in (
        told
    )
