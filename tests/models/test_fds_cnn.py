"""FDS-CNN: parameters of the published configuration and of the alternatives, and their effect."""

import math
from dataclasses import replace

import keras
import numpy as np
import pytest

from ivdlib import models
from ivdlib.errors import ConfigError

PAPER = models.config("fds_cnn", "paper")
TINY = models.config("fds_cnn", "tiny")
STRIDES = PAPER.strides


def trainable(model):
    return sum(math.prod(w.shape) for w in model.trainable_weights)


@pytest.fixture(scope="module")
def paper():
    return models.build("fds_cnn", "paper")


def test_paper_size(paper):
    assert trainable(paper) == 10_446_849
    assert paper.count_params() - trainable(paper) == 101_656


def test_paper_works_at_half_resolution_throughout(paper):
    """One down-sampling in the entire model (Sect. 2.2): 56 x 64 from conv1 to the logits."""
    sizes = {
        layer.output.shape[1:3]
        for layer in paper.layers
        if layer.name.endswith(("_pointwise", "_conv")) and not layer.name.startswith("aspp_pool")
    }
    assert sizes == {(56, 64)}
    assert paper.get_layer("decoder_concat").output.shape[-1] == 200


def test_paper_rates_are_those_of_the_configuration(paper):
    for name, rates in (("entry2", (1, 2, 5)), ("middle16", (1, 2, 5)), ("exit2", (1, 2, 5))):
        got = [paper.get_layer(f"{name}_sep{i}_depthwise").dilation_rate[0] for i in (1, 2, 3)]
        assert tuple(got) == rates
    assert paper.get_layer("conv2_depthwise").dilation_rate == (2, 2)
    for rate in PAPER.aspp_rates:
        assert paper.get_layer(f"aspp_rate{rate}_depthwise").dilation_rate == (rate, rate)


def test_relu_stands_inside_only_where_deeplab_has_it(paper):
    names = [layer.name for layer in paper.layers]
    inside = {n.removesuffix("_depthwise_relu") for n in names if n.endswith("_depthwise_relu")}
    pyramid = {f"aspp_rate{rate}" for rate in (6, 12, 18)}
    assert inside == pyramid | {f"exit2_sep{i}" for i in (1, 2, 3)} | {"decoder1", "decoder2"}


@pytest.mark.parametrize(
    ("config", "count"),
    [
        (TINY, 317_784),
        (models.config("fds_cnn", "laptop"), 1_417_109),
        (replace(PAPER, middle_units=8), 7_153_377),
        (replace(PAPER, stem_depth_multiplier=1), 10_446_444),
        (replace(PAPER, image_pooling=False), 10_299_137),
    ],
    ids=["tiny", "laptop", "middle 8", "literal stem", "no image pooling"],
)
def test_parameters(config, count):
    assert trainable(models.build("fds_cnn", config)) == count


def shifted(stride_at):
    """One stride of 2, at another place; that layer's rate is 1."""
    strides = [[1] * len(group) for group in STRIDES]
    rates = [list(group) for group in PAPER.rates]
    block, convolution = stride_at
    strides[block][convolution] = 2
    rates[block][convolution] = 1
    return {"strides": strides, "rates": rates}


ALTERNATIVES = {
    "stride at conv2": shifted((1, 0)),
    "stride at the third layer": shifted((2, 0)),
    "no stride": {"strides": [[1] * len(group) for group in STRIDES]},
    "rates 1, 2, 3": {"rates": [[1], [2]] + [[1, 2, 3]] * 6},
    "pyramid 3, 6, 12": {"aspp_rates": (3, 6, 12)},
    "no 1x1 branch": {"aspp_pointwise": False},
    "no image pooling": {"image_pooling": False},
    "first skip from the end of entry1": {"first_skip": 3},
    "wide skips": {"skip_width": 96},
    "standard stem": {"stem": "standard"},
    "literal stem": {"stem_depth_multiplier": 1},
    "ReLU inside": {"relu_inside": True},
    "BN after pointwise only": {"norm_between": False},
    "softmax": {"head": "softmax"},
}


def answer(config):
    """In training mode: the statistics of the batch, where fresh moving ones hide the image."""
    keras.utils.set_random_seed(1)
    x = np.random.default_rng(0).uniform(0, 1, (2, 20, 16, 1)).astype(np.float32)
    model = models.build("fds_cnn", config, (20, 16, 1))
    return keras.ops.convert_to_numpy(model(x, training=True))


SMALL = replace(TINY, middle_units=1, dropout=0.0)


@pytest.fixture(scope="module")
def default_answer():
    return answer(SMALL)


@pytest.mark.parametrize("change", ALTERNATIVES.values(), ids=ALTERNATIVES.keys())
def test_each_alternative_builds_and_changes_the_answer(change, default_answer):
    got = answer(replace(SMALL, **change))
    assert got.shape == (2, 20, 16, 1)
    assert np.isfinite(got).all()
    assert np.abs(got - default_answer).max() > 1e-3


def test_enlarging_logits_or_features_is_the_same_function():
    x = np.random.default_rng(0).uniform(0, 1, (1, 20, 16, 1)).astype(np.float32)
    logits, features = (
        models.build("fds_cnn", replace(SMALL, upsample=what), (20, 16, 1))
        for what in ("logits", "features")
    )
    features.set_weights(logits.get_weights())
    a, b = (keras.ops.convert_to_numpy(m(x, training=True)) for m in (logits, features))
    np.testing.assert_allclose(a, b, atol=1e-4)
    assert features.get_layer("logits").output.shape[1:3] == (20, 16)
    assert logits.get_layer("logits").output.shape[1:3] == (10, 8)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"strides": ((2,), (1,))}, "groups"),
        ({"rates": ((2,), *PAPER.rates[1:])}, "conv1.*set its rate to 1"),
        ({"strides": shifted((3, 0))["strides"]}, "after the first skip"),
        ({"strides": shifted((5, 0))["strides"]}, "middle"),
        ({"stem": "wavelet"}, "separable"),
        ({"head": "tanh"}, "softmax"),
        ({"first_skip": 2}, "first_skip"),
        ({"width": 0.0}, "width"),
        ({"middle_units": 0}, "middle_units"),
    ],
)
def test_what_does_not_fit_is_refused(change, words):
    with pytest.raises(ConfigError, match=words):
        replace(PAPER, **change)
