"""A network of a student's layers takes trained weights, and answers as the library's."""

import keras
import numpy as np
import pytest

from ivdlib import networks
from ivdlib.course import own
from ivdlib.course.exercises import WrongAnswer
from ivdlib.course.own import checked
from ivdlib.course.own.lesson03_mistakes import SEPARABLE, _module, _separable
from ivdlib.course.own.places import fill, take_weights

SHAPE = (12, 16, 1)
CONFIG = networks.FDSCNNConfig(width=0.03, middle_units=1, stem_depth_multiplier=2)


@pytest.fixture(scope="module")
def trained():
    """The library's network, all of whose numbers are as if they were trained."""
    model = networks.build("fds_cnn", CONFIG, SHAPE)
    fill(model.layers)
    return model


def separable(x, filters, rate):
    return _separable(x, filters, rate)


def xception_module(x, widths, rates, shortcut):
    return _module(x, widths, rates, shortcut)


@pytest.mark.parametrize(
    ("functions", "calls"),
    [((separable,), 1 + 5 * 3), ((xception_module,), 5), ((separable, xception_module), 6)],
)
def test_trained_weights_fit_a_students_layers(functions, calls, trained, monkeypatch):
    for function in functions:
        monkeypatch.setitem(checked.PASSED, function.__name__, function)
    with own.plugged(*functions) as at_work:
        mine = networks.build("fds_cnn", CONFIG, SHAPE)
    assert sum(counted.calls for counted in at_work.values()) == calls
    assert take_weights(mine, trained) > 0
    tile = np.random.default_rng(0).random((1, *SHAPE), np.float32)
    ours, theirs = (keras.ops.convert_to_numpy(m(tile, training=False)) for m in (mine, trained))
    assert theirs.std() > 0 and np.allclose(ours, theirs, atol=1e-5)
    assert mine.count_params() == trained.count_params()


def test_layers_that_do_not_fit_are_told(trained, monkeypatch):
    wrong = next(iter(SEPARABLE.values()))  # no normalisation in between
    monkeypatch.setitem(checked.PASSED, "separable", wrong)
    with own.plugged(wrong, names=("separable",)):
        mine = networks.build("fds_cnn", CONFIG, SHAPE)
    with pytest.raises(WrongAnswer, match="conv2: your layers are depthwise depthwise-conv"):
        take_weights(mine, trained)
