"""The two convolutions against NumPy: values, gradients, moving statistics."""

import keras
import numpy as np
import pytest
import reference
import tensorflow as tf

from ivdlib import networks

RNG = np.random.default_rng(0)
MOMENTUM = 0.8

# rate, stride, depth multiplier, BN between, map
CASES = {
    "plain": (1, 1, 1, True, (6, 5)),
    "rate 2": (2, 1, 1, True, (7, 5)),
    "rate beyond the map": (5, 1, 1, False, (4, 3)),
    "rate 7": (7, 1, 1, True, (9, 8)),
    "rate 3, two filters": (3, 1, 2, True, (5, 4)),
    "stride, four filters": (1, 2, 4, True, (7, 6)),
    "stride, one BN": (1, 2, 1, False, (6, 5)),
}
RELUS = ("before", "inside", "after", "none")


def image(shape, channels=3, batch=2):
    return RNG.uniform(-1, 1, (batch, *shape, channels)).astype(np.float32)


def separable(case, relu, x, filters=5):
    rate, stride, multiplier, between, _ = CASES[case]
    layer = networks.SeparableConv(
        filters,
        relu,
        multiplier,
        between,
        rate=rate,
        stride=stride,
        norm={"momentum": MOMENTUM},
        name="layer",
    )
    layer.build(x.shape)
    reference.randomise(layer)
    return layer


def moved_statistics(before, seen):
    """Moving statistics after one step, from what the reference saw in it."""
    return {
        f"{norm}/{name}": before[f"{norm}/{name}"] * MOMENTUM + value * (1 - MOMENTUM)
        for norm, statistics in seen.items()
        for name, value in statistics.items()
    }


def check_values(layer, x, wanted):
    """`wanted(x, weights, training=..., seen=...)` is the reference."""
    before, x64 = reference.weights_of(layer), x.astype(float)
    inference = np.array(layer(x, training=False))
    reference.assert_close(inference, wanted(x64, before), message="inference")
    assert inference.shape == layer.compute_output_shape(x.shape)
    for name, value in reference.weights_of(layer).items():
        np.testing.assert_array_equal(value, before[name], err_msg=name)
    seen = {}
    want = wanted(x64, before, training=True, seen=seen)
    reference.assert_close(np.array(layer(x, training=True)), want, message="training")
    expected = moved_statistics(before, seen)
    assert len(expected) == 2 * sum("gamma" in name for name in before)
    after = reference.weights_of(layer)
    for name in before:
        reference.assert_close(after[name], expected.get(name, before[name]), 1e-5, name)


def check_gradients(layer, x, wanted, training=True, compiled=False, tolerance=1e-4):
    weights, x64 = reference.weights_of(layer), x.astype(float)
    upstream = RNG.uniform(-1, 1, wanted(x64, weights).shape)
    learned = {w.path.split("layer/")[1] for w in layer.trainable_weights}
    kept = {name: value for name, value in weights.items() if name not in learned}

    def total(values):
        values = kept | values
        return np.sum(upstream * wanted(values.pop("x"), values, training=training))

    want = reference.slopes(total, {"x": x64} | {name: weights[name] for name in learned})
    _, got = reference.output_and_gradients(layer, x, upstream, training, compiled)
    reference.assert_same_gradients(got, want, tolerance)


def separable_reference(case, relu, frozen=()):
    rate, stride, *_ = CASES[case]

    def wanted(x, weights, training=False, seen=None):
        return reference.separable(x, weights, rate, stride, relu, training, seen, frozen)

    return wanted


@pytest.mark.parametrize("relu", RELUS)
@pytest.mark.parametrize("case", CASES)
def test_separable_conv_is_the_reference(case, relu, way):
    x = image(CASES[case][-1])
    check_values(separable(case, relu, x), x, separable_reference(case, relu))


@pytest.mark.parametrize(
    ("case", "relu"),
    [(case, RELUS[i % 4]) for i, case in enumerate(CASES)]
    + [("rate 2", relu) for relu in ("before", "after", "none")],
)
def test_separable_conv_has_the_reference_gradients(case, relu, way):
    x = image(CASES[case][-1])
    check_gradients(separable(case, relu, x), x, separable_reference(case, relu))


@pytest.mark.parametrize("relu", ["before", "inside"])
def test_separable_conv_has_the_reference_gradients_in_inference(relu, way):
    x = image((6, 5))
    wanted = separable_reference("rate 2", relu)
    check_gradients(separable("rate 2", relu, x), x, wanted, training=False)


