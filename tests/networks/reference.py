"""Slow, obvious forms of the layers in float64, and what compares a layer with them."""

import numpy as np
import tensorflow as tf


def weights_of(layer):
    """All weights in float64, by their name within the layer: "depthwise_norm/gamma"."""
    found = {}
    for weight in layer.weights:
        words = weight.path.split("/")
        name = "/".join(words[words.index(layer.name) + 1 :])
        found[name] = np.array(weight.value, np.float64)
    return found


def randomise(layer, seed=0):
    """Give every weight, and the moving statistics, a value that shows when it is misused."""
    rng = np.random.default_rng(seed)
    for weight in layer.weights:
        if "seed_generator" in weight.path:
            continue
        low, high = (0.5, 1.5) if "variance" in weight.name else (-1, 1)
        weight.assign(rng.uniform(low, high, weight.shape))


def relu(x):
    return np.maximum(x, 0)


def convolution(x, kernel, rate=1, stride=1):
    """With zeros around: output pixel k is centred on input pixel stride * k."""
    side = len(kernel)
    _, height, width, _ = x.shape
    margin = rate * (side // 2)
    x = np.pad(x, ((0, 0), (margin, margin), (margin, margin), (0, 0)))
    parts = []
    for a in range(side):
        for b in range(side):
            top, left = a * rate, b * rate
            window = x[:, top : top + height : stride, left : left + width : stride]
            parts.append(window @ kernel[a, b])
    return sum(parts)


def depthwise(x, kernel, rate=1, stride=1):
    """The filters of a channel lie beside each other in the output."""
    _, height, width, _ = x.shape
    x = np.pad(x, ((0, 0), (rate, rate), (rate, rate), (0, 0)))
    total = 0.0
    for a in range(3):
        for b in range(3):
            top, left = a * rate, b * rate
            window = x[:, top : top + height : stride, left : left + width : stride]
            total = total + window[..., None] * kernel[a, b]
    return total.reshape(*total.shape[:3], -1)


def norm(x, weights, name, training=False, seen=None, epsilon=1e-3):
    """Batch normalisation; `seen` takes the mean and variance of the batch under `name`."""
    if training:
        mean, variance = x.mean((0, 1, 2)), x.var((0, 1, 2))
        if seen is not None:
            seen[name] = {"moving_mean": mean, "moving_variance": variance}
    else:
        mean, variance = weights[f"{name}/moving_mean"], weights[f"{name}/moving_variance"]
    normal = (x - mean) / np.sqrt(variance + epsilon)
    return normal * weights[f"{name}/gamma"] + weights[f"{name}/beta"]


def separable(x, weights, rate=1, stride=1, where="before", training=False, seen=None, frozen=()):
    """`SeparableConv`; `where` is its `relu`, `frozen` names normalisations."""
    x = relu(x) if where == "before" else x
    x = depthwise(x, weights["depthwise"], rate, stride)
    if "depthwise_norm/gamma" in weights:
        learns = training and "depthwise_norm" not in frozen
        x = norm(x, weights, "depthwise_norm", learns, seen)
    x = relu(x) if where == "inside" else x
    x = convolution(x, weights["pointwise"])
    learns = training and "pointwise_norm" not in frozen
    x = norm(x, weights, "pointwise_norm", learns, seen)
    return relu(x) if where in ("inside", "after") else x


def conv_norm(x, weights, rate=1, stride=1, where="after", training=False, seen=None):
    """`ConvNorm`; the kernel tells its size."""
    x = relu(x) if where == "before" else x
    x = convolution(x, weights["kernel"], rate, stride)
    x = norm(x, weights, "norm", training, seen)
    return relu(x) if where == "after" else x


def slopes(function, values, step=1e-6):
    """Central differences of function(values), a number, in every entry of every array."""
    found = {}
    for name, value in values.items():
        found[name] = np.zeros(value.shape)
        for index in np.ndindex(value.shape):
            sides = []
            for sign in (1, -1):
                moved = value.copy()
                moved[index] += sign * step
                sides.append(function(values | {name: moved}))
            found[name][index] = (sides[0] - sides[1]) / (2 * step)
    return found


def output_and_gradients(layer, x, upstream, training=True, compiled=False):
    """Output of a layer, and the gradient of sum(output * upstream) in x and in each weight."""
    names = {w.path: w for w in layer.trainable_weights}
    short = {path: path[path.index(layer.name) + len(layer.name) + 1 :] for path in names}

    def run(x):
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = layer(x, training=training)
            total = tf.reduce_sum(y * tf.cast(upstream, y.dtype))
        sources = {"x": x} | {short[path]: w.value for path, w in names.items()}
        return y, tape.gradient(total, sources, unconnected_gradients="zero")

    if compiled:
        run = tf.function(run, jit_compile=False)
    y, gradients = run(tf.convert_to_tensor(x))
    return np.array(y), {name: np.array(g) for name, g in gradients.items()}


def assert_close(got, want, tolerance=2e-5, message=""):
    """Equal to `tolerance`, of the largest wanted value where that is more than one."""
    scale = max(1.0, np.abs(want).max(initial=0.0))
    np.testing.assert_allclose(got, want, rtol=0, atol=tolerance * scale, err_msg=message)


def assert_same_gradients(got, want, tolerance=1e-4):
    assert got.keys() == want.keys()
    for name in want:
        assert_close(got[name], want[name], tolerance, name)
