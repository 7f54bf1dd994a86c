"""One batch on two devices gives what it gives on one."""

import json
import os
import subprocess
import sys
import textwrap

import pytest

from ivdlib.errors import ConfigError
from ivdlib.networks import replicas

TRAIN = """
import json, sys
import numpy as np, keras
from dataclasses import replace
from ivdlib import networks
from ivdlib.options import TrainingOptions
from ivdlib.preprocessing.sampler import TileSampler, TrainingImage
from ivdlib.training.trainer import Trainer

name, synchronised = {name!r}, {synchronised!r}
config = replace(networks.config_of(name, "tiny"), bn_synchronised=synchronised)
small = {{"middle_units": 1, "dropout": 0.0}} if name == "fds_cnn" else {{"base": 4, "levels": 2}}
config = replace(config, **small)
rng = np.random.default_rng(0)
truth = rng.random((3, 30, 40)) < 0.3
image = np.clip(0.2 + 0.5 * truth + rng.normal(0, 0.1, truth.shape), 0, 1).astype(np.float32)
options = TrainingOptions(steps=2, batch=6, noise_probability=0.0, learning_rate=0.02)
sampler = TileSampler([TrainingImage(image, truth, (0, 30))], (16, 24), options, 0)
found = []
for devices in ([], {devices!r}):
    trainer = Trainer(name, config, (16, 24), options, devices)
    # Plain gradient descent, nearly: Adam makes a whole step of a gradient that is but rounding.
    trainer.step.optimizer.epsilon = 1.0
    history = trainer.fit(sampler, 0, "test")
    losses = [row["loss"] for row in history]
    found.append((trainer._replicas.number, losses, trainer.model.get_weights()))
(one, losses, weights), (two, others, shared) = found
print(json.dumps({{
    "replicas": [one, two], "losses": [losses, others],
    "weights": float(max(np.abs(a - b).max() for a, b in zip(weights, shared))),
    "moved": float(max(np.abs(a).max() for a in weights)),
}}))
"""
TWO = {
    "tensorflow": (
        "import ivdlib, tensorflow as tf; tf.config.set_logical_device_configuration("
        "tf.config.list_physical_devices('CPU')[0], [tf.config.LogicalDeviceConfiguration()] * 2)",
        ["CPU:0", "CPU:1"],
    ),
    "jax": ("import ivdlib", ["cpu:0", "cpu:1"]),
}


def compare(backend, name, synchronised):
    """Train on one device and on two in a process of its own."""
    first, devices = TWO[backend]
    code = first + textwrap.dedent(TRAIN).format(
        name=name, synchronised=synchronised, devices=devices
    )
    environment = {
        **os.environ, "KERAS_BACKEND": backend,
        "XLA_FLAGS": "--xla_force_host_platform_device_count=2 "
        "--xla_backend_optimization_level=0",
    }  # fmt: skip
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env=environment
    )
    assert done.returncode == 0, done.stderr[-3000:]
    found = json.loads(done.stdout.splitlines()[-1])
    assert found["replicas"] == [1, 2]
    return found


@pytest.mark.slow
@pytest.mark.parametrize("name", ["unet", pytest.param("fds_cnn", marks=pytest.mark.long)])
def test_two_devices_with_synchronised_statistics_are_one(name):
    found = compare("tensorflow", name, synchronised=True)
    assert found["losses"][0] == pytest.approx(found["losses"][1], abs=1e-3)
    assert found["weights"] < 1e-3


@pytest.mark.slow
def test_two_networks_one_after_the_other_share_two_devices():
    """As the spine network and the disc network of a fold do, and the spine network again."""
    first, devices = TWO["tensorflow"]
    train = TRAIN.partition("found = []")[0].format(name="unet", synchronised=False)
    code = (
        first
        + textwrap.dedent(train)
        + textwrap.dedent(f"""
        trainers = [Trainer("unet", replace(config, base=base), (16, 24), options, {devices!r})
                    for base in (4, 6)]
        for trainer in (*trainers, trainers[0]):
            print(np.isfinite([row["loss"] for row in trainer.fit(sampler, 0, "test")]).all())
    """)
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-3000:]
    assert done.stdout.split() == ["True"] * 3


@pytest.mark.slow
def test_statistics_of_each_replica_make_a_difference():
    found = compare("tensorflow", "unet", synchronised=False)
    assert found["losses"][0][1:] != pytest.approx(found["losses"][1][1:], abs=1e-4)
    assert found["losses"][0] == pytest.approx(found["losses"][1], abs=0.3), "but not a great one"


@pytest.mark.long
def test_two_devices_are_one_on_jax():
    pytest.importorskip("jax", reason="JAX is not installed (extra jax)")
    found = compare("jax", "unet", synchronised=False)
    assert found["losses"][0] == pytest.approx(found["losses"][1], abs=1e-3)
    assert found["weights"] < 1e-3


def test_a_batch_that_cannot_be_shared_is_refused():
    with pytest.raises(ConfigError, match="15 tiles cannot be shared by 2 devices"):
        replicas.Replicas(15, ["GPU:0", "GPU:1"])


def test_one_device_needs_no_distribution():
    assert replicas.Replicas(15, []).number == replicas.Replicas(15, ["GPU:0"]).number == 1
    assert replicas.count() == 1
    assert replicas.total(3.0) == replicas.mean(3.0) == 3.0
