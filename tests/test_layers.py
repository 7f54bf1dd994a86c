"""The building blocks against a slow, obvious NumPy reference in float64."""

import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ivdlib import layers

RNG = np.random.default_rng(0)


def randomise(model, seed=0):
    """Give every weight, and the moving statistics, a value that shows when it is misused."""
    rng = np.random.default_rng(seed)
    for layer in model.layers:
        for weight in layer.weights:
            low, high = (0.5, 1.5) if "variance" in weight.name else (-1, 1)
            weight.assign(rng.uniform(low, high, weight.shape))


def weights_of(model):
    """All weights by "layer/weight", in float64."""
    return {
        f"{layer.name}/{weight.name}": keras.ops.convert_to_numpy(weight).astype(np.float64)
        for layer in model.layers
        for weight in layer.weights
    }


def ref_depthwise(x, kernel, rate=1, stride=1):
    """Depthwise 3x3 with one dilated pixel of padding: output k is centred on input stride*k."""
    _, height, width, channels = x.shape
    multiplier = kernel.shape[-1]
    padded = np.pad(x, ((0, 0), (rate, rate), (rate, rate), (0, 0)))
    rows, columns = range(0, height, stride), range(0, width, stride)
    out = np.zeros((len(x), len(rows), len(columns), channels * multiplier))
    for i, row in enumerate(rows):
        for j, column in enumerate(columns):
            for a in range(3):
                for b in range(3):
                    pixel = padded[:, row + a * rate, column + b * rate, :]
                    out[:, i, j] += (pixel[:, :, None] * kernel[a, b]).reshape(len(x), -1)
    return out


def ref_norm(x, weights, name, training=False, epsilon=1e-3):
    if training:
        mean, variance = x.mean((0, 1, 2)), x.var((0, 1, 2))
    else:
        mean, variance = weights[f"{name}/moving_mean"], weights[f"{name}/moving_variance"]
    normal = (x - mean) / np.sqrt(variance + epsilon)
    return normal * weights[f"{name}/gamma"] + weights[f"{name}/beta"]


def ref_relu(x):
    return np.maximum(x, 0)


def ref_separable(x, weights, name, rate=1, stride=1, relu="before", training=False):
    x = ref_relu(x) if relu == "before" else x
    x = ref_depthwise(x, weights[f"{name}_depthwise/kernel"], rate, stride)
    if f"{name}_depthwise_bn/gamma" in weights:
        x = ref_norm(x, weights, f"{name}_depthwise_bn", training)
    x = ref_relu(x) if relu == "inside" else x
    x = x @ weights[f"{name}_pointwise/kernel"][0, 0]
    x = ref_norm(x, weights, f"{name}_pointwise_bn", training)
    return x if relu == "before" else ref_relu(x)


def ref_pointwise(x, weights, name, stride=1, relu=True):
    x = x[:, ::stride, ::stride] @ weights[f"{name}_conv/kernel"][0, 0]
    x = ref_norm(x, weights, f"{name}_bn")
    return ref_relu(x) if relu else x


def make(function, shape):
    image = keras.Input(shape)
    model = keras.Model(image, function(image))
    randomise(model)
    return model, RNG.uniform(-1, 1, (3, *shape)).astype(np.float32)


def run(model, x, training=False):
    return keras.ops.convert_to_numpy(model(x, training=training))


@pytest.mark.parametrize("relu", ["before", "inside", "after"])
@pytest.mark.parametrize(
    ("rate", "stride", "multiplier", "between"),
    [(1, 1, 1, True), (2, 1, 1, True), (5, 1, 1, False), (1, 2, 4, True)],
)
def test_separable_conv_is_the_reference(relu, rate, stride, multiplier, between):
    model, x = make(
        lambda t: layers.separable_conv(
            t,
            5,
            "s",
            rate=rate,
            stride=stride,
            relu=relu,
            depth_multiplier=multiplier,
            norm_between=between,
        ),
        (8, 6, 2),
    )
    weights = weights_of(model)
    for training in (False, True):
        want = ref_separable(x.astype(float), weights, "s", rate, stride, relu, training)
        np.testing.assert_allclose(run(model, x, training), want, atol=2e-5)


