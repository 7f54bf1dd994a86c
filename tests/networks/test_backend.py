"""Compiler, threads, device."""

import importlib.util
import os
import subprocess
import sys

import pytest
from scripts import OTHER_BACKENDS

from ivdlib import provenance
from ivdlib.errors import ConfigError
from ivdlib.networks import backend


@pytest.mark.parametrize(("threads", "device"), [(0, None), (-1, None), (None, "tpu")])
def test_values_that_do_not_fit(threads, device):
    with pytest.raises(ConfigError):
        backend.configure(threads, device)


@pytest.mark.skipif(backend.has_gpu(), reason="this machine has a GPU")
def test_a_gpu_that_is_not_there_is_said():
    with pytest.raises(ConfigError, match="no GPU"):
        backend.configure(device="gpu")


@pytest.mark.skipif(backend.has_gpu(), reason="this machine has a GPU")
def test_no_xla_on_a_tensorflow_cpu():
    import keras

    assert backend.jit_compile() is (keras.backend.backend() == "jax")


@pytest.mark.slow
def test_threads_of_a_parent_reach_the_child():
    code = (
        "import ivdlib.networks.backend, keras; "
        "import tensorflow as tf; print(tf.config.threading.get_intra_op_parallelism_threads())"
    )
    environment = {**os.environ, "IVDLIB_THREADS": "1", "KERAS_BACKEND": "tensorflow"}
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env=environment
    )
    assert done.stdout.strip() == "1", done.stderr


