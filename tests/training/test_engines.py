"""OpenVINO gives what Keras gives; converted networks are kept, and made anew where they must."""

import importlib.util
import os
import shutil
import warnings
from dataclasses import replace

import keras
import numpy as np
import pytest

from ivdlib import networks
from ivdlib.cli import predict as use
from ivdlib.data.cases import load_case
from ivdlib.errors import ConfigError, DataWarning
from ivdlib.training import conversion, engines, openvino_model
from ivdlib.training import predict as application
from ivdlib.training.weights import load_model, save_weights

if importlib.util.find_spec("openvino") is None and not os.environ.get("IVDLIB_CI"):
    pytest.skip("OpenVINO is not there: pip install 'ivdlib[openvino]'", allow_module_level=True)

TILE = (16, 12)
UNET = networks.UNetConfig(base=2, levels=1)
EXPORT = keras.Model.export
# In probability. The last layer of these networks is stretched until they say all from 0 to 1, and
# with it the rounding: float32 by up to 2e-4, bfloat16 at single pixels by 0.3 (another network
# would differ by 0.3 in the mean). What bfloat16 does to trained networks is measured by
# benchmarks/inference.py.
FLOAT32, BFLOAT16 = 1e-3, 0.1


def assert_near(ours, theirs, precision):
    """Every pixel in float32; in bfloat16 the mean over all."""
    difference = np.abs(ours - theirs)
    assert difference.max() < FLOAT32 if precision == "float32" else difference.mean() < BFLOAT16


def trained(name, config, tile, path, **passport):
    """A weights file of a network that answers something, as if it had been trained."""
    keras.utils.set_random_seed(0)
    model = networks.build(name, config, input_shape=(*tile, 1))
    random = np.random.default_rng(1)
    for weight in model.weights:
        if weight.path.endswith("variance"):
            weight.assign(random.uniform(0.5, 1.5, weight.shape))
        elif len(weight.shape) == 1:
            weight.assign(weight + 0.2 * random.normal(size=weight.shape))
    # The last layer is set so that probabilities lie around one half and reach far.
    kernel, bias = model.get_layer("logits").weights
    answer = model.predict_on_batch(tiles(2, tile)).astype(float)
    logits = np.log(answer / (1 - answer))
    kernel.assign(kernel * 1.5 / logits.std())
    shift = np.eye(bias.shape[0])[-1] * 1.5 * logits.mean() / logits.std()
    bias.assign(bias * 1.5 / logits.std() - shift)
    card = {"network": name, "config": model_config(name, config).to_dict(), "tile": tile,
            "images": ["wat", "fat"], "target": "disc", "spacing": [[0.5, 6]] * 3}  # fmt: skip
    save_weights(model, path, card | passport)
    return path


def model_config(name, config):
    return networks.config_of(name, config) if isinstance(config, str) else config


