"""OpenVINO's graph of a network computes what its layers in Keras do."""

import shutil
from dataclasses import replace
from pathlib import Path

import h5py
import numpy as np
import pytest
from answering import assert_near, expected, predict, trained

from ivdlib import networks
from ivdlib.errors import DataError
from ivdlib.training import weights_file


def small(name, variant=None):
    if variant == "softmax":
        return replace(small(name), head="softmax", norm_between=False, relu_inside=True)
    config = networks.config_of(name, "tiny", variant)
    return config if name == "unet" else replace(config, middle_units=1)


@pytest.mark.parametrize(
    ("name", "variant"),
    [
        ("unet", None),
        ("deeplabv3plus", None),
        *(("fds_cnn", variant) for variant in (None, "softmax", *networks.variants("fds_cnn"))),
    ],
)
def test_all_networks_agree_with_keras(tmp_path, name, variant):
    path = trained(name, small(name, variant), (21, 18), tmp_path / "model.weights.h5")
    keras_says = expected(path, 2)
    assert keras_says.std() > 0.1
    assert_near(predict(path, count=2), keras_says, "float32")
    if variant is None and name != "deeplabv3plus":
        assert_near(predict(path, "bfloat16", count=2), keras_says, "bfloat16")


@pytest.mark.parametrize(
    "damage",
    ["[]", "[", "[{}]", '[{"shape": [16, 12, 1]}, {"kind": "LSTM"}]', '[{"shape": [8, 12, 1]}]',
     '[{"shape": [16, 4000, 1]}]', '[{"shape": [16, 12, 2]}]', '[{"shape": [16]}]'],
)  # fmt: skip
def test_layers_that_make_no_network(weights, tmp_path, damage):
    path = Path(shutil.copy(weights, tmp_path / "model.weights.h5"))
    card, _ = weights_file.read_passport(path)
    with h5py.File(path, "a") as file:
        del file[weights_file.STRUCTURE]
        file[weights_file.STRUCTURE] = np.frombuffer(damage.encode(), np.uint8)
    weights_file.seal_weights(path, card)
    with pytest.raises(DataError, match="is damaged: "):
        predict(path)