@pytest.mark.parametrize(("channels", "filters"), [(16, 32), (16, 5), (5, 16)])
def test_separable_conv_of_vector_width_is_the_reference(channels, filters, way):
    x = image((3, 4), channels)
    layer = separable("rate 2", "before", x, filters)
    wanted = separable_reference("rate 2", "before")
    check_values(layer, x, wanted)
    check_gradients(layer, x, wanted)


@pytest.mark.parametrize("relu", ["before", "inside"])
def test_a_compiled_step_has_the_same_gradients(relu, way):
    x = image((7, 5))
    wanted = separable_reference("rate 2", relu)
    check_gradients(separable("rate 2", relu, x), x, wanted, compiled=True)


CONVOLUTIONS = {
    # kernel, rate, stride, map
    "1x1": (1, 1, 1, (4, 5)),
    "1x1 with stride": (1, 1, 2, (5, 6)),
    "3x3": (3, 1, 1, (4, 5)),
    "3x3 with rate": (3, 3, 1, (5, 4)),
    "3x3 with rate beyond the map": (3, 6, 1, (3, 4)),
    "3x3 with stride": (3, 1, 2, (7, 6)),
    "5x5 with stride": (5, 1, 2, (6, 5)),
}


@pytest.mark.parametrize("relu", ["before", "after", "none"])
@pytest.mark.parametrize("case", CONVOLUTIONS)
def test_conv_norm_is_the_reference(case, relu, way):
    side, rate, stride, shape = CONVOLUTIONS[case]
    x = image(shape)
    norm = {"momentum": MOMENTUM}
    layer = networks.ConvNorm(4, side, relu, rate=rate, stride=stride, norm=norm, name="layer")
    layer.build(x.shape)
    reference.randomise(layer)

    def wanted(x, weights, training=False, seen=None):
        return reference.conv_norm(x, weights, rate, stride, relu, training, seen)

    check_values(layer, x, wanted)
    check_gradients(layer, x, wanted)


def test_a_strided_1x1_convolution_runs_without_a_strided_operation(take):
    """Its gradient ends the process with TensorFlow 2.21 on AVX-512 (see `ConvNorm`)."""
    take("apart")
    layer = networks.ConvNorm(4, stride=2, relu="none")
    x = image((6, 5))

    @tf.function(jit_compile=False)
    def step(x):
        with tf.GradientTape() as tape:
            y = layer(x, training=True)
        return y, tape.gradient(y, layer.kernel.value)

    layer.build(x.shape)
    operations = step.get_concrete_function(tf.constant(x)).graph.get_operations()
    convolutions = [op for op in operations if op.type.startswith("Conv2D")]
    assert {op.type for op in convolutions} >= {"Conv2D", "Conv2DBackpropFilter"}
    assert {tuple(op.get_attr("strides")) for op in convolutions} == {(1, 1, 1, 1)}


def test_a_frozen_layer_uses_and_keeps_its_moving_statistics(way):
    x = image((6, 5))
    layer = separable("rate 2", "before", x)
    layer.trainable = False
    before = reference.weights_of(layer)
    got, gradients = reference.output_and_gradients(layer, x, np.ones((2, 6, 5, 5)))
    wanted = separable_reference("rate 2", "before")
    reference.assert_close(got, wanted(x.astype(float), before, training=False))
    for name, value in reference.weights_of(layer).items():
        np.testing.assert_array_equal(value, before[name], err_msg=name)
    assert gradients.keys() == {"x"}
    check_gradients(
        layer, x, lambda x, w, training=False: wanted(x, w, training=False), training=True
    )


@pytest.mark.parametrize("frozen", ["depthwise_norm", "pointwise_norm"])
def test_one_frozen_normalisation_leaves_the_other_one_learning(frozen, way):
    x = image((6, 5))
    layer = separable("rate 2", "before", x)
    getattr(layer, frozen).trainable = False
    before, seen = reference.weights_of(layer), {}
    wanted = separable_reference("rate 2", "before", frozen=(frozen,))
    want = wanted(x.astype(float), before, training=True, seen=seen)
    reference.assert_close(np.array(layer(x, training=True)), want)
    after, expected = reference.weights_of(layer), before | moved_statistics(before, seen)
    assert len(seen) == 1
    for name in before:
        reference.assert_close(after[name], expected[name], 1e-5, name)
    check_gradients(layer, x, wanted)


