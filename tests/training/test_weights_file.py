"""What lies in a weights file beside its passport: numbers, and the layers of the network."""

import h5py
import numpy as np
import pytest
from answering import UNET, trained

from ivdlib.errors import DataError
from ivdlib.networks.structure import layers_of
from ivdlib.training import weights_file
from ivdlib.training.engines import load_network
from ivdlib.training.weights import load_model, save_weights


def test_layers_and_numbers_come_back(tmp_path):
    path = trained("unet", UNET, (16, 12), tmp_path / "model.weights.h5")
    layers, numbers = weights_file.read_numbers(path)
    model = load_model(path).model
    assert layers == layers_of(model)
    assert weights_file.STRUCTURE not in numbers
    found = sorted((array.shape, float(np.sum(array))) for array in numbers.values())
    want = sorted((w.shape, float(np.sum(w))) for w in model.get_weights())
    assert found == want


def test_sealing_again_keeps_the_layers(tmp_path):
    path = trained("unet", UNET, (16, 12), tmp_path / "model.weights.h5")
    before, _ = weights_file.read_numbers(path)
    card, _ = weights_file.read_passport(path)
    weights_file.seal_weights(path, card | {"margin": 3.0})
    assert weights_file.read_numbers(path)[0] == before
    assert weights_file.read_passport(path)[0]["margin"] == 3.0


def test_layers_are_under_the_checksum(tmp_path):
    path = trained("unet", UNET, (16, 12), tmp_path / "model.weights.h5")
    with h5py.File(path, "a") as file:
        file[weights_file.STRUCTURE][3] += 1
    with pytest.raises(DataError, match="do not fit its checksum"):
        weights_file.read_passport(path)


def test_older_files_have_no_layers(tmp_path):
    path = trained("unet", UNET, (16, 12), tmp_path / "model.weights.h5")
    with h5py.File(path, "a") as file:
        del file[weights_file.STRUCTURE]
    layers, numbers = weights_file.read_numbers(path)
    assert layers is None and numbers


def test_half_as_large_and_nearly_the_same(tmp_path):
    path = trained("unet", UNET, (16, 12), tmp_path / "model.weights.h5")
    network = load_model(path)
    card = {key: value for key, value in network.passport.items() if key != "checksum"}
    small = tmp_path / "small.weights.h5"
    save_weights(network.model, small, card, half=True)
    with h5py.File(small) as file:
        kinds = {item.dtype for item in file["layers"]["conv2d"]["vars"].values()}
    assert np.dtype("float16") in kinds and not list(tmp_path.glob("*.half"))
    other = load_model(small)
    for whole, back in zip(network.model.get_weights(), other.model.get_weights(), strict=True):
        assert back.dtype == np.float32
        np.testing.assert_allclose(back, whole, rtol=1e-3, atol=1e-6)
        if whole.ndim < 2:
            np.testing.assert_array_equal(back, whole)
    tiles = np.random.default_rng(0).random((2, 16, 12, 1), np.float32)
    by_keras = np.asarray(other.model.predict_on_batch(tiles))
    by_openvino = load_network(small, "openvino").model.predict_on_batch(tiles)
    np.testing.assert_allclose(by_openvino, by_keras, atol=1e-4)


def test_numbers_too_large_for_half_are_refused_and_nothing_is_left(tmp_path):
    path = trained("unet", UNET, (16, 12), tmp_path / "model.weights.h5")
    network = load_model(path)
    weights = network.model.get_weights()
    weights[0] = weights[0] * 0 + 1e6
    network.model.set_weights(weights)
    card = {key: value for key, value in network.passport.items() if key != "checksum"}
    with pytest.raises(DataError, match="too large for float16"):
        save_weights(network.model, tmp_path / "small.weights.h5", card, half=True)
    assert [file.name for file in tmp_path.iterdir()] == ["model.weights.h5"]
