"""Conversion to OpenVINO is done once, and again where it must."""

import importlib.util
import os
import shutil
import warnings

import keras
import numpy as np
import pytest
from converted import EXPORT, expected, predict

from ivdlib.errors import ConfigError, DataWarning
from ivdlib.training import conversion
from ivdlib.training.weights import load_model, save_weights

if importlib.util.find_spec("openvino") is None and not os.environ.get("IVDLIB_CI"):
    pytest.skip("OpenVINO is not there: pip install 'ivdlib[openvino]'", allow_module_level=True)
pytestmark = pytest.mark.usefixtures("cache")


@pytest.mark.parametrize("kernels", [None, "fast", "plain"])
def test_conversion_leaves_the_environment(weights, conversions, monkeypatch, kernels):
    monkeypatch.delenv("IVDLIB_KERNELS", raising=False)
    if kernels:
        monkeypatch.setenv("IVDLIB_KERNELS", kernels)
    copied, seen = keras.Model.export, []

    def watched(model, path, **kwargs):
        seen.append(os.environ["IVDLIB_KERNELS"])
        copied(model, path, **kwargs)

    monkeypatch.setattr(keras.Model, "export", watched)
    predict(weights)
    assert os.environ.get("IVDLIB_KERNELS") == kernels and seen == ["plain"]


def test_converted_once_and_anew_for_other_weights(
    weights, tmp_path, cache, conversions, monkeypatch
):
    first = predict(weights)
    (entry,) = cache.iterdir()
    assert sorted(file.suffix for file in entry.iterdir()) == [".bin", ".json", ".xml"]
    np.testing.assert_array_equal(predict(weights), first)
    copy = shutil.copy(weights, tmp_path / "copy.weights.h5")
    np.testing.assert_array_equal(predict(copy), first)
    assert len(conversions) == 1
    network = load_model(weights)
    network.model.set_weights([0.9 * w for w in network.model.get_weights()])
    save_weights(network.model, copy, network.passport)
    monkeypatch.setattr(keras.Model, "export", EXPORT)
    np.testing.assert_allclose(predict(copy), expected(copy), atol=1e-4)
    assert len(conversions) == 1 and len(list(cache.iterdir())) == 2


def flip(path):
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 0x40
    path.write_bytes(content)


@pytest.mark.parametrize("suffix", [".xml", ".bin", ".json"])
@pytest.mark.parametrize(
    "damage",
    [lambda f: f.unlink(), flip, lambda f: f.write_bytes(f.read_bytes()[:-9])],
    ids=["missing", "flipped", "short"],
)
def test_a_damaged_entry_is_made_anew(weights, cache, conversions, damage, suffix):
    first = predict(weights)
    (file,) = cache.glob(f"*/*{suffix}")
    damage(file)
    np.testing.assert_array_equal(predict(weights), first)
    np.testing.assert_array_equal(predict(weights), first)
    assert len(conversions) == 2
    assert len(list(cache.rglob("*"))) == 4  # the entry and its three files


def no_folder(cache, monkeypatch):
    cache.write_text("a file stands where the folder should be")


def full_disk(cache, monkeypatch):
    usage = shutil.disk_usage(cache.parent)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage._replace(free=10))


def over_quota(cache, monkeypatch):
    export = keras.Model.export

    def refused(model, path, **kwargs):
        if path.startswith(str(cache)):
            raise OSError(122, "Disk quota exceeded")
        export(model, path, **kwargs)

    monkeypatch.setattr(keras.Model, "export", refused)


@pytest.mark.parametrize("trouble", [no_folder, full_disk, over_quota])
def test_prediction_goes_on_without_a_cache(weights, cache, conversions, monkeypatch, trouble):
    trouble(cache, monkeypatch)
    with pytest.warns(DataWarning, match="IVDLIB_CACHE") as remarks:
        ours = predict(weights)
    assert len([r for r in remarks if r.category is DataWarning]) == 1
    np.testing.assert_allclose(ours, expected(weights), atol=1e-4)
    assert not list(cache.glob("*"))


def test_another_process_may_be_quicker(weights, cache, conversions, monkeypatch):
    export = keras.Model.export

    def overtaken(model, path, **kwargs):
        monkeypatch.setattr(keras.Model, "export", export)
        predict(weights)
        export(model, path, **kwargs)

    monkeypatch.setattr(keras.Model, "export", overtaken)
    np.testing.assert_allclose(predict(weights), expected(weights), atol=1e-4)
    assert len(list(cache.rglob("*"))) == 4


def test_the_usual_place_of_the_cache(monkeypatch, tmp_path):
    monkeypatch.delenv("IVDLIB_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert conversion.cache_folder() == tmp_path / "ivdlib"
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert conversion.cache_folder() == tmp_path / ".cache" / "ivdlib"


def test_a_network_that_cannot_be_converted(weights, monkeypatch):
    def fails(*_, **__):
        raise NotImplementedError("no such op\nas this one.")

    monkeypatch.setattr(keras.Model, "export", fails)
    with warnings.catch_warnings():
        warnings.simplefilter("error", DataWarning)  # the cache is not to blame
        with pytest.raises(ConfigError, match="as this one.; use the engine keras"):
            predict(weights)