def test_separable_conv_has_the_reference_gradient():
    """One step of plain gradient descent at rate 1 moves each weight by its gradient."""
    model, x = make(lambda t: layers.separable_conv(t, 3, "s", rate=2, relu="inside"), (6, 5, 2))
    target = RNG.uniform(-1, 1, (3, 6, 5, 3)).astype(np.float32)

    def loss(weights):
        y = ref_separable(x.astype(float), weights, "s", rate=2, relu="inside", training=True)
        return np.mean((y - target) ** 2)

    before = weights_of(model)
    model.compile(keras.optimizers.SGD(1.0), "mse", jit_compile=False)
    model.train_on_batch(x, target)
    after = weights_of(model)
    step = 1e-5
    for name in ("s_depthwise/kernel", "s_pointwise/kernel", "s_depthwise_bn/gamma"):
        for index in list(np.ndindex(before[name].shape))[::3]:
            up, down = before[name].copy(), before[name].copy()
            up[index] += step
            down[index] -= step
            slope = (loss(before | {name: up}) - loss(before | {name: down})) / (2 * step)
            moved = before[name][index] - after[name][index]
            assert moved == pytest.approx(slope, abs=2e-4), (name, index)


@pytest.mark.parametrize(
    ("shortcut", "stride"), [("conv", 1), ("conv", 2), ("sum", 1), ("none", 1)]
)
def test_separable_block_adds_the_way_around(shortcut, stride):
    widths = (4, 4, 2 if shortcut == "sum" else 6)
    rates, strides = (1, 2, 1), (1, 1, stride)
    model, x = make(
        lambda t: layers.separable_block(
            t, widths, "b", rates=rates, strides=strides, shortcut=shortcut
        ),
        (8, 6, 2),
    )
    weights = weights_of(model)
    want = [x.astype(float)]
    for i in range(3):
        want.append(ref_separable(want[-1], weights, f"b_sep{i + 1}", rates[i], strides[i]))
    if shortcut == "conv":
        want[-1] = want[-1] + ref_pointwise(want[0], weights, "b_shortcut", stride, relu=False)
    elif shortcut == "sum":
        want[-1] = want[-1] + want[0]
    for got, expected in zip(model(x, training=False), want[1:], strict=True):
        np.testing.assert_allclose(keras.ops.convert_to_numpy(got), expected, atol=1e-4)


@pytest.mark.parametrize(("pointwise", "pooling"), [(True, True), (False, False)])
def test_aspp_is_the_reference(pointwise, pooling):
    """A rate beyond the map, and the mean of the image in every pixel."""
    model, x = make(
        lambda t: layers.aspp(t, 3, rates=(2, 9), pointwise=pointwise, image_pooling=pooling),
        (6, 5, 4),
    )
    weights, x64 = weights_of(model), x.astype(float)
    branches = [ref_pointwise(x64, weights, "aspp_1x1")] if pointwise else []
    branches += [ref_separable(x64, weights, f"aspp_rate{r}", r, relu="inside") for r in (2, 9)]
    if pooling:
        pooled = ref_pointwise(x64.mean((1, 2), keepdims=True), weights, "aspp_pool")
        branches.append(np.broadcast_to(pooled, (3, 6, 5, 3)))
    want = ref_pointwise(np.concatenate(branches, -1), weights, "aspp_project")
    np.testing.assert_allclose(run(model, x), want, atol=1e-4)


def norm_model(kind):
    """Weights on both sides of the layer, so that its input gradient shows."""
    image = keras.Input((5, 4, 2))
    x = keras.layers.Conv2D(3, 3, use_bias=False, name="front")(image)
    x = kind(momentum=0.9, epsilon=1e-3, name="bn")(x)
    model = keras.Model(image, keras.layers.Conv2D(1, 1, name="back")(x))
    randomise(model)
    model.compile(keras.optimizers.SGD(0.5), "mse", jit_compile=False)
    return model