@pytest.mark.parametrize("own", [None, "0"])
def test_tensorflow_has_onednn_on_every_processor_unless_told_otherwise(own, monkeypatch):
    """Without AVX-512 it is off by itself, and the fast form of a dilated convolution with it."""
    monkeypatch.delenv("TF_ENABLE_ONEDNN_OPTS", raising=False)
    if own:
        monkeypatch.setenv("TF_ENABLE_ONEDNN_OPTS", own)
    read = "import ivdlib, sys, os; sys.addaudithook(lambda name, words: (name, words[:1]) == "
    read += "('import', ('tensorflow.python.pywrap_tensorflow',)) and print(os.environ.get("
    read += "'TF_ENABLE_ONEDNN_OPTS'))); import keras"
    done = subprocess.run([sys.executable, "-c", read], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == (own or "1")


@pytest.mark.slow
def test_cores_that_are_no_number_are_one_sentence():
    environment = {**os.environ, "IVDLIB_THREADS": "two", "KERAS_BACKEND": "tensorflow"}
    done = subprocess.run(
        [sys.executable, "-c", "import ivdlib.networks.backend"],
        capture_output=True, text=True, env=environment,
    )  # fmt: skip
    assert "ConfigError: IVDLIB_THREADS is a number of cores, not 'two'." in done.stderr


# How many threads worked, whatever else the machine does: the share of the busiest in all CPU time.
WORK = """
import os, sys
import numpy as np
from ivdlib import networks
from ivdlib.networks import backend
from ivdlib.training import inference, weights
backend.configure(int(sys.argv[2]))
config = networks.UNetConfig(base=16, levels=2)
network = weights.Network(networks.build("unet", config, (64, 64, 1)), {})
if sys.argv[1] == "openvino":
    from ivdlib.training import engines
    card = {"network": "unet", "config": config.to_dict(), "tile": (64, 64), "images": ["wat"]}
    weights.save_weights(network.model, sys.argv[3] + "/a.weights.h5", card | {"target": "disc"})
    network = engines.load_network(sys.argv[3] + "/a.weights.h5", precision="float32")
tiles = np.ones((64, 64, 64), np.float32)
def ticks():
    found = {}
    for thread in os.listdir("/proc/self/task"):
        with open(f"/proc/self/task/{thread}/stat") as stream:
            words = stream.read().rsplit(")", 1)[1].split()
        found[thread] = int(words[11]) + int(words[12])
    return found
inference.tile_probabilities(network.model, tiles)
before = ticks()
for _ in range(200):
    inference.tile_probabilities(network.model, tiles)
    spent = sorted(n - before.get(thread, 0) for thread, n in ticks().items())
    if sum(spent) > 100:
        break
print(spent[-1] / sum(spent))
"""


@pytest.mark.slow
@pytest.mark.skipif(
    not os.path.isdir("/proc/self/task") or provenance.cores() < 2, reason="needs Linux, two cores"
)
@pytest.mark.parametrize(
    "engine",
    ["tensorflow", pytest.param("openvino", marks=pytest.mark.long), *OTHER_BACKENDS],
)
def test_threads_are_as_many_as_asked_for(engine, tmp_path):
    """A count that is heeded by one framework alone is silently nothing on the others."""
    if importlib.util.find_spec(engine) is None:
        pytest.skip(f"{engine} is not installed")
    more = {"KERAS_BACKEND": "tensorflow" if engine == "openvino" else engine}
    shares = []
    for threads in ("1", "2"):
        done = subprocess.run(
            [sys.executable, "-c", WORK, engine, threads, str(tmp_path)],
            capture_output=True, text=True, env=os.environ | more,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        shares.append(float(done.stdout))
    # JAX compiles on a thread of its own, which counts more on a busy machine.
    assert shares[0] > 0.7 and shares[0] - shares[1] > 0.1, shares


@pytest.mark.long
def test_jax_takes_its_threads_before_it_starts():
    code = """
import jax
from ivdlib.networks import backend
backend.configure(2)
jax.devices()
backend.configure(2)  # the same: nothing to do
backend.configure(1)
"""
    installed = importlib.util.find_spec("jax")
    if not installed:
        pytest.skip("jax is not installed")
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True, text=True, env=os.environ | {"KERAS_BACKEND": "jax"},
    )  # fmt: skip
    assert done.stderr.splitlines()[-1] == f"ivdlib.errors.ConfigError: {backend.TOO_LATE}"
    assert '"<string>", line 7,' in done.stderr  # the last


class TestSharedGpu:
    """Settings that processes on one GPU get; no GPU is needed to look at them."""

    def test_tensorflow_gets_a_limit_and_grows(self, monkeypatch, tmp_path):
        import tensorflow as tf

        gpu, asked = object(), []
        driver = tmp_path / "nvidia-smi"
        driver.write_text("#!/bin/sh\necho 8192\necho 16384\n")
        driver.chmod(0o755)
        monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
        monkeypatch.setenv("TF_FORCE_GPU_ALLOW_GROWTH", "")
        monkeypatch.setattr(tf.config, "get_visible_devices", lambda kind=None: [gpu])
        monkeypatch.setattr(
            tf.config, "set_logical_device_configuration", lambda *given: asked.append(given)
        )
        backend._configure_tensorflow(None, None, backend.GPU_SHARE / 2)
        ((device, (limit,)),) = asked
        assert device is gpu and limit.memory_limit == 0.75 * 8192 / 2
        assert os.environ["TF_FORCE_GPU_ALLOW_GROWTH"] == "true"
        driver.write_text("#!/bin/sh\necho no driver >&2; exit 9\n")
        backend._configure_tensorflow(None, None, backend.GPU_SHARE / 2)  # it grows, at least
        assert len(asked) == 1
        backend._configure_tensorflow(None, None, None)
        assert len(asked) == 1

    def test_torch_gets_a_limit_on_each(self, monkeypatch):
        torch = pytest.importorskip("torch")
        asked = []
        monkeypatch.setattr(backend, "has_gpu", lambda: True)
        monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
        monkeypatch.setattr(
            torch.cuda, "set_per_process_memory_fraction", lambda *given: asked.append(given)
        )
        backend._configure_torch(None, None, 0.25)
        assert asked == [(0.25, 0), (0.25, 1)]
