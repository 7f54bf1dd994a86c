"""Receptive fields against brute force."""

import keras
import numpy as np
import pytest

from ivdlib import networks
from ivdlib.networks import receptive_field

SHORT = {
    "middle_units": 1, "width": 0.02, "image_pooling": False, "aspp_rates": (2,),
    "rates": ((1,), (2,), *[(1, 1, 2)] * 6), "dropout": 0.0,
}  # fmt: skip


@pytest.mark.parametrize("last", ["entry1_sep3", "exit2_sep3", "logits", "upsample"])
def test_receptive_field_by_brute_force(last):
    size = (256, 2)
    model = networks.build("fds_cnn", networks.FDSCNNConfig(**SHORT), (*size, 1))
    layer = model.get_layer(last)
    found = receptive_field.field_of_model(model, layer)["receptive_field"]
    assert found == responding(model, layer, size)


@pytest.mark.parametrize("last", ["bottom_conv2", "up1_conv2", "logits"])
def test_receptive_field_of_the_unet_by_brute_force(last):
    size = (128, 4)
    model = networks.build("unet", networks.UNetConfig(base=1, levels=2), (*size, 1))
    layer = model.get_layer(last)
    found = receptive_field.field_of_model(model, layer)["receptive_field"]
    assert found == responding(model, layer, size)


def responding(model, layer, size):
    """Rows of the image that move one row of the output, the most over the rows, by brute force.

    Kernels are positive and normalisation only scales, so that nothing cancels.
    """
    for variable in model.trainable_variables:
        if len(variable.shape) == 4:
            variable.assign(np.ones(variable.shape) / np.prod(variable.shape[:3]))
    probe = keras.Model(model.input, layer.output)
    images = np.zeros((size[0], *size, 1), np.float32)
    images[np.arange(size[0]), np.arange(size[0])] = 1e12  # one lit row each
    answers = keras.ops.convert_to_numpy(probe.predict(images, verbose=0)).max(axis=(2, 3))
    rows = (answers > 0).sum(axis=0)  # by row of the output: how many rows of the image move it
    return int(rows.max())
