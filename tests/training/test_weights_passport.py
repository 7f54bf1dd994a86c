"""Weights and their passport: damage is named, odd values are refused, old files are read."""

import json
import math
import shutil
import warnings
from pathlib import Path

import h5py
import keras
import numpy as np
import pytest
from passports import CARD, TINY

from ivdlib import networks
from ivdlib.errors import DataError, DataWarning
from ivdlib.training import inference, weights_file, weights_passport
from ivdlib.training.weights import load_model, save_weights

OLD = Path(__file__).parent / "old_weights" / "trainings"
"""Made by the code of commit 69ed3e2, before passports had a checksum. Never make them again."""


@pytest.fixture(scope="module")
def model():
    keras.utils.set_random_seed(0)
    return networks.build("unet", TINY, input_shape=(16, 12, 1))


@pytest.fixture
def weights(model, tmp_path):
    path = tmp_path / "trainings" / "a" / "model.weights.h5"
    save_weights(model, path, CARD)
    return path


def rewrite(path, seal=True, **changes):
    """Change keys of a passport ("gone": lose them), with or without a checksum that fits."""
    with h5py.File(path, "a") as file:
        card = json.loads(file.attrs["ivdlib"]) | changes
        card = {k: v for k, v in card.items() if v != "gone"}
        file.attrs["ivdlib"] = json.dumps(card)
    if seal and "checksum" not in changes:
        weights_file.seal_weights(path, card)


def refused(path):
    with pytest.raises(DataError) as told, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        load_model(path)
    text = str(told.value)
    assert str(path) in text and "; " in text and "\n" not in text
    return text


