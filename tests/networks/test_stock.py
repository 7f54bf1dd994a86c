"""The networks equal those written with the layers of Keras alone (`benchmarks/peers/stock.py`)."""

import importlib.util
from dataclasses import replace
from pathlib import Path

import keras
import numpy as np
import pytest

from ivdlib import networks
from ivdlib.networks import backend, fast, losses

SHAPE = (32, 48, 1)
CONFIGS = {
    "fds_cnn": replace(networks.config_of("fds_cnn", "tiny"), middle_units=1, dropout=0.0),
    "unet": networks.UNetConfig(base=4, levels=4),
}


@pytest.fixture(scope="module")
def stock():
    path = Path(__file__).resolve().parents[2] / "benchmarks" / "peers" / "stock.py"
    spec = importlib.util.spec_from_file_location("stock", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def pair(stock, name, precision="float32"):
    """Both networks with equal weights, and a batch; each BN has a scale and offset of its own."""
    keras.utils.set_random_seed(3)
    config, rng = CONFIGS[name], np.random.default_rng(0)
    ours = networks.build(name, config, SHAPE, precision)
    with backend.policy(precision):
        theirs = stock.STOCK[name](config, SHAPE)
    for weight in ours.trainable_weights:
        if weight.name in ("gamma", "beta", "bias"):
            weight.assign(np.array(weight.value) + rng.uniform(-0.2, 0.2, weight.shape))
    stock.copy_weights(stock.weights(ours), theirs)
    assert stock.weights(ours).keys() == stock.weights(theirs).keys()
    assert ours.count_params() == theirs.count_params()
    x = rng.uniform(0, 1, (2, *SHAPE)).astype(np.float32)
    y = (rng.uniform(0, 1, (2, *SHAPE)) < 0.3).astype(np.float32)
    return ours, theirs, x, y


def values(stock, model):
    return {name: np.array(v.value, np.float64) for name, v in stock.weights(model).items()}


def train(model, x, y, eagerly):
    """One step of plain gradient descent; the loss before it."""
    model.compile(
        keras.optimizers.SGD(0.1),
        losses.loss("bce_dice"),
        run_eagerly=eagerly,
        jit_compile=False,
    )
    return model.train_on_batch(x, y)


def assert_same_answers(ours, theirs, x, tolerance):
    for training in (False, True):
        want = np.array(theirs(x, training=training))
        assert np.ptp(want) > 1e-3
        got = np.array(ours(x, training=training))
        np.testing.assert_allclose(got, want, rtol=0, atol=tolerance)


@pytest.mark.parametrize(
    ("name", "folds"), [("fds_cnn", True), ("fds_cnn", False), ("unet", False)]
)
def test_a_step_in_double_precision_is_that_of_the_stock_network(name, folds, stock, monkeypatch):
    """Float64: no rounding puts a pixel on the other side of a ReLU, so all agrees closely."""
    monkeypatch.setattr(fast, "folds", lambda *_: folds)
    ours, theirs, x, y = pair(stock, name, "float64")
    before = values(stock, theirs)
    losses_before = [train(model, x, y, eagerly=True) for model in (ours, theirs)]
    assert losses_before[0] == pytest.approx(losses_before[1], rel=1e-6)
    got, want = values(stock, ours), values(stock, theirs)
    moved = 0
    for key, old in before.items():
        change = np.abs(want[key] - old).max()
        np.testing.assert_allclose(got[key], want[key], rtol=0, atol=1e-4 * change + 1e-8)
        moved += change > 1e-6
    assert moved > 0.7 * len(before)
    # The last activation is in float32.
    assert_same_answers(ours, theirs, x, 1e-6)


@pytest.mark.parametrize("name", CONFIGS)
def test_the_fast_network_trains_and_answers_as_the_stock_one(name, stock, monkeypatch):
    """In float32 the step agrees to some per cent: rounding moves pixels across a ReLU."""
    monkeypatch.delenv("IVDLIB_KERNELS", raising=False)
    ours, theirs, x, y = pair(stock, name)
    assert_same_answers(ours, theirs, x, 1e-4)
    stock.copy_weights(stock.weights(ours), theirs)
    before = values(stock, theirs)
    losses_before = [train(model, x, y, eagerly=False) for model in (ours, theirs)]
    assert losses_before[0] == pytest.approx(losses_before[1], rel=1e-5)
    got, want = values(stock, ours), values(stock, theirs)
    difference = sum(np.sum((got[key] - want[key]) ** 2) for key in before)
    change = sum(np.sum((want[key] - before[key]) ** 2) for key in before)
    assert change > 1e-6
    assert difference < 0.05**2 * change
    stock.copy_weights(stock.weights(theirs), ours)
    assert_same_answers(ours, theirs, x, 1e-4)
