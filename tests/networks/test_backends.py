"""TensorFlow, JAX and PyTorch give one answer, and learn the same from one batch."""

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import one_backend
import pytest
from scripts import installed

from ivdlib import networks

pytestmark = pytest.mark.long

OTHERS = ("jax", "torch")
PROGRAM = Path(one_backend.__file__)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Weights and images, the same for all, and what every installed backend made of them."""
    folder = tmp_path_factory.mktemp("backends")
    rng = np.random.default_rng(0)
    shape = (3, *one_backend.SHAPE)
    x = rng.uniform(0, 1, shape).astype(np.float32)
    y = (rng.uniform(0, 1, shape) < 0.3).astype(np.float32)
    np.savez(folder / "images.npz", x=x, y=y)
    keras.utils.set_random_seed(5)
    for name, config in one_backend.CONFIGS.items():
        model = networks.build(name, config, one_backend.SHAPE)
        for weight in model.trainable_weights:
            if weight.name in ("gamma", "beta", "bias"):
                weight.assign(np.array(weight.value) + rng.uniform(-0.2, 0.2, weight.shape))
        # Moving statistics of images like these: fresh ones hide the image.
        for norm in model._flatten_layers():
            if isinstance(norm, keras.layers.BatchNormalization):
                norm.momentum = 0.0
        model(x**2, training=True)
        model.save_weights(folder / f"{name}.weights.h5")
    # XLA need not make fast what runs once.
    quick = "--xla_backend_optimization_level=0 --xla_llvm_disable_expensive_passes=true"
    start = os.environ | {"CUDA_VISIBLE_DEVICES": "", "JAX_PLATFORMS": "cpu", "XLA_FLAGS": quick}
    start.pop("IVDLIB_KERNELS", None)
    wanted = [b for b in ("tensorflow", *OTHERS) if importlib.util.find_spec(b)]
    running = {
        backend: subprocess.Popen(
            [sys.executable, str(PROGRAM), str(folder)],
            env=start | {"KERAS_BACKEND": backend},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        for backend in wanted
    }
    for backend, process in running.items():
        (folder / f"{backend}.log").write_text(process.communicate(timeout=600)[0])
    return folder


def result(folder, name, backend):
    path = folder / f"{name}-{backend}.npz"
    assert path.is_file(), (folder / f"{backend}.log").read_text()[-3000:]
    return np.load(path)


@pytest.fixture(params=[(n, b) for b in OTHERS for n in one_backend.CONFIGS], ids="-".join)
def results(request, folder):
    """What TensorFlow and another backend made of a network."""
    name, backend = request.param
    installed(backend)
    return [result(folder, name, b) for b in ("tensorflow", backend)]


def test_answers_are_those_of_tensorflow(results):
    want, got = results
    for key in ("inference", "training"):
        assert want[key].shape == (3, *one_backend.SHAPE)
        assert np.ptp(want[key]) > 0.01, key
        np.testing.assert_allclose(got[key], want[key], atol=1e-4, rtol=0, err_msg=key)
    assert np.abs(want["inference"] - want["training"]).max() > 1e-3


def test_one_step_moves_the_weights_as_on_tensorflow(results):
    """To some per cent: a pixel that rounding puts on the other side of a ReLU changes a step."""
    want, got = results
    assert float(got["loss"]) == pytest.approx(float(want["loss"]), rel=1e-4)
    keys = [key for key in want.files if key.startswith("change")]
    assert set(want.files) == set(got.files)
    for key in keys:
        start = key.replace("change", "start")
        np.testing.assert_array_equal(got[start], want[start])
    whole = np.sqrt(sum(np.sum(want[key] ** 2) for key in keys))
    assert whole > 1e-3
    differences = {key: np.linalg.norm(got[key] - want[key]) for key in keys}
    for key, difference in differences.items():
        assert difference < 0.1 * np.linalg.norm(want[key]) + 0.002 * whole, key
    assert np.linalg.norm([*differences.values()]) < 0.05 * whole
