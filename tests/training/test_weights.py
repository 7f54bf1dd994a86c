"""Weights come back as they were, or a sentence says why not."""

import json
from types import SimpleNamespace

import h5py
import numpy as np
import pytest
from tiny_network import TINY, volume

from ivdlib.errors import DataError
from ivdlib.training import inference, weights_file
from ivdlib.training.weights import load_model, save_weights

TILE = (16, 12)
PASSPORT = {"network": "unet", "config": TINY.to_dict(), "tile": TILE, "images": ("wat", "fat"),
            "target": "disc"}  # fmt: skip


@pytest.fixture
def weights(model, tmp_path):
    path = tmp_path / "model.weights.h5"
    save_weights(model, path, PASSPORT)
    return path


def test_weights_come_back_with_their_passport(model, weights):
    network = load_model(weights)
    for ours, theirs in zip(network.model.get_weights(), model.get_weights(), strict=True):
        np.testing.assert_array_equal(ours, theirs)
    assert network.passport.pop("checksum")
    assert network.passport == json.loads(json.dumps(PASSPORT))
    image = volume((2, 20, 20))
    np.testing.assert_array_equal(
        inference.predict(network, image), inference.predict(model, image)
    )


def test_a_weights_file_holds_no_code(weights):
    assert weights.read_bytes()[:4] == b"\x89HDF"
    with h5py.File(weights) as file:
        assert set(file.attrs) == {"ivdlib"} and isinstance(file.attrs["ivdlib"], bytes)
        kinds = []
        file.visititems(lambda _, item: kinds.append(getattr(item, "dtype", np.dtype("f4"))))
    assert {k.kind for k in kinds} <= {"f", "u", "i"}


def test_a_weights_file_that_is_not_there(tmp_path):
    with pytest.raises(DataError, match=r"no weights file .*none\.weights\.h5"):
        load_model(tmp_path / "none.weights.h5")
    with pytest.raises(DataError, match="no weights file"):
        load_model(tmp_path)


def truncated(path):
    path.write_bytes(path.read_bytes()[:2000])


def half(path):
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def text(path):
    path.write_text("hello")


def without_passport(path):
    with h5py.File(path, "a") as file:
        del file.attrs["ivdlib"]


def passport(**changes):
    def forge(path):
        with h5py.File(path, "a") as file:
            card = json.loads(file.attrs["ivdlib"])
            file.attrs["ivdlib"] = json.dumps({**card, **changes})

    forge.__name__ = "passport_" + "_".join(changes)
    return forge


def passport_that_is_no_json(path):
    with h5py.File(path, "a") as file:
        file.attrs["ivdlib"] = "{"


def resealed(**changes):
    """As `passport`, by somebody who keeps the checksum."""

    def damage(path):
        card, _ = weights_file.read_passport(path)
        weights_file.seal_weights(path, card | changes)

    damage.__name__ = "resealed_" + "_".join(changes)
    return damage


def passport_that_is_a_list(path):
    with h5py.File(path, "a") as file:
        file.attrs["ivdlib"] = "[1]"


def without_layers(path):
    with h5py.File(path, "a") as file:
        del file["layers"]


def without_one_layer(path):
    with h5py.File(path, "a") as file:
        del file["layers/batch_norm"]


@pytest.mark.filterwarnings("ignore:Skipping nested container")
@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (truncated, "is cut off"),
        (half, "is cut off"),
        (text, "is no HDF5 file"),
        (without_passport, "has no passport"),
        (passport_that_is_no_json, "its passport cannot be read"),
        (passport_that_is_a_list, "its passport cannot be read"),
        (without_layers, "do not fit its checksum"),
        (without_one_layer, "do not fit its checksum"),
        (passport(network="vnet"), "says network = "),
        (passport(config={"base": 2, "depth": 1}), "do not fit its checksum"),
        (resealed(config={"base": 2, "depth": 1}), "says config = .*depth"),
        (passport(config={"base": 4, "levels": 1}), "do not fit its checksum"),
        (passport(config=3), "says config = 3"),
        (passport(tile=["a", 3]), "says tile = "),
        (passport(tile=None), "says tile = null"),
    ],
    ids=lambda f: getattr(f, "__name__", ""),
)
def test_a_foreign_or_damaged_file_is_named(weights, damage, words):
    damage(weights)
    with pytest.raises(DataError, match=words) as told:
        load_model(weights)
    assert str(weights) in str(told.value)


def test_a_full_disk_leaves_the_weights_before(model, weights, monkeypatch):
    before = weights.read_bytes()
    monkeypatch.setattr(
        "ivdlib.files.shutil.disk_usage", lambda place: SimpleNamespace(free=1_000_000)
    )
    with pytest.raises(DataError, match="No space left"):
        save_weights(model, weights, PASSPORT)
    assert weights.read_bytes() == before and len(list(weights.parent.iterdir())) == 1


def test_a_passport_that_asks_for_too_much_leaves_nothing_behind(weights):
    """Keras makes later what was planned and not made: gigabytes, amid somebody else's work."""
    from keras.src.backend.common import global_state

    resealed(config={"base": 2048, "levels": 8})(weights)
    with pytest.raises(DataError, match="does not fit the numbers in the file"):
        load_model(weights)
    assert not global_state.get_global_attribute("uninitialized_variables")
