"""Losses against their closed forms."""

import numpy as np
import pytest
from keras import ops

from ivdlib import options
from ivdlib.errors import ConfigError
from ivdlib.networks import losses


@pytest.fixture
def pair():
    rng = np.random.default_rng(0)
    truth = (rng.random((3, 4, 5, 1)) < 0.3).astype(np.float32)
    return truth, rng.random((3, 4, 5, 1)).astype(np.float32)


def value(name, truth, probability):
    result = losses.loss(name)(ops.convert_to_tensor(truth), ops.convert_to_tensor(probability))
    result = ops.convert_to_numpy(result)
    assert result.shape == ()
    return float(result)


def entropy(truth, p):
    p = np.clip(p.astype(np.float64), 1e-7, 1 - 1e-7)
    return -np.mean(truth * np.log(p) + (1 - truth) * np.log(1 - p))


def dice(truth, p):
    return 1 - (2 * (truth * p).sum() + 1) / (truth.sum() + p.sum() + 1)


def test_the_closed_forms(pair):
    assert value("bce", *pair) == pytest.approx(entropy(*pair), rel=1e-5)
    assert value("dice", *pair) == pytest.approx(dice(*pair), rel=1e-5)
    assert value("bce_dice", *pair) == pytest.approx(entropy(*pair) + dice(*pair), rel=1e-5)


@pytest.mark.parametrize("name", losses._LOSSES)
def test_a_perfect_answer_costs_nothing_and_the_opposite_is_finite(name, pair):
    truth, _ = pair
    assert value(name, truth, truth) == pytest.approx(0, abs=1e-5)
    worst = value(name, truth, 1 - truth)
    assert np.isfinite(worst) and worst > 0.9


def test_a_batch_without_any_disc():
    empty = np.zeros((2, 4, 4, 1), np.float32)
    assert value("dice", empty, empty) == 0
    assert value("dice", empty, empty + 0.5) == pytest.approx(1 - 1 / (16 + 1))


def test_dice_takes_the_batch_as_one_volume():
    truth = np.zeros((2, 2, 2, 1), np.float32)
    truth[0] = 1
    guess = np.zeros_like(truth)
    guess[1, 0, 0] = 1
    guess[0] = 1
    assert value("dice", truth, guess) == pytest.approx(1 - 9 / 10)


def test_an_unknown_loss_names_those_there_are():
    with pytest.raises(ConfigError, match="unknown loss 'focal'; known are bce_dice, bce, dice"):
        losses.loss("focal")


def test_the_profiles_know_the_same_losses():
    assert tuple(losses._LOSSES) == options.LOSSES
