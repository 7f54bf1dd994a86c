"""The groups of convolutions against NumPy, from the weights of their layers."""

import keras
import numpy as np
import pytest
import reference

from ivdlib import networks

RNG = np.random.default_rng(0)


def make(function, shape):
    """A network of one group, its weights by layer, and images for it."""
    image = keras.Input(shape)
    model = keras.Model(image, function(image))
    for i, layer in enumerate(model.layers):
        reference.randomise(layer, i)
    weights = {layer.name: reference.weights_of(layer) for layer in model.layers}
    return model, weights, RNG.uniform(-1, 1, (3, *shape)).astype(np.float32)


def run(model, x, training=False):
    return keras.ops.convert_to_numpy(model(x, training=training))


@pytest.mark.parametrize(
    ("shortcut", "stride"), [("conv", 1), ("conv", 2), ("sum", 1), ("none", 1)]
)
@pytest.mark.parametrize("relu", ["before", "inside"])
def test_xception_block_adds_the_way_around(shortcut, stride, relu, way):
    widths = (4, 4, 2 if shortcut == "sum" else 6)
    rates, strides = (1, 2, 1), (1, 1, stride)
    model, weights, x = make(
        lambda t: networks.xception_block(
            t,
            widths,
            "b",
            networks.Convolutions(),
            rates=rates,
            strides=strides,
            shortcut=shortcut,
            relu=relu,
        ),
        (7, 6, 2),
    )
    for training in (False, True):
        want = [x.astype(float)]
        for i in range(3):
            w = weights[f"b_sep{i + 1}"]
            want.append(reference.separable(want[-1], w, rates[i], strides[i], relu, training))
        if shortcut == "conv":
            want[-1] = want[-1] + reference.conv_norm(
                want[0], weights["b_shortcut"], 1, stride, "none", training
            )
        elif shortcut == "sum":
            want[-1] = want[-1] + want[0]
        got = model(x, training=training)
        for one, expected in zip(got, want[1:], strict=True):
            reference.assert_close(keras.ops.convert_to_numpy(one), expected, 1e-4)


@pytest.mark.parametrize(
    ("rates", "pointwise", "pooling"),
    [((2, 9), True, True), ((2, 9), False, False), ((2,), False, False), ((), True, True)],
)
def test_aspp_is_the_reference(rates, pointwise, pooling, way):
    """A rate beyond the map, and the mean of the image in every pixel."""
    model, weights, x = make(
        lambda t: networks.aspp(
            t,
            3,
            networks.Convolutions(),
            rates=rates,
            pointwise=pointwise,
            image_pooling=pooling,
            dropout=0.0,
        ),
        (6, 5, 4),
    )
    for training in (False, True):
        x64 = x.astype(float)
        branches = []
        if pointwise:
            branches.append(reference.conv_norm(x64, weights["aspp_1x1"], training=training))
        for i, rate in enumerate(rates, 1):
            w = weights[f"aspp_sep{i}"]
            branches.append(reference.separable(x64, w, rate, 1, "inside", training))
        if pooling:
            mean = x64.mean((1, 2), keepdims=True)
            pooled = reference.conv_norm(mean, weights["aspp_pool"], training=training)
            branches.append(np.broadcast_to(pooled, (3, 6, 5, 3)))
        joined = np.concatenate(branches, -1)
        want = reference.conv_norm(joined, weights["aspp_project"], training=training)
        reference.assert_close(run(model, x, training), want, 1e-4)


def test_aspp_without_branches_is_a_1x1_convolution():
    model, weights, x = make(
        lambda t: networks.aspp(
            t, 3, networks.Convolutions(), rates=(), pointwise=False, image_pooling=False
        ),
        (6, 5, 4),
    )
    want = reference.conv_norm(x.astype(float), weights["aspp_project"])
    reference.assert_close(run(model, x), want, 1e-4)
    assert len(weights) == 3


def test_aspp_drops_the_share_of_its_output_in_training():
    keras.utils.set_random_seed(0)
    model, _, x = make(
        lambda t: networks.aspp(t, 64, networks.Convolutions(), rates=(), dropout=0.25), (12, 12, 4)
    )
    model.get_layer("aspp_project").batch_norm.beta.assign(np.full(64, 100.0))
    assert (run(model, x, False) > 0).all()
    assert np.mean(run(model, x, True) == 0) == pytest.approx(0.25, abs=0.01)


@pytest.mark.parametrize("relu", ["before", "inside", "after", "none"])
def test_a_standard_convolution_has_one_relu(relu):
    """Inside, where a separable one has two, is after: there is only one place."""
    convolutions = networks.Convolutions("standard")
    model, weights, x = make(lambda t: convolutions.three(t, 5, "c", relu=relu, rate=2), (6, 5, 3))
    assert weights["c"]["kernel"].shape == (3, 3, 3, 5)
    where = "after" if relu == "inside" else relu
    want = reference.conv_norm(x.astype(float), weights["c"], 2, 1, where)
    reference.assert_close(run(model, x), want)


def test_convolutions_hand_their_choices_to_the_layers():
    convolutions = networks.Convolutions("separable", False, {"momentum": 0.5, "epsilon": 1e-5})
    image = keras.Input((6, 5, 3))
    small = convolutions.three(image, 4, "s", relu="after", depth_multiplier=2)
    other = convolutions.three(image, 4, "c", relu="after", kind="standard", stride=2)
    model = keras.Model(image, [small, other, convolutions.one(image, 4, "one", stride=2)])
    s, c, one = (model.get_layer(name) for name in ("s", "c", "one"))
    assert isinstance(s, networks.SeparableConv)
    assert s.depthwise.shape == (3, 3, 3, 2)
    assert s.depthwise_norm is None
    assert isinstance(c, networks.ConvNorm)
    assert tuple(c.kernel.shape) == (3, 3, 3, 4)
    assert tuple(one.kernel.shape) == (1, 1, 3, 4)
    assert one.output.shape == c.output.shape == (None, 3, 3, 4)
    norms = (s.pointwise_norm, c.batch_norm, one.batch_norm)
    assert {(n.momentum, n.epsilon) for n in norms} == {(0.5, 1e-5)}


def test_probabilities_are_float32_under_mixed_precision():
    logits = keras.ops.cast(np.array([[[[0.0]]]]), "bfloat16")
    out = networks.probabilities(logits)
    assert keras.backend.standardize_dtype(out.dtype) == "float32"
    two = networks.probabilities(np.zeros((1, 1, 1, 2), np.float32))
    np.testing.assert_allclose(keras.ops.convert_to_numpy(two).ravel(), [0.5, 0.5])
