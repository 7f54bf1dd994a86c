"""U-Net: the three published-style sizes and its shape."""

import math

import keras
import numpy as np
import pytest

from ivdlib import networks
from ivdlib.networks import cost


@pytest.mark.parametrize(
    ("size", "count"), [("tiny", 1_943_761), ("laptop", 7_765_409), ("paper", 31_042_369)]
)
def test_parameters(size, count):
    model = networks.build("unet", size)
    assert sum(math.prod(w.shape) for w in model.trainable_weights) == count
    assert model.get_layer("bottom_conv1").output.shape[1:3] == (7, 8)


def test_batch_normalisation_follows_each_convolution():
    """Paper, Sect. 2.1."""
    model = networks.build("unet", networks.UNetConfig(base=2, levels=2), (8, 8, 1))
    names = [layer.name for layer in model.layers]
    convolutions = [name for name in names if "_conv" in name]
    assert len(convolutions) == 10
    for name in convolutions:
        layer = model.get_layer(name.replace("_conv", "_bn"))
        assert layer.input is model.get_layer(name).output


def test_a_point_stays_where_it_is_in_an_image_of_odd_size():
    """With kernels that only smooth, the answer is highest at the point."""
    model = networks.build("unet", networks.UNetConfig(base=2, levels=3), (35, 25, 1))
    for layer in model.layers:
        if isinstance(layer, keras.layers.Conv2D | keras.layers.Conv2DTranspose):
            layer.kernel.assign(np.ones(layer.kernel.shape) / np.prod(layer.kernel.shape[:3]))
    x = np.zeros((1, 35, 25, 1), np.float32)
    x[0, 20, 9] = 10
    answer = keras.ops.convert_to_numpy(model(x, training=False))[0, ..., 0]
    assert np.unravel_index(answer.argmax(), answer.shape) == (20, 9)


def _size(name, config):
    """Numbers learnt, and multiply-adds for a tile of 112 x 128."""
    model = networks.build(name, config)
    return cost.parameters(model), int(cost.layer_table(model)["multiply_adds"].sum())


@pytest.mark.parametrize("size", ["tiny", "laptop", "paper"])
@pytest.mark.parametrize(("variant", "what"), [("equal_weights", 0), ("equal_cost", 1)])
def test_a_variant_is_as_large_as_fds_cnn(size, variant, what):
    wanted = _size("fds_cnn", size)[what]
    base = networks.config_of("unet", size, variant).base
    off = {
        b: abs(math.log(_size("unet", networks.UNetConfig(base=b))[what] / wanted))
        for b in (base - 1, base, base + 1)
    }
    assert min(off, key=off.get) == base
    assert off[base] < 0.15
