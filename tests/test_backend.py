"""Compiler, threads, device."""

import os
import subprocess
import sys

import pytest

from ivdlib import backend
from ivdlib.errors import ConfigError


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


def test_threads_of_a_parent_reach_the_child():
    code = (
        "import ivdlib.backend, keras; "
        "import tensorflow as tf; print(tf.config.threading.get_intra_op_parallelism_threads())"
    )
    environment = {**os.environ, "IVDLIB_THREADS": "1", "KERAS_BACKEND": "tensorflow"}
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env=environment
    )
    assert done.stdout.strip() == "1", done.stderr


def test_cores_that_are_no_number_are_one_sentence():
    environment = {**os.environ, "IVDLIB_THREADS": "two", "KERAS_BACKEND": "tensorflow"}
    done = subprocess.run(
        [sys.executable, "-c", "import ivdlib.backend"],
        capture_output=True, text=True, env=environment,
    )  # fmt: skip
    assert "ConfigError: IVDLIB_THREADS is a number of cores, not 'two'." in done.stderr
