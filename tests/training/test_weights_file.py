"""What lies in a weights file beside its passport: numbers, and the layers of the network."""

import h5py
import numpy as np
import pytest
from answering import UNET, trained

from ivdlib.errors import DataError
from ivdlib.networks.structure import layers_of
from ivdlib.training import weights_file
from ivdlib.training.weights import load_model


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
