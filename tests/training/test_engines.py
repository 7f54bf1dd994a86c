"""OpenVINO gives what Keras gives, and starts no framework for it."""

import importlib.util
import os
import subprocess
import sys
from dataclasses import replace

import h5py
import keras
import numpy as np
import pytest
from answering import UNET, assert_near, predict, tiles, trained

from ivdlib import networks
from ivdlib.cli import predict as use
from ivdlib.data.cases import load_case
from ivdlib.errors import ConfigError
from ivdlib.training import engines, one_scan, weights_file
from ivdlib.training import predict as application
from ivdlib.training.weights import load_model, save_weights

TILE = (16, 12)


def small(name):
    config = networks.config_of(name, "tiny")
    return config if name == "unet" else replace(config, middle_units=1)


@pytest.mark.parametrize("precision", engines.ENGINE_PRECISIONS)
def test_any_number_of_tiles(weights, precision):
    network = load_model(weights)
    fast = engines.load_network(weights, precision=precision)
    assert fast.passport == network.passport
    assert fast.model.input_shape == network.model.input_shape
    for count in (1, 16, 3, 37):
        ours = fast.model.predict_on_batch(tiles(count))
        assert ours.shape == (count, *TILE, 1) and ours.dtype == np.float32
        theirs = network.model.predict_on_batch(tiles(count))
        assert_near(ours, theirs, fast.model.precision)
    kept = fast.model.predict_on_batch(tiles(2, seed=1))
    before = kept.copy()
    fast.model.predict_on_batch(tiles(2, seed=2))
    np.testing.assert_array_equal(kept, before)


def test_keras_is_the_network_itself(weights):
    network = engines.load_network(weights, "keras")
    assert isinstance(network.model, keras.Model)


def test_refusals(weights, monkeypatch):
    with pytest.raises(ConfigError, match="auto, openvino, keras"):
        engines.need_engine("tensorrt")
    with pytest.raises(ConfigError, match="float32, bfloat16, auto"):
        engines.need_engine("openvino", "int8")
    with pytest.raises(ConfigError, match="for the engine openvino"):
        engines.need_engine("keras", "bfloat16")
    assert engines.need_engine("auto") == "openvino"
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    with pytest.raises(ConfigError, match="pip install openvino"):
        list(application.predict_folder("nowhere", weights, "nowhere", engine="openvino"))
    assert engines.need_engine("auto") == "keras"


def without_layers(path):
    """As weights files were before they held the layers."""
    card, _ = weights_file.read_passport(path)
    with h5py.File(path, "a") as file:
        del file[weights_file.STRUCTURE]
    weights_file.seal_weights(path, card)
    return path


def test_a_file_without_layers_is_described_by_keras(tmp_path):
    path = trained("fds_cnn", small("fds_cnn"), (21, 18), tmp_path / "model.weights.h5")
    found = predict(path, count=2)
    np.testing.assert_array_equal(predict(without_layers(path), count=2), found)


def test_no_framework_is_started(tmp_path, write_case):
    """It takes seconds and a gigabyte; both networks are there, and a mask comes of it."""
    disc = trained("unet", UNET, (16, 16), tmp_path / "disc" / "model.weights.h5", spine="spine")
    trained("unet", UNET, (12, 16), tmp_path / "spine" / "model.weights.h5",
                    target="spine", factor=2)  # fmt: skip
    write_case(tmp_path / "in", "01")
    words = ["predict", tmp_path / "in", "--weights", disc, "--threads", 1]
    code = (
        "import sys; from ivdlib.cli import main; said = main(sys.argv[1:]);"
        "print({'keras', 'tensorflow', 'torch', 'jax'} & set(sys.modules) or said)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, *map(str, words), "--out", str(tmp_path / "alone")],
        capture_output=True, text=True,
    )  # fmt: skip
    assert done.stdout.splitlines()[-1] in ("0", "3"), done.stdout + done.stderr
    (here,) = application.predict_folder(tmp_path / "in", disc, tmp_path / "here", engine="keras")
    assert (tmp_path / "alone" / here.name).read_bytes() == here.read_bytes()


