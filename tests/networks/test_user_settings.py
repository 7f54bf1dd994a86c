"""What a user's keras.json, environment or notebook sets changes no network of ours; what cannot be
is one sentence that names its place."""

import json
import os
import subprocess
import sys

import keras
import numpy as np
import pytest
from learning import CONFIGS, TILE, learn
from scripts import OTHER_BACKENDS, installed

from ivdlib import networks
from ivdlib.training import inference, weights

TRAIN = """
import json, sys
import keras                        # before ivdlib, as a notebook may have it
import numpy as np
if keras.backend.backend() == "torch":
    import torch
    torch.set_default_dtype(torch.float64)
keras.config.set_dtype_policy("mixed_float16")
from ivdlib.training import inference
from ivdlib.training.weights import load_model
sys.path.insert(0, sys.argv[2])
from learning import CONFIGS, learn
folder, tiles, found = sys.argv[1], np.load(sys.argv[1] + "/tiles.npy"), {}
for name in CONFIGS:
    network = load_model(f"{folder}/{name}.weights.h5")
    found[name] = inference.tile_probabilities(network.model, tiles).tolist()
    found[name + " trained"] = learn(name, "float32")
    found[name + " mixed"] = learn(name, "bfloat16")
assert keras.config.floatx() == "float16" and keras.config.image_data_format() == "channels_first"
assert keras.config.dtype_policy().name == "mixed_float16" and keras.config.epsilon() == 0.1
print(json.dumps(found))
"""


@pytest.fixture(scope="module")
def usual(tmp_path_factory):
    """Weights, tiles and what they give where nobody has set anything."""
    folder = tmp_path_factory.mktemp("usual")
    tiles = np.random.default_rng(0).random((3, *TILE), np.float32)
    np.save(folder / "tiles.npy", tiles)
    found = {}
    for name, config in CONFIGS.items():
        keras.utils.set_random_seed(1)
        model = networks.build(name, config, (*TILE, 1))
        passport = {"network": name, "config": config.to_dict(), "tile": TILE, "images": ["t2"],
                    "target": "disc"}  # fmt: skip
        weights.save_weights(model, folder / f"{name}.weights.h5", passport)
        found[name] = inference.tile_probabilities(model, tiles)
    return folder, found


@pytest.mark.slow
@pytest.mark.parametrize("backend", ["tensorflow", *OTHER_BACKENDS])
def test_networks_are_the_same_whatever_is_set(usual, backend, tmp_path):
    installed(backend)
    folder, expected = usual
    settings = {"floatx": "float16", "epsilon": 0.1, "image_data_format": "channels_first"}
    (tmp_path / "keras.json").write_text(json.dumps({**settings, "backend": backend}))
    more = {"KERAS_HOME": str(tmp_path), "JAX_ENABLE_X64": "1", "KERAS_MAX_STEPS_PER_EPOCH": "1"}
    done = subprocess.run(
        [sys.executable, "-c", TRAIN, str(folder), os.path.dirname(__file__)],
        capture_output=True, text=True, env=clean() | more,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    found = json.loads(done.stdout.splitlines()[-1])
    for name in CONFIGS:
        np.testing.assert_allclose(found[name], expected[name], atol=1e-4)
        np.testing.assert_allclose(found[name + " trained"], found[name + " mixed"], rtol=0.1)
        if backend == keras.backend.backend():
            np.testing.assert_allclose(found[name + " trained"], learn(name, "float32"), rtol=2e-2)


def clean():
    """The environment without what a user may have set for Keras."""
    return {k: v for k, v in os.environ.items() if not k.startswith(("KERAS_", "IVDLIB_"))}


BROKEN = {
    "a backend that is gone": {"backend": "theano"},
    "a backend that is no word": {"backend": None},
    "a float type that is none": {"floatx": "float8"},
    "a whole epsilon": {"epsilon": 0},
    "a list": [1],
}


@pytest.mark.parametrize("kind", [*BROKEN, "a folder"])
def test_a_keras_json_that_cannot_be_is_named(kind, tmp_path):
    place = tmp_path / "keras.json"
    if kind == "a folder":
        place.mkdir()
    else:
        place.write_text(json.dumps(BROKEN[kind]))
    assert_named(str(place), {"KERAS_HOME": str(tmp_path)})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("KERAS_BACKEND", "theano"),
        ("KERAS_BACKEND", "numpy"),  # Keras knows it, but it trains nothing
        ("KERAS_BACKEND", "TensorFlow"),
        ("KERAS_MAX_EPOCHS", "many"),
    ],
)
def test_a_variable_that_cannot_be_is_named(name, value):
    assert_named(name, {name: value})


@pytest.mark.long
@pytest.mark.parametrize(
    ("backend", "name", "value"),
    [("torch", "KERAS_TORCH_DEVICE", "nonsense"), ("jax", "JAX_PLATFORMS", "nonsense")],
)
def test_a_device_that_is_none_is_named(backend, name, value):
    installed(backend)
    words = [sys.executable, "-m", "ivdlib", "info", "--network", "unet", "--size", "tiny"]
    more = {"KERAS_BACKEND": backend, name: value}
    done = subprocess.run(words, capture_output=True, text=True, env=clean() | more)
    assert done.returncode == 1 and "a fault" not in done.stderr
    assert f"{backend} cannot compute where {name} says" in done.stderr.splitlines()[-1]


def assert_named(place, more):
    """On the command line, and in a notebook."""
    words = [sys.executable, "-m", "ivdlib", "info", "--network", "unet", "--size", "tiny"]
    done = subprocess.run(words, capture_output=True, text=True, env=clean() | more)
    assert done.returncode == 1, done.stderr
    (line,) = done.stderr.splitlines()
    assert place in line and "; " in line
    code = "from ivdlib.networks import by_name"
    notebook = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env=clean() | more
    )
    assert notebook.stderr.splitlines()[-1].startswith("ivdlib.errors.ConfigError: ")
    assert place in notebook.stderr.splitlines()[-1]


def test_a_broken_keras_json_is_as_none(tmp_path):
    (tmp_path / "keras.json").write_text("{")
    words = [sys.executable, "-m", "ivdlib", "info", "--network", "unet", "--size", "tiny"]
    more = {"KERAS_HOME": str(tmp_path)}
    done = subprocess.run(words, capture_output=True, text=True, env=clean() | more)
    assert done.returncode == 0, done.stderr
