"""A lesion does to OpenVINO's network what the same cut does to that of Keras."""

import keras
import numpy as np
import pytest
from tiny_network import volume

from ivdlib import networks
from ivdlib.errors import ConfigError
from ivdlib.networks.fds_cnn import VARIANTS
from ivdlib.training import engines, lesions, shipped, weights

TILE = volume((1, 112, 128, 1))
NEAR = 1e-4
"""How near OpenVINO comes to Keras, at least."""


def whole(name="fds_cnn"):
    return weights.load_model(shipped.find(name)).model


def zeroed(model, layers):
    """Scale and offset of the last normalisation of these layers are zero: so are their maps."""
    for name in layers:
        layer = model.get_layer(name)
        norm = layer.batch_norm if hasattr(layer, "batch_norm") else layer.pointwise_norm
        norm.gamma.assign(0 * norm.gamma)
        norm.beta.assign(0 * norm.beta)
        assert not np.any(keras.Model(model.input, layer.output)(TILE))
    return model


def without_dilation():
    model = whole()
    card = engines.load_network(shipped.find(), "openvino").passport
    plain = VARIANTS["no_dilation"](networks.config_from_dict("fds_cnn", card["config"]))
    other = networks.build("fds_cnn", plain, (112, 128, 1))
    other.set_weights(model.get_weights())
    return other


def unet_without_skips():
    model = whole("unet")
    for level in range(4):
        kernel = model.get_layer(f"up{level}_conv1").kernel
        values = keras.ops.convert_to_numpy(kernel).copy()
        values[:, :, : values.shape[2] // 2] = 0  # the skip comes first, and has half the channels
        kernel.assign(values)
    return model


BRANCHES = ("aspp_sep1", "aspp_sep2", "aspp_sep3", "aspp_pool")
BY_KERAS = {
    ("fds_cnn", "dilation"): without_dilation,
    ("fds_cnn", "skips"): lambda: zeroed(
        whole(), ["skip_third_layer", "skip_entry", "skip_middle"]
    ),
    ("fds_cnn", "pyramid"): lambda: zeroed(whole(), BRANCHES),
    ("unet", "skips"): unet_without_skips,
}


@pytest.mark.slow
@pytest.mark.parametrize(("name", "lesion"), BY_KERAS)
def test_a_lesion_is_the_same_cut_in_keras(name, lesion):
    path = shipped.find(name)
    cut = lesions.load_with_lesion(path, lesion)
    found = cut.model.predict_on_batch(TILE)
    before = engines.load_network(path, "openvino").model.predict_on_batch(TILE)
    assert np.abs(found - before).max() > 20 * NEAR
    by_keras = keras.ops.convert_to_numpy(BY_KERAS[name, lesion]()(TILE))
    assert np.abs(found - by_keras).max() < NEAR


def test_a_network_has_lesions_of_the_parts_it_has():
    assert {name: lesions.lesions_of(shipped.find(name)) for name in shipped.names()} == {
        "fds_cnn": ("dilation", "skips", "pyramid"),
        "no_aspp": ("dilation", "skips"),
        "no_dilation": ("skips", "pyramid"),
        "no_skips": ("dilation", "pyramid"),
        "unet": ("skips",),
    }


def test_a_part_that_is_not_there_is_not_cut():
    with pytest.raises(ConfigError, match="no_skips has no part 'skips'.*dilation, pyramid"):
        lesions.load_with_lesion(shipped.find("no_skips"), "skips")