def tiles(count, tile=TILE, seed=0):
    return np.random.default_rng(seed).random((count, *tile, 1), dtype=np.float32)


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("IVDLIB_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    return trained("unet", UNET, TILE, tmp_path_factory.mktemp("unet") / "model.weights.h5")


@pytest.fixture(scope="module")
def converted(weights, tmp_path_factory):
    """The network of `weights`, converted: to be copied, which is quicker."""
    path = tmp_path_factory.mktemp("converted") / "network.xml"
    with conversion._plain_kernels():
        EXPORT(load_model(weights).model, str(path), format="openvino", verbose=False)
    return path


@pytest.fixture
def conversions(monkeypatch, converted):
    """Grows by one with each conversion, which is a copy."""
    seen = []

    def counted(model, path, **kwargs):
        seen.append(path)
        shutil.copy(converted, path)
        shutil.copy(converted.with_suffix(".bin"), path[:-3] + "bin")

    monkeypatch.setattr(keras.Model, "export", counted)
    return seen


def predict(path, precision="float32", count=5, **kwargs):
    network = load_model(path)
    tile = tuple(network.passport["tile"])
    fast = engines.on_engine(network, path, precision=precision, **kwargs)
    return fast.model.predict_on_batch(tiles(count, tile))


def expected(path, count=5):
    network = load_model(path)
    return network.model.predict_on_batch(tiles(count, tuple(network.passport["tile"])))


def small(name, variant=None):
    config = networks.config_of(name, "tiny", variant)
    return config if name == "unet" else replace(config, middle_units=1)


@pytest.mark.parametrize(
    ("name", "variant"),
    [("unet", None), ("fds_cnn", None), ("fds_cnn", "four_down"), ("deeplabv3plus", None)],
)
def test_all_networks_agree_with_keras(tmp_path, name, variant):
    path = trained(name, small(name, variant), (21, 18), tmp_path / "model.weights.h5")
    keras_says = expected(path, 2)
    assert keras_says.std() > 0.1
    assert_near(predict(path, count=2), keras_says, "float32")
    if variant is None and name != "deeplabv3plus":
        assert_near(predict(path, "bfloat16", count=2), keras_says, "bfloat16")


@pytest.mark.parametrize("precision", engines.PRECISIONS)
def test_any_number_of_tiles(weights, precision):
    network = load_model(weights)
    fast = engines.on_engine(network, weights, precision=precision)
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


def test_auto_asks_the_processor(weights, monkeypatch):
    for able, precision in ((["FP32", "BF16"], "bfloat16"), (["FP32"], "float32")):
        core = openvino_model.core()
        monkeypatch.setattr(core.__class__, "get_property", lambda *_, able=able: able)
        assert engines.best_precision() == precision
        network = engines.on_engine(load_model(weights), weights)
        assert network.model.precision == ("float32" if precision == "float32" else "auto")


@pytest.mark.parametrize(("near", "settled"), [(1.0, "bfloat16"), (0.0, "float32")])
def test_auto_takes_bfloat16_only_where_it_answers_alike(weights, monkeypatch, near, settled):
    monkeypatch.setattr(openvino_model, "NEAR", near)
    monkeypatch.setattr(engines, "best_precision", lambda: "bfloat16")
    said = []
    monkeypatch.setattr(openvino_model, "say", said.append)
    model = engines.on_engine(load_model(weights), weights).model
    sharp = {
        kind: engines.on_engine(load_model(weights), weights, precision=kind).model
        for kind in ("float32", "bfloat16")
    }
    exact = sharp["float32"].predict_on_batch(tiles(3))
    assert (exact >= 0.5).any()
    monkeypatch.setattr(openvino_model, "THRESHOLD", 2.0)  # no disc: nothing is settled
    np.testing.assert_array_equal(model.predict_on_batch(tiles(3)), exact)
    assert model.precision == "auto" and not said
    monkeypatch.setattr(openvino_model, "THRESHOLD", 0.5)
    np.testing.assert_array_equal(model.predict_on_batch(tiles(3)), exact)
    assert model.precision == settled and len(said) == 1 and settled in said[0]
    after = sharp[settled].predict_on_batch(tiles(3))
    np.testing.assert_array_equal(model.predict_on_batch(tiles(3)), after)


def test_keras_is_the_network_itself(weights, conversions):
    network = load_model(weights)
    assert engines.on_engine(network, weights, "keras") is network and not conversions


@pytest.mark.parametrize("kernels", [None, "fast", "plain"])
def test_conversion_leaves_the_environment(weights, monkeypatch, kernels):
    monkeypatch.delenv("IVDLIB_KERNELS", raising=False)
    if kernels:
        monkeypatch.setenv("IVDLIB_KERNELS", kernels)
    predict(weights)
    assert os.environ.get("IVDLIB_KERNELS") == kernels


# --- the cache -----------------------------------------------------------------------------------


def test_converted_once_and_anew_for_other_weights(
    weights, tmp_path, cache, conversions, monkeypatch
):
    first = predict(weights)
    (entry,) = cache.iterdir()
    assert sorted(file.suffix for file in entry.iterdir()) == [".bin", ".xml"]
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


@pytest.mark.parametrize("suffix", [".xml", ".bin"])
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
    assert len(list(cache.rglob("*"))) == 3  # the entry and its two files


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
    assert len(list(cache.rglob("*"))) == 3


def test_the_usual_place_of_the_cache(monkeypatch, tmp_path):
    monkeypatch.delenv("IVDLIB_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert conversion.cache_folder() == tmp_path / "ivdlib"
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert conversion.cache_folder() == tmp_path / ".cache" / "ivdlib"


# --- refusals ------------------------------------------------------------------------------------


def test_refusals(weights, monkeypatch):
    with pytest.raises(ConfigError, match="keras, openvino"):
        engines.check("tensorrt")
    with pytest.raises(ConfigError, match="auto, float32, bfloat16"):
        engines.check("openvino", "int8")
    with pytest.raises(ConfigError, match="for the engine openvino"):
        engines.check("keras", "float32")
    monkeypatch.setattr(keras.backend, "backend", lambda: "jax")
    with pytest.raises(ConfigError, match="not jax"):
        engines.check("openvino")
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    with pytest.raises(ConfigError, match=r"pip install 'ivdlib\[openvino\]'"):
        list(application.predict_folder("nowhere", weights, "nowhere", engine="openvino"))


def test_a_network_that_cannot_be_converted(weights, monkeypatch):
    def fails(*_, **__):
        raise NotImplementedError("no such op\nas this one.")

    monkeypatch.setattr(keras.Model, "export", fails)
    with warnings.catch_warnings():
        warnings.simplefilter("error", DataWarning)  # the cache is not to blame
        with pytest.raises(ConfigError, match="as this one.; use the engine keras"):
            predict(weights)


def test_a_network_of_several_channels(tmp_path, cache):
    """Contrasts as channels, or neighbouring slices."""
    model = networks.build("unet", UNET, input_shape=(16, 16, 3))
    path = tmp_path / "model.weights.h5"
    card = {"network": "unet", "config": UNET.to_dict(), "target": "disc", "tile": (16, 16)}
    save_weights(model, path, card | {"images": ["wat"], "channels": 3, "neighbours": 1})
    network = load_model(path)
    fast = engines.on_engine(network, path, "openvino", "float32")
    tiles = np.random.default_rng(0).random((3, 16, 16, 3), dtype=np.float32)
    found = fast.model.predict_on_batch(tiles)
    assert found.shape == (3, 16, 16, 1)
    np.testing.assert_allclose(found, network.model.predict_on_batch(tiles), atol=1e-5)


# --- scans ---------------------------------------------------------------------------------------


def test_same_masks_of_a_folder(tmp_path, write_case, cache):
    disc = trained("unet", UNET, (16, 16), tmp_path / "disc" / "model.weights.h5", spine="spine",
                   margin=5.0)  # fmt: skip
    trained("unet", UNET, (12, 16), tmp_path / "spine" / "model.weights.h5", target="spine",
            factor=2)  # fmt: skip
    write_case(tmp_path / "in", "01")
    case = load_case(tmp_path / "in" / "01")
    masks = {}
    for engine, precision in (("keras", "auto"), ("openvino", "float32")):
        (path,) = application.predict_folder(
            tmp_path / "in", disc, tmp_path / engine, engine=engine, precision=precision
        )
        masks[engine] = path.read_bytes()
    assert masks["keras"] == masks["openvino"]
    assert len(list(cache.iterdir())) == 2  # both networks
    mask = application.predict_case(load_model(disc), case)
    assert 0.001 < mask.mean() < 0.999


def test_the_command_knows_the_same_names():
    import argparse

    parser = argparse.ArgumentParser()
    use.predict(lambda *_: parser)
    choices = {action.dest: action.choices for action in parser._actions}
    assert choices["engine"] == engines.ENGINES
    assert choices["precision"] == engines.PRECISIONS
