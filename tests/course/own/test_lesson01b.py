"""A step of gradient descent: its gradient by finite differences, its fit beside a library's."""

import numpy as np
import pytest
from scipy import special
from sklearn.linear_model import LogisticRegression

from ivdlib.course import own
from ivdlib.course.exercises import WrongAnswer
from ivdlib.course.own import lesson01b
from ivdlib.training import baselines


@pytest.fixture
def rows():
    """Voxels of two features, and which are disc."""
    rng = np.random.default_rng(0)
    table = rng.normal(size=(4000, 2))
    return table, rng.random(4000) < special.expit(table @ [1.5, -1.0] - 2)


def logistic_step(weights, features, truth, rate):
    chance = 1 / (1 + np.exp(-features @ weights))
    return weights - rate * features.T @ (chance - truth) / len(truth)


def said(function):
    """The sentence of a check that fails."""
    with pytest.raises(WrongAnswer) as caught:
        own.check(function, name="logistic_step")
    return str(caught.value)


def test_the_loss_is_the_mean_cross_entropy_and_stays_finite(rows):
    features, truth = np.concatenate([np.ones((4000, 1)), rows[0]], axis=1), rows[1]
    weights = np.array([0.3, -1.0, 2.0])
    chance = special.expit(features @ weights)
    expected = -np.mean(np.log(np.where(truth, chance, 1 - chance)))
    assert lesson01b.loss(weights, features, truth) == pytest.approx(expected)
    assert np.isfinite(lesson01b.loss(1e6 * weights, features, truth))


def test_steps_come_to_where_scikit_learn_comes(rows):
    table, truth = rows
    usual = LogisticRegression(C=1e6).fit(table, truth)
    by_step = lesson01b.ByStep(logistic_step)
    by_step.fit(table, truth)
    found = by_step.predict_proba(table)
    assert np.allclose(found.sum(axis=1), 1)
    assert np.abs(found - usual.predict_proba(table)).max() < 0.15


def test_it_fits_the_row_of_the_library(rows):
    own.check(logistic_step)
    with own.plugged(logistic_step) as at_work:
        fitted = baselines._classifier().fit(*rows)
    assert isinstance(fitted, lesson01b.ByStep) and at_work["logistic_step"].calls > 10
    assert isinstance(baselines._classifier(), LogisticRegression)


def test_what_nobody_has_catalogued_is_found_by_finite_differences():
    def halved(weights, features, truth, rate):
        return (weights + logistic_step(weights, features, truth, rate)) / 2

    def uphill_by_half(weights, features, truth, rate):
        return weights + (weights - logistic_step(weights, features, truth, rate)) / 2

    assert "the loss does not change as your gradient says" in said(halved)
    assert "the loss rises; it should fall" in said(uphill_by_half)


def test_one_that_writes_into_the_weights():
    def in_place(weights, features, truth, rate):
        weights -= weights - logistic_step(weights, features, truth, rate)
        return weights

    assert "logistic_step changes what it was given" in said(in_place)


def test_a_result_of_another_shape():
    told = said(lambda weights, features, truth, rate: weights[:, None])
    assert "the result should be an array of shape (2,), and is an array of shape (2, 1)" in told
