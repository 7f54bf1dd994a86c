"""DeepLabv3+: parameters, resolutions, and that its maps stay aligned."""

import keras
import numpy as np
import pytest

from ivdlib import networks
from ivdlib.errors import ConfigError


@pytest.fixture(scope="module")
def whole():
    return networks.build("deeplabv3plus", "whole", (112, 128, 3))


def test_whole_network_has_the_published_parameters(whole):
    assert whole.count_params() == 41_258_213
    assert whole.output_shape == (None, 112, 128, 21)


def test_output_stride_16_and_the_skip_at_4(whole):
    for name, size in (
        ("conv1", (56, 64)),
        ("entry2_sep2", (28, 32)),
        ("entry2_sep3", (14, 16)),
        ("middle16_sep1", (7, 8)),
        ("exit2_sep3", (7, 8)),
        ("decoder2", (28, 32)),
    ):
        assert whole.get_layer(name).output.shape[1:3] == size, name
    assert whole.get_layer("skip").input is whole.get_layer("entry2_sep2").output
    for i, rate in enumerate((6, 12, 18), 1):
        assert whole.get_layer(f"aspp_sep{i}").rate == rate
    assert [whole.get_layer(f"exit2_sep{i}").rate for i in (1, 2, 3)] == [2, 2, 2]
    assert [whole.get_layer(f"entry3_sep{i}").stride for i in (1, 2, 3)] == [1, 1, 2]


def test_classes_add_up_to_one():
    config = networks.DeepLabV3PlusConfig(width=0.05, middle_units=1, classes=3)
    model = networks.build("deeplabv3plus", config, (16, 16, 3))
    x = np.random.default_rng(0).uniform(0, 1, (1, 16, 16, 3)).astype(np.float32)
    total = keras.ops.convert_to_numpy(model(x, training=False)).sum(-1)
    np.testing.assert_allclose(total, 1, atol=1e-5)


def test_a_point_stays_where_it_is():
    """With kernels that only smooth, the answer to a point is symmetric about that point."""
    config = networks.DeepLabV3PlusConfig(width=0.02, middle_units=1, classes=1, aspp_rates=(1,))
    model = networks.build("deeplabv3plus", config, (640, 16, 1))
    kernels = [w for w in model.weights if w.name in ("kernel", "depthwise", "pointwise")]
    assert len(kernels) == 53
    for kernel in kernels:
        kernel.assign(np.ones(kernel.shape) / 9)
    x = np.zeros((1, 640, 16, 1), np.float32)
    x[0, 320] = 1
    logits = keras.Model(model.input, model.get_layer("upsample").output)
    line = keras.ops.convert_to_numpy(logits(x, training=False))[0, :, 0, 0]
    before, behind = line[320:220:-1], line[320:420]
    assert before[0] > 1.5 * before[-1] > 0
    np.testing.assert_allclose(before, behind, rtol=1e-3)


def test_a_skip_elsewhere_is_refused():
    config = networks.config_of("deeplabv3plus", "tiny")
    strides = ((2,), (1,), (1, 1, 1), *config.strides[3:])
    with pytest.raises(ConfigError, match="skip"):
        networks.DeepLabV3PlusConfig(strides=strides)


def test_head_and_body_have_their_own_epsilon(whole):
    head = ("aspp_1x1", "aspp_pool", "aspp_project", "skip")
    assert {whole.get_layer(name).batch_norm.epsilon for name in head} == {1e-5}
    for name in ("aspp_sep1", "decoder1", "decoder2"):
        layer = whole.get_layer(name)
        assert layer.depthwise_norm.epsilon == layer.pointwise_norm.epsilon == 1e-5
    assert whole.get_layer("exit2_sep3").pointwise_norm.epsilon == 1e-3
    assert whole.get_layer("conv1").batch_norm.epsilon == 1e-3