def test_a_network_of_several_channels(tmp_path):
    """Contrasts as channels, or neighbouring slices."""
    model = networks.build("unet", UNET, input_shape=(16, 16, 3))
    path = tmp_path / "model.weights.h5"
    card = {"network": "unet", "config": UNET.to_dict(), "target": "disc", "tile": (16, 16)}
    save_weights(model, path, card | {"images": ["wat"], "channels": 3, "neighbours": 1})
    network = load_model(path)
    fast = engines.load_network(path, "openvino", "float32")
    tiles = np.random.default_rng(0).random((3, 16, 16, 3), dtype=np.float32)
    found = fast.model.predict_on_batch(tiles)
    assert found.shape == (3, 16, 16, 1)
    np.testing.assert_allclose(found, network.model.predict_on_batch(tiles), atol=1e-5)


def test_same_masks_of_a_folder(tmp_path, write_case):
    disc = trained("unet", UNET, (16, 16), tmp_path / "disc" / "model.weights.h5", spine="spine",
                   margin=5.0)  # fmt: skip
    trained("unet", UNET, (12, 16), tmp_path / "spine" / "model.weights.h5", target="spine",
            factor=2)  # fmt: skip
    write_case(tmp_path / "in", "01")
    case = load_case(tmp_path / "in" / "01")
    masks = {}
    for engine, precision in (("keras", "float32"), ("openvino", "float32")):
        (path,) = application.predict_folder(
            tmp_path / "in", disc, tmp_path / engine, engine=engine, precision=precision
        )
        masks[engine] = path.read_bytes()
    assert masks["keras"] == masks["openvino"]
    mask = one_scan.predict_case(load_model(disc), case)
    assert 0.001 < mask.mean() < 0.999


def test_the_command_knows_the_same_names():
    import argparse

    parser = argparse.ArgumentParser()
    use.add_predict(lambda *_: parser)
    choices = {action.dest: action.choices for action in parser._actions}
    assert choices["engine"] == engines.ENGINES
    assert choices["precision"] == engines.ENGINE_PRECISIONS


@pytest.mark.parametrize("name", ["unet", "fds_cnn", "deeplabv3plus"])
def test_scores_may_come_from_the_quickest(tmp_path, name, monkeypatch):
    """OpenVINO on a CPU, and the network itself beside a GPU."""
    from ivdlib.networks import backend

    path = trained(name, small(name), (21, 18), tmp_path / "model.weights.h5")
    model = load_model(path).model
    quick = engines.quickest(model)
    assert quick.precision == "float32"
    theirs = keras.ops.convert_to_numpy(model(tiles(3, (21, 18))))
    assert_near(quick.predict_on_batch(tiles(3, (21, 18))), theirs, "float32")
    monkeypatch.setattr(backend, "has_gpu", lambda: True)
    assert engines.quickest(model) is model


def test_a_gpu_is_left_to_keras(monkeypatch, tmp_path):
    assert engines.need_engine("auto") == "openvino"
    (tmp_path / "nvidia0").touch()
    monkeypatch.setattr(engines, "_GPU", tmp_path / "nvidia0")
    assert engines.need_engine("auto") == "keras" and engines.need_engine("openvino") == "openvino"


@pytest.mark.skipif(not hasattr(os, "sched_getaffinity"), reason="Linux says where a thread runs")
def test_threads_are_free_to_run_on_any_core(weights):
    """Two processes with a thread each would take the same core if it were tied to one."""
    compiled = engines.load_network(weights).model._queue[0].get_compiled_model()
    assert not compiled.get_property("ENABLE_CPU_PINNING")
    assert compiled.get_property("NUM_STREAMS") <= max(1, len(os.sched_getaffinity(0)))
