"""The first layer of a network by a student's function, against Keras."""

import keras
import numpy as np

from ivdlib import networks
from ivdlib.course.own import lesson02


def test_a_network_whose_first_layer_is_the_students():
    config = networks.UNetConfig(base=2, levels=1)
    model = networks.build("unet", config, (12, 16, 1))
    plane = np.random.default_rng(0).random((12, 16), np.float32)
    calls = []

    def convolve(image, kernel):
        calls.append(kernel.shape)
        return lesson02.convolve(image, kernel)

    found = lesson02.with_first_layer(model, convolve)(plane)
    expected = keras.ops.convert_to_numpy(model(plane[np.newaxis, ..., np.newaxis]))[0, ..., 0]
    assert np.allclose(found, expected, atol=1e-5)
    assert calls == [(3, 3)] * 2


def test_a_slice_on_a_tile():
    plane = np.arange(20.0).reshape(4, 5)
    assert np.array_equal(lesson02.on_tile(plane, (4, 5)), plane)
    found = lesson02.on_tile(plane, (6, 3))
    assert found.shape == (6, 3) and np.array_equal(found[1:5], plane[:, 1:4])
    assert not found[[0, 5]].any()
