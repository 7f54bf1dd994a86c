"""An ONNX file of a network computes what its layers in Keras do."""

import io
from dataclasses import replace

import numpy as np
import pytest
import scripts
from answering import assert_near, expected, tiles, trained

from ivdlib import networks
from ivdlib.training import weights_file
from ivdlib.training.onnx_graph import onnx_file
from ivdlib.training.openvino_model import core

TILE = (32, 64)  # no network pads it


def small(name, **changes):
    config = networks.config_of(name, "tiny")
    return replace(config, **changes) if name == "unet" else replace(
        config, middle_units=1, **changes)  # fmt: skip


@pytest.mark.parametrize(
    ("name", "changes"),
    [
        ("unet", {"levels": 3}),
        ("deeplabv3plus", {}),
        ("fds_cnn", {}),
        ("fds_cnn", {"norm_between": False, "relu_inside": True}),
    ],
)
def test_networks_agree_with_keras(tmp_path, name, changes):
    scripts.installed("onnx")
    path = trained(name, small(name, **changes), TILE, tmp_path / "model.weights.h5")
    theirs = expected(path, 2)
    assert theirs.std() > 0.1
    content = io.BytesIO(onnx_file(*weights_file.read_numbers(path)))
    run = core().compile_model(
        core().read_model(content), "CPU", {"INFERENCE_PRECISION_HINT": "f32"}
    )
    ours = [run({"image": tile[None]})["probability"] for tile in tiles(2, TILE)]
    assert_near(np.moveaxis(np.concatenate(ours), 1, -1), theirs, "float32")


def test_the_same_file_every_time(tmp_path):
    scripts.installed("onnx")
    path = trained("unet", small("unet", levels=1), TILE, tmp_path / "model.weights.h5")
    first, second = (onnx_file(*weights_file.read_numbers(path)) for _ in range(2))
    assert first == second