def test_batch_norm_equals_the_keras_layer():
    x = RNG.uniform(-1, 1, (4, 5, 4, 2)).astype(np.float32)
    y = RNG.uniform(-1, 1, (4, 3, 2, 1)).astype(np.float32)
    ours, theirs = norm_model(layers.BatchNorm), norm_model(keras.layers.BatchNormalization)
    for training in (False, True):
        np.testing.assert_allclose(run(ours, x, training), run(theirs, x, training), atol=1e-5)
    start = weights_of(ours)
    for model in (ours, theirs):
        model.train_on_batch(x, y)
    for (name, a), b in zip(weights_of(ours).items(), weights_of(theirs).values(), strict=True):
        np.testing.assert_allclose(a, b, atol=1e-5, err_msg=name)
        assert np.abs(a - start[name]).max() > 1e-4, f"{name} did not move"


def test_batch_norm_survives_a_single_value_and_a_frozen_layer():
    layer = layers.BatchNorm()
    x = np.full((1, 1, 1, 2), 3.0, np.float32)
    assert np.isfinite(keras.ops.convert_to_numpy(layer(x, training=True))).all()
    layer.trainable = False
    before = [keras.ops.convert_to_numpy(w) for w in layer.weights]
    layer(x + 1, training=True)
    for a, b in zip(before, layer.weights, strict=True):
        np.testing.assert_array_equal(a, keras.ops.convert_to_numpy(b))


def test_half_pixel_upsampling_is_that_of_keras():
    x = RNG.uniform(-1, 1, (2, 4, 3, 2)).astype(np.float32)
    want = keras.layers.UpSampling2D(4, interpolation="bilinear")(x)
    got = layers.BilinearUpsampling(4)(x)
    np.testing.assert_allclose(
        keras.ops.convert_to_numpy(got), keras.ops.convert_to_numpy(want), atol=1e-6
    )


def test_aligned_upsampling_undoes_strided_sampling_of_a_ramp():
    """A plane sampled as strided convolutions are centred comes back where it was."""
    rows, columns = np.mgrid[:12, :16].astype(np.float32)
    plane = (2 * rows - 3 * columns)[None, :, :, None]
    layer = layers.BilinearUpsampling(4, aligned=True)
    got = keras.ops.convert_to_numpy(layer(plane[:, ::4, ::4]))
    # Beyond the last sample the edge is repeated.
    np.testing.assert_allclose(got[:, :9, :13], plane[:, :9, :13], atol=1e-4)
    np.testing.assert_allclose(got[:, 9:, 0], np.full((1, 3, 1), 16.0), atol=1e-4)


@pytest.mark.parametrize("layer", [layers.BilinearUpsampling(2, True), layers.BatchNorm(epsilon=1)])
def test_layers_come_back_from_their_configuration(layer):
    again = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(layer))
    assert type(again) is type(layer)
    assert again.get_config() == layer.get_config()


@settings(max_examples=20, deadline=None)
@given(st.integers(1, 40), st.integers(1, 40), st.sampled_from([1, 2, 16]))
def test_crop_undoes_padding(height, width, multiple):
    x = RNG.uniform(0.1, 1, (1, height, width, 1)).astype(np.float32)
    padded = layers.pad_to_multiple(x, multiple)
    assert padded.shape[1] % multiple == padded.shape[2] % multiple == 0
    assert max(padded.shape[1] - height, padded.shape[2] - width) < multiple
    assert keras.ops.convert_to_numpy(padded).sum() == pytest.approx(x.sum(), rel=1e-5)
    back = layers.crop_to(padded, (height, width))
    np.testing.assert_array_equal(keras.ops.convert_to_numpy(back), x)


def test_probabilities_are_float32_under_mixed_precision():
    logits = keras.ops.cast(np.array([[[[0.0]]]]), "bfloat16")
    out = layers.probabilities(logits)
    assert keras.backend.standardize_dtype(out.dtype) == "float32"
    two = layers.probabilities(np.zeros((1, 1, 1, 2), np.float32))
    np.testing.assert_allclose(keras.ops.convert_to_numpy(two).ravel(), [0.5, 0.5])