def loaded(path):
    """Load weights that have nothing to be said of."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        return load_model(path)


@pytest.mark.parametrize(
    ("name", "seen"),
    [
        ("d15c000000000002", [[0.59749, 0.55564, 0.62249], [0.55076, 0.37570, 0.48929],
                              [0.53880, 0.58667, 0.66423], [0.44332, 0.52820, 0.50817]]),
        ("5b1e000000000001", [[0.32726, 0.02127, 0.01368], [0.42036] * 3, [0.42036] * 3]),
    ],
)  # fmt: skip
def test_weights_of_before_checksums_load_with_one_sentence(name, seen):
    path = OLD / name / "model.weights.h5"
    with pytest.warns(DataWarning) as told:
        network = load_model(path)
    (text,) = (str(w.message) for w in told)
    assert str(path) in text and "no checksum" in text and "voxel size" in text
    tile = network.passport["tile"]
    image = np.random.default_rng(0).random((1, *tile), dtype=np.float32)
    np.testing.assert_allclose(inference.predict(network, image)[0, ::5, ::5], seen, atol=1e-4)


def test_every_recorded_passport_is_valid():
    reference = Path(__file__).parents[2] / "reports" / "reference"
    cards = [json.loads(p.read_text()).get("passport")
             for p in reference.glob("**/trainings/*/record.json")]  # fmt: skip
    cards = [card for card in cards if card]
    assert len(cards) > 200
    for card in cards:
        weights_passport.check_passport(card, "record.json")


def test_the_checksum_is_that_of_the_numbers_not_of_the_file(weights, model, tmp_path):
    card = loaded(weights).passport
    assert len(card["checksum"]) == 64
    other = tmp_path / "other.h5"
    with h5py.File(weights) as old, h5py.File(other, "w") as new:  # another layout, compressed

        def put(name, item):
            if isinstance(item, h5py.Dataset):
                new.create_dataset(
                    name,
                    data=item[()].astype(item.dtype.newbyteorder(">")),
                    **({"compression": "gzip"} if item.size > 1 else {}),
                )
            else:
                new.require_group(name).attrs.update(item.attrs)

        old.visititems(put)
        new.attrs.update(old.attrs)
    again = load_model(other)
    for a, b in zip(model.get_weights(), again.model.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    assert save_weights(model, tmp_path / "b.weights.h5", CARD) == card


def change(path, what):
    """Change each array of the file by `what(array)`, where that gives one."""
    with h5py.File(path, "a") as file:
        found = []
        file.visititems(lambda n, item: found.append(n) if hasattr(item, "shape") else None)
        for name in found:
            if (array := what(file[name][()])) is not None:
                file[name][...] = array


def test_flipped_bits_are_named_as_damage(weights):
    whole = weights.read_bytes()
    kernel = np.float32(loaded(weights).model.get_layer("bottom_conv1").get_weights()[0])
    where = whole.index(kernel.tobytes())
    for k in range(0, 40, 7):
        flipped = bytearray(whole)
        flipped[where + k] ^= 1
        weights.write_bytes(flipped)
        text = refused(weights)
        assert "damaged" in text and "checksum" in text and "copy" in text


def test_arrays_that_changed_places_are_damage(weights):
    with h5py.File(weights, "a") as file:
        one, two = (f"layers/conv2d{k}/vars/1" for k in ("", "_1"))
        file[one][...], file[two][...] = file[two][()] + 1, file[one][()]
    assert "checksum" in refused(weights)


@pytest.mark.parametrize("number", [math.nan, math.inf])
def test_numbers_that_are_none_are_refused_at_saving_and_loading(model, weights, tmp_path, number):
    broken = keras.models.clone_model(model)
    broken.set_weights([np.full_like(w, number) for w in model.get_weights()])
    path = tmp_path / "broken.weights.h5"
    with pytest.raises(DataError, match="NaN or infinite.*; .*learning_rate"):
        save_weights(broken, path, CARD)
    assert not list(tmp_path.glob("*broken*"))
    rewrite(
        weights, **dict.fromkeys(("checksum", *weights_passport.SEALED), "gone")
    )  # as of before
    change(weights, lambda array: np.full_like(array, number))
    assert "NaN or infinite" in refused(weights)


def test_finite_weights_that_answer_with_nan_are_refused(model):
    wild = keras.models.clone_model(model)
    wild.set_weights([np.full_like(w, -1.0) if w.ndim == 1 else w for w in model.get_weights()])
    image = np.random.default_rng(0).random((1, 16, 12), dtype=np.float32)
    with pytest.raises(DataError, match="NaN.*; "):
        inference.predict(wild, image)  # variances below zero


ODD = {
    "margin": (math.nan, -5, math.inf, "15", True, None, [15], 1e308, 1e4),
    "gap": (math.nan, -1, 1e9),
    "tolerance": (-1, math.nan, 1e9, 0.2),
    "neighbours": (-1, 1.5, True, "1", 10**9),
    "channels": (0, -1, 10**9),
    "factor": (0, 1.5, 10**6),
    "spine": (7, "", "..", "a/b", "../x"),
    "tile": ((10**6, 10**6), (0, 12), (16,), (16, 12, 1), "16", (16.5, 12), 16, (1, 1), (16, 3),
             (4096, 16)),
    "images": ([], "wat", ["wat", "wat"], [7], [""], ["wat+"], ["nan*wat+opp"], ["wat\x1b[31m"],
               ["wat+opp", "opp+wat"], ["wat&inn+opp", "fat", "wat&opp+inn"]),
    "target": ("heart", 3, None),
    "mask": (1, "yes"),
    "network": ("vgg", None, 3),
    "config": (None, [], {"base": -1}, {"levels": 10**6}, {"base": 10**6}, {"a": 3}, {"base": "x"}),
    "spacing": ([2, 1, 1], [[2, 2], [1, 1]], [[2, 2], [0, 1], [1, 1]], [[2, math.nan]] * 3, "2",
                [[1e-300, 1e300]] * 3, [[2, 2], [1, 1], [1, 1e-300]]),
    "field": ([[1, 2]], 5, [[3, 2], [1, 1]], [[1e-9, 1], [1, 1]]),
    "slices": ([0, 1], 4, [1, 1e9]),
    "disc_mm": ([1], [-1, 2], [5, 3], [0, 0], [1, 1e9]),
    "checksum": ("abc", 5, "x" * 64),
}  # fmt: skip


@pytest.mark.parametrize(("key", "value"), [(k, v) for k, values in ODD.items() for v in values])
def test_an_odd_value_is_named(weights, key, value):
    rewrite(weights, **{key: value})
    text = refused(weights)
    assert f"its passport says {key} = " in text and "train again" in text
    assert "\x1b" not in text and len(text) < 700


@pytest.mark.parametrize(
    ("field", "value"),
    [("middle_units", 2048), ("middle_units", -1), ("dropout", 5.0), ("dropout", -0.1),
     ("width", 0.0), ("width", 50.0), ("rates", [[2048]]), ("strides", [[9], [0]]),
     ("aspp_rates", [6, 1e9])],
)  # fmt: skip
def test_an_odd_field_of_the_configuration_is_named(weights, field, value):
    config = networks.config_of("fds_cnn", "tiny").to_dict() | {field: value}
    rewrite(weights, network="fds_cnn", config=config)
    assert f"its passport says config.{field} = {json.dumps(value)}, and it" in refused(weights)
    rewrite(weights, network="unet", config=TINY.to_dict() | {"levels": 40})
    assert "its passport says config.levels = 40, and it may be from 1 to 8" in refused(weights)


def test_what_may_be_is_no_false_alarm(weights):
    rewrite(weights, margin=0, gap=1000, tolerance=0.1, images=["wat+opp", "fat+opp"],
            disc_mm=[0, 4.0], slices=[1, 300])  # fmt: skip
    loaded(weights)


@pytest.mark.parametrize("key", [*CARD, "tolerance", "slices", "checksum"])
def test_a_key_that_was_changed_is_damage(model, tmp_path, key):
    """A stage or a check would be left out silently."""
    save_weights(
        model, path := tmp_path / "a.weights.h5", CARD | {"tolerance": 0.0, "slices": [1, 2]}
    )
    with h5py.File(path, "a") as file:
        text = json.dumps(json.loads(file.attrs["ivdlib"]))
        file.attrs["ivdlib"] = text.replace(f'"{key}"', f'"{key[:-1]}_"')
    text = refused(path)
    assert "damaged: its passport" in text or f"its passport has no {key}" in text


def test_another_value_is_damage_though_it_may_be(weights):
    for changes in ({"margin": 16.0}, {"images": ["fat", "wat"]}, {"tile": [16, 16]}):
        shutil.copy(weights, copy := weights.with_name("copy.weights.h5"))
        rewrite(copy, seal=False, **changes)
        assert "damaged: its passport or its numbers do not fit its checksum" in refused(copy)


def test_one_bit_of_the_passport_is_told(weights):
    whole = weights.read_bytes()
    good, _ = weights_file.read_passport(weights)
    with h5py.File(weights) as file:
        start = whole.index(text := bytes(file.attrs["ivdlib"]))
    for k in range(0, len(text), 5):
        flipped = bytearray(whole)
        flipped[start + k] ^= 1 << k % 7
        weights.write_bytes(flipped)
        try:
            assert (
                weights_file.read_passport(weights)[0] == good
            )  # how it is written does not matter
        except DataError as error:
            assert str(weights) in str(error)


def test_what_it_lacks_is_named(weights):
    for key in ("network", "config", "tile", "images", "target"):
        shutil.copy(weights, copy := weights.with_name("copy.weights.h5"))
        rewrite(copy, **{key: "gone"})
        assert f"its passport has no {key}" in refused(copy)
    rewrite(weights, target="spine")
    assert "its passport has no factor" in refused(weights)


def test_channels_must_be_those_of_the_images(weights):
    for changes in ({"neighbours": 1}, {"images": ["wat&fat"]}, {"images": ["wat", "wat&fat"]}):
        rewrite(weights, **{**{k: CARD[k] for k in ("neighbours", "images")}, **changes})
        assert "channels = 1" in refused(weights)


def test_keys_of_newer_versions_are_kept_silently(weights):
    rewrite(weights, tomorrow={"a": [1, None]})
    assert loaded(weights).passport["tomorrow"] == {"a": [1, None]}


def test_an_odd_passport_is_not_written(model, tmp_path):
    with pytest.raises(DataError, match="says margin = NaN"):
        save_weights(model, tmp_path / "a.weights.h5", CARD | {"margin": math.nan})
    assert not any(tmp_path.iterdir())


@pytest.mark.parametrize("text", ["{", "[]", "7", "[" * 100_000, ""])
def test_a_passport_that_is_none(weights, text):
    with h5py.File(weights, "a") as file:
        file.attrs["ivdlib"] = text
    assert "passport cannot be read" in refused(weights)
    with h5py.File(weights, "a") as file:
        file.attrs["ivdlib"] = np.arange(5)
    assert "passport cannot be read" in refused(weights)


@pytest.mark.parametrize("config", [{"base": 3}, {"levels": 2}, {"base": 2000}])
def test_a_configuration_that_does_not_fit_what_is_stored(weights, config):
    rewrite(weights, config=TINY.to_dict() | config)
    assert "does not fit the numbers in the file" in refused(weights)


def test_a_network_too_wide_for_memory_is_not_built(weights):
    wide = networks.config_of("fds_cnn", "tiny").to_dict() | {"width": 16}
    rewrite(weights, network="fds_cnn", config=wide)
    assert "does not fit the numbers in the file" in refused(weights)


@pytest.mark.parametrize(
    "name", ["best.h5", "BEST.HDF5", "model.keras", "best", "M.WEIGHTS.H5", "model.weights.h5.bak"]
)
def test_weights_of_another_name_load(weights, model, name):
    other = weights.rename(weights.with_name(name))
    found = loaded(other).model.get_weights()
    assert all(map(np.array_equal, found, model.get_weights()))
    assert [path.name for path in other.parent.iterdir()] == [name]


def test_what_is_no_weights_file_is_told_what_it_is(tmp_path, model, weights):
    path = tmp_path / "x.weights.h5"
    assert "there is no weights file" in refused(path)
    path.mkdir()
    assert "but a folder" in refused(path)
    path.rmdir()
    for content, words in (
        (b"", "is cut off"), (b"\x89HDF", "is cut off"), (b"PK\3\4abc", "a zip file"),
        (b"hello", "no HDF5"), (b"\x1f\x8b" + bytes(300), "no HDF5"),
    ):  # fmt: skip
        path.write_bytes(content)
        text = refused(path)
        assert words in text
        assert "damaged" not in text or words == "is cut off"
    model.save(tmp_path / "whole.keras")
    assert "a zip file" in refused(tmp_path / "whole.keras")
    model.save_weights(path)
    text = refused(path)
    assert "has no passport of ivdlib" in text and "model.weights.h5" in text
    with h5py.File(path, "w") as file:
        file["variable_0000"], file["history/step"] = [1.0], [1]
    assert "the checkpoint of a training" in refused(path)


def test_a_file_that_may_not_be_read_is_said_so(weights, monkeypatch):
    def denied(self, *_, **__):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", denied)
    text = refused(weights)
    assert "Permission denied" in text and "damaged" not in text


def test_a_file_cut_off_anywhere_is_told(weights):
    whole = weights.read_bytes()
    for end in np.linspace(0, len(whole) - 1, 1000).astype(int):
        weights.write_bytes(whole[:end])
        text = refused(weights)
        assert "is cut off" in text or "is damaged" in text


def test_a_byte_changed_anywhere_is_told_or_does_not_matter(weights, model):
    whole, rng = weights.read_bytes(), np.random.default_rng(0)
    there, told = loaded(weights).passport, 0
    for where in rng.integers(0, len(whole), 300):
        spoiled = bytearray(whole)
        spoiled[where] ^= 1 << int(rng.integers(8))
        weights.write_bytes(spoiled)
        try:
            found, _ = weights_file.read_passport(weights)
        except DataError as error:
            told += str(weights) in str(error)
        else:
            assert found.get("checksum", there["checksum"]) == there["checksum"]
    assert told > 20


@pytest.mark.parametrize("fault", [RuntimeError("h5py"), AttributeError("x"), RecursionError()])
def test_any_other_fault_is_a_sentence_and_memory_is_not(weights, monkeypatch, fault):
    def fails(*_, **__):
        raise fault

    monkeypatch.setattr(keras.Model, "load_weights", fails)
    assert type(fault).__name__ in refused(weights)
    fault = MemoryError()
    with pytest.raises(MemoryError):
        load_model(weights)