@pytest.mark.parametrize("relu", ["inside", "after", "none"])
def test_a_single_pixel_has_no_variance(relu, way):
    x = image((1, 1), batch=1)
    layer = separable("rate 2", relu, x)
    wanted = separable_reference("rate 2", relu)
    check_values(layer, x, wanted)
    check_gradients(layer, x, wanted)
    beta = reference.weights_of(layer)["pointwise_norm/beta"]
    want = beta if relu == "none" else reference.relu(beta)
    reference.assert_close(np.array(layer(x, training=True))[0, 0, 0], want)


@pytest.mark.parametrize("case", ["rate 2", "rate beyond the map"])
def test_constant_channels_have_no_variance(case, way):
    """A channel of zeros coming in, and one going out."""
    x = image(CASES[case][-1])
    x[..., 0] = 0
    layer = separable(case, "none", x)
    pointwise = np.array(layer.pointwise.value)
    pointwise[..., 1] = 0
    layer.pointwise.assign(pointwise)
    wanted = separable_reference(case, "none")
    check_values(layer, x, wanted)
    check_gradients(layer, x, wanted)


def test_channels_that_a_relu_has_killed_stay_finite(way):
    x = image((6, 5))
    layer = separable("rate 2", "inside", x)
    layer.depthwise_norm.beta.assign([-100, -100, 0.2])
    wanted = separable_reference("rate 2", "inside")
    check_values(layer, x, wanted)
    check_gradients(layer, x, wanted)


def test_synchronised_statistics_on_one_replica_are_those_of_the_batch(way):
    x = image((6, 5))
    norm = {"momentum": MOMENTUM, "synchronized": True}
    layer = networks.SeparableConv(5, rate=2, norm=norm, name="layer")
    layer.build(x.shape)
    reference.randomise(layer)
    wanted = separable_reference("rate 2", "before")
    check_values(layer, x, wanted)
    check_gradients(layer, x, wanted)


@pytest.mark.parametrize("precision", ["mixed_bfloat16", "mixed_float16"])
@pytest.mark.parametrize("kind", ["SeparableConv", "ConvNorm"])
def test_mixed_precision_is_near_the_reference(precision, kind, take):
    take("plain")
    x = image((6, 5), 16)
    arguments = {"rate": 2, "dtype": precision, "name": "layer"}
    if kind == "ConvNorm":
        layer = networks.ConvNorm(5, 3, **arguments)
    else:
        layer = networks.SeparableConv(5, **arguments)
    layer.build(x.shape)
    reference.randomise(layer)
    weights = reference.weights_of(layer)
    function = reference.conv_norm if kind == "ConvNorm" else reference.separable
    for way in ("plain", "fast"):
        take(way if way == "plain" else "apart")
        y = layer(x, training=False)
        assert keras.backend.standardize_dtype(y.dtype) == precision.removeprefix("mixed_")
        tolerance = 3e-2 if precision == "mixed_bfloat16" else 4e-3
        want = function(x.astype(float), weights, rate=2)
        reference.assert_close(np.array(tf.cast(y, "float32")), want, tolerance)
    assert {w.dtype for w in layer.weights} == {"float32"}


@pytest.mark.parametrize("kind", [networks.SeparableConv, networks.ConvNorm])
def test_a_rate_and_a_stride_together_are_refused(kind):
    with pytest.raises(ValueError, match="both_here: rate 2 and stride 2"):
        kind(4, rate=2, stride=2, name="both_here")


@pytest.mark.parametrize(
    "layer",
    [
        networks.SeparableConv(5, "after", 4, False, stride=2, norm={"epsilon": 1e-5}, name="a"),
        networks.SeparableConv(3, rate=5, dtype="mixed_bfloat16"),
        networks.ConvNorm(5, 3, "before", rate=3, norm={"momentum": 0.5}),
        networks.ConvNorm(2, stride=2, relu="none"),
    ],
)
def test_layers_come_back_from_their_configuration(layer):
    again = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(layer))
    assert type(again) is type(layer)
    assert again.get_config() == layer.get_config()
    x = image((6, 5))
    layer.build(x.shape)
    again.build(x.shape)
    reference.randomise(layer)
    again.set_weights(layer.get_weights())
    np.testing.assert_array_equal(np.array(again(x)), np.array(layer(x)))
    inner = [n for n in (layer, again) if hasattr(n, "pointwise_norm")]
    norms = [n.pointwise_norm for n in inner] or [layer.batch_norm, again.batch_norm]
    assert norms[0].epsilon == norms[1].epsilon == layer.norm.get("epsilon", 1e-3)
    assert norms[0].momentum == norms[1].momentum == layer.norm.get("momentum", 0.99)
