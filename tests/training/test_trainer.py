"""Training: reproducible, resumable, and honest about a loss that is lost."""

import dataclasses
import os
import subprocess
import sys
from types import SimpleNamespace

import h5py
import keras
import numpy as np
import pytest

from ivdlib.errors import ConfigError, DataError
from ivdlib.networks import UNetConfig, backend
from ivdlib.options import TrainingOptions
from ivdlib.preprocessing.sampler import TileSampler, TrainingImage
from ivdlib.training import trainer as training
from ivdlib.training.trainer import Trainer

STEPS = 12
TILE = (16, 16)
OPTIONS = TrainingOptions(
    steps=STEPS, batch=4, learning_rate=3e-2, schedule="cosine", rotation=0.0,
    noise_probability=0.5, tiles="all",
)  # fmt: skip


@pytest.fixture(scope="module")
def trainer():
    return Trainer("unet", UNetConfig(base=2, levels=1), TILE, OPTIONS)


@pytest.fixture(scope="module")
def sampler():
    rng = np.random.default_rng(0)
    truth = np.zeros((4, 16, 32), bool)  # two whole tiles, a disc in each
    truth[:, 4:12, 4:12] = truth[:, 4:12, 20:28] = True
    image = np.clip(0.2 + 0.6 * truth + rng.normal(0, 0.05, truth.shape), 0, 1)
    return TileSampler([TrainingImage(image.astype(np.float32), truth, (0, 16))], TILE, OPTIONS, 0)


@pytest.fixture(scope="module")
def reference(trainer, sampler):
    """Learning curve and weights of a training with seed 0 that ran through."""
    history = trainer.fit(sampler, 0, "reference")
    return history, trainer.model.get_weights()


class Interrupting:
    """A sampler at which somebody presses Ctrl-C before a step."""

    def __init__(self, sampler, stop):
        self.sampler, self.stop, self.asked = sampler, stop, []

    def draw(self, step):
        if step == self.stop:
            raise KeyboardInterrupt
        self.asked.append(step)
        return self.sampler.draw(step)


def same(ours, theirs):
    return all(np.array_equal(a, b) for a, b in zip(ours, theirs, strict=True))


def test_the_loss_falls_on_an_easy_problem(sampler, tmp_path, monkeypatch):
    constant = dataclasses.replace(OPTIONS, schedule="constant", steps=40)
    trainer = Trainer("unet", UNetConfig(base=2, levels=1), TILE, constant)
    assert isinstance(trainer.step.optimizer, keras.optimizers.Adam)
    history = trainer.fit(sampler, 0, "learning")
    assert float(trainer.step.optimizer.learning_rate) == pytest.approx(3e-2)
    assert [row["step"] for row in history] == list(range(1, 41))
    losses = [row["loss"] for row in history]
    assert np.mean(losses[-3:]) < 0.2 * np.mean(losses[:3])
    seconds = [row["seconds"] for row in history]
    assert seconds == sorted(seconds) and seconds[0] > 0

    # with 80 steps a row of the curve is the mean of two steps
    monkeypatch.setattr(trainer, "options", dataclasses.replace(constant, steps=80))
    monkeypatch.setattr(training, "CHECKPOINT_SECONDS", 0.0)
    with pytest.raises(KeyboardInterrupt):
        trainer.fit(Interrupting(sampler, 7), 0, "in pairs", tmp_path / "checkpoint.h5")
    with h5py.File(tmp_path / "checkpoint.h5") as file:
        assert file["history/step"][()].tolist() == [2, 4, 6]
        pairs = np.reshape(losses[:6], (3, 2)).mean(axis=1)
        np.testing.assert_allclose(file["history/loss"][()], pairs, rtol=1e-5)


def test_equal_seeds_give_bit_identical_weights(trainer, sampler, reference):
    again = trainer.fit(sampler, 0, "again")
    assert same(trainer.model.get_weights(), reference[1])
    assert [row["loss"] for row in again] == [row["loss"] for row in reference[0]]


def test_another_seed_gives_other_weights(trainer, sampler, reference):
    trainer.fit(sampler, 1, "other")
    assert not same(trainer.model.get_weights(), reference[1])


def test_a_new_trainer_gives_the_same_weights(sampler, reference):
    fresh = Trainer("unet", UNetConfig(base=2, levels=1), TILE, OPTIONS)
    fresh.fit(sampler, 0, "fresh")
    assert same(fresh.model.get_weights(), reference[1])


def test_reset_gives_the_first_weights_of_the_seed_and_forgets_the_optimiser(trainer, sampler):
    trainer.reset(3)
    first = trainer.model.get_weights()
    for step in range(3):
        trainer.step.train_on_batch(list(sampler.draw(step)), np.zeros((OPTIONS.batch, 1)))
    assert int(trainer.step.optimizer.iterations) == 3
    assert not same(trainer.model.get_weights(), first)
    trainer.reset(3)
    assert same(trainer.model.get_weights(), first)
    keras.utils.set_random_seed(3)
    assert same(trainer._build().get_weights(), first)
    assert int(trainer.step.optimizer.iterations) == 0
    for ours, start in zip(trainer.step.optimizer.variables, trainer._optimizer_start, strict=True):
        np.testing.assert_array_equal(ours, start)


@pytest.mark.parametrize("stop", [1, 7])
def test_a_resumed_training_gives_exactly_the_same(
    trainer, sampler, reference, tmp_path, monkeypatch, stop
):
    monkeypatch.setattr(training, "CHECKPOINT_SECONDS", 0.0)
    checkpoint = tmp_path / "checkpoint.h5"
    with pytest.raises(KeyboardInterrupt):
        trainer.fit(Interrupting(sampler, stop), 0, "stopped", checkpoint)
    assert [p.name for p in tmp_path.iterdir()] == ["checkpoint.h5"]
    trainer.reset(9)  # something else was trained in between
    rest = Interrupting(sampler, -1)
    history = trainer.fit(rest, 0, "resumed", checkpoint)
    assert rest.asked == list(range(stop, STEPS))
    assert same(trainer.model.get_weights(), reference[1])
    for key in ("step", "loss"):
        assert [row[key] for row in history] == [row[key] for row in reference[0]]
    seconds = [row["seconds"] for row in history]
    assert seconds == sorted(seconds)


def test_what_is_finished_is_not_trained_again(trainer, sampler, reference, whole, tmp_path):
    (tmp_path / "checkpoint.h5").write_bytes(whole)
    trainer.reset(5)
    nothing = Interrupting(sampler, 0)
    history = trainer.fit(nothing, 0, "done", tmp_path / "checkpoint.h5")
    assert nothing.asked == [] and len(history) == STEPS
    assert same(trainer.model.get_weights(), reference[1])


def test_an_interruption_before_the_first_checkpoint_leaves_nothing(trainer, sampler, tmp_path):
    with pytest.raises(KeyboardInterrupt):
        trainer.fit(Interrupting(sampler, 5), 0, "stopped", tmp_path / "checkpoint.h5")
    assert list(tmp_path.iterdir()) == []


@pytest.fixture(scope="module")
def whole(trainer, sampler, tmp_path_factory):
    """The bytes of a good checkpoint."""
    path = tmp_path_factory.mktemp("whole") / "checkpoint.h5"
    trainer.fit(sampler, 0, "whole", path)
    return path.read_bytes()


def truncated(path):
    path.write_bytes(path.read_bytes()[:3000])


def without_a_variable(path):
    with h5py.File(path, "a") as file:
        del file["variable_0003"]


def of_another_network(path):
    with h5py.File(path, "a") as file:
        del file["variable_0000"]
        file["variable_0000"] = np.zeros((7, 7))


def no_hdf5(path):
    path.write_text("hello")


def with_a_flipped_bit(path):
    with h5py.File(path, "a") as file:
        numbers = file["variable_0003"][()]
        numbers.view(np.uint8).flat[0] ^= 1
        file["variable_0003"][...] = numbers


def with_a_group_in_place_of_numbers(path):
    with h5py.File(path, "a") as file:
        del file["variable_0003"]
        file.create_group("variable_0003")
        del file.attrs["checksum"]


def with_a_short_history(path):
    with h5py.File(path, "a") as file:
        del file["history/loss"]
        file["history/loss"] = [0.5]
        del file.attrs["checksum"]


DAMAGES = [
    truncated, without_a_variable, of_another_network, no_hdf5, with_a_flipped_bit,
    with_a_group_in_place_of_numbers, with_a_short_history,
]  # fmt: skip


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_checkpoint_is_named(trainer, sampler, whole, tmp_path, damage):
    path = tmp_path / "checkpoint.h5"
    path.write_bytes(whole)
    damage(path)
    with pytest.raises(DataError, match=r"checkpoint .*checkpoint\.h5 cannot be read; delete it"):
        trainer.fit(sampler, 0, "damaged", path)


def test_a_full_disk_leaves_the_checkpoint_before(trainer, sampler, whole, tmp_path, monkeypatch):
    path = tmp_path / "checkpoint.h5"
    path.write_bytes(whole)
    monkeypatch.setattr("ivdlib.files.shutil.disk_usage", lambda place: SimpleNamespace(free=0))
    with pytest.raises(DataError, match=r"cannot write .*checkpoint\.h5: No space left"):
        trainer.fit(sampler, 0, "full", path)
    assert path.read_bytes() == whole and len(list(tmp_path.iterdir())) == 1


def test_a_loss_that_is_not_finite_ends_the_training(trainer, sampler, tmp_path):
    class Broken:
        def draw(self, step):
            drawn = sampler.draw(step)
            return drawn._replace(windows=drawn.windows * (np.nan if step == 7 else 1))

    with pytest.raises(ConfigError, match="broken: the loss is not finite after 8 steps.*0.03"):
        trainer.fit(Broken(), 0, "broken", tmp_path / "checkpoint.h5")
    assert list(tmp_path.iterdir()) == []


def test_the_cosine_schedule_reaches_zero_at_the_last_step(trainer, reference):
    trainer.reset(0)
    optimizer = trainer.step.optimizer
    assert float(optimizer.learning_rate) == pytest.approx(OPTIONS.learning_rate)
    optimizer.iterations.assign(STEPS // 2)
    assert float(optimizer.learning_rate) == pytest.approx(OPTIONS.learning_rate / 2)
    optimizer.iterations.assign(STEPS)
    assert float(optimizer.learning_rate) == pytest.approx(0, abs=1e-9)


def test_an_unknown_loss_is_refused():
    with pytest.raises(ConfigError, match="loss of TrainingOptions takes one of"):
        Trainer("unet", UNetConfig(base=2, levels=1), TILE, dataclasses.replace(OPTIONS, loss="x"))


@pytest.mark.skipif(
    keras.backend.backend() != "tensorflow" or backend.has_gpu(), reason="about TensorFlow on a CPU"
)
def test_xla_is_never_used_on_a_cpu(trainer):
    assert backend.jit_compile() is False
    assert trainer.step.jit_compile is False


@pytest.mark.parametrize(("threads", "device"), [(0, None), (-1, None), (None, "tpu")])
def test_threads_and_devices_that_do_not_fit(threads, device):
    with pytest.raises(ConfigError, match="threads is 1 or more|device is cpu or gpu"):
        backend.configure(threads, device)


def test_averaged_weights_follow_the_weights_of_the_steps(sampler, tmp_path):
    """Beside a plain training: same steps, and the mean that a loop over them gives."""
    options = dataclasses.replace(OPTIONS, average=0.8)
    engine = Trainer("unet", UNetConfig(base=2, levels=1), TILE, options)
    seen = []

    def watch(step, loss, model):
        seen.append([np.array(w) for w in engine.model.trainable_weights])

    path = tmp_path / "checkpoint.h5"
    engine.fit(sampler, 0, "averaged", path, watch)
    assert len(seen) == STEPS
    mean = seen[0]  # Keras begins with the weights after the first step
    for weights in seen[1:]:
        mean = [0.8 * m + 0.2 * w for m, w in zip(mean, weights, strict=True)]
    found = [np.array(w) for w in engine.model.trainable_weights]
    for ours, theirs, last in zip(found, mean, seen[-1], strict=True):
        np.testing.assert_allclose(ours, theirs, atol=1e-5)
        assert (ours != last).any()
    # A training that is resumed after its last step ends with the same weights.
    again = Trainer("unet", UNetConfig(base=2, levels=1), TILE, options)
    again.fit(sampler, 0, "averaged", path)
    assert same([np.array(w) for w in again.model.trainable_weights], found)


ON_JAX = """
import numpy as np
from ivdlib.networks import UNetConfig
from ivdlib.options import TrainingOptions
from ivdlib.preprocessing.sampler import TileSampler, TrainingImage
from ivdlib.training.trainer import Trainer

tile, seen = (16, 16), []
options = TrainingOptions(steps=6, batch=2, learning_rate=1e-2, tile=tile, tiles="all")
image = np.random.default_rng(0).random((3, 20, 20), np.float32)
sampler = TileSampler([TrainingImage(image, image > 0.6, (0, 20))], tile, options, 0)
trainer = Trainer("unet", UNetConfig(base=2, levels=1), tile, options)
trainer.reset(3)
nothing = np.zeros((2, 1), np.float32)
losses = [trainer._replicas.train(trainer.step, sampler.draw(k), nothing) for k in range(6)]
singly = trainer.model.get_weights()
with_watch = trainer.fit(sampler, 3, "", watch=lambda step, *_: seen.append(step))
assert seen == [1, 2, 3, 4, 5, 6], seen
np.testing.assert_allclose([row["loss"] for row in with_watch], losses, rtol=1e-5)
for ours, theirs in zip(trainer.model.get_weights(), singly, strict=True):
    np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-6)
trainers.POINTS = 2  # three steps a row: the state stays on the device between them
again = trainer.fit(sampler, 3, "")
rows = np.reshape(losses, (2, 3)).mean(1)
np.testing.assert_allclose([row["loss"] for row in again], rows, rtol=1e-5)
for ours, theirs in zip(trainer.model.get_weights(), singly, strict=True):
    np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-6)
"""


@pytest.mark.long
def test_on_jax_a_chain_of_steps_is_the_single_ones():
    pytest.importorskip("jax", reason="JAX is not installed (extra jax)")
    program = "from ivdlib.training import trainer as trainers\n" + ON_JAX
    environment = os.environ | {
        "KERAS_BACKEND": "jax", "JAX_PLATFORMS": "cpu", "IVDLIB_PROGRESS": "off",
        "XLA_FLAGS": "--xla_backend_optimization_level=0",
    }  # fmt: skip
    done = subprocess.run(
        [sys.executable, "-W", "error::UserWarning:keras", "-c", program],
        env=environment, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    assert "ran out of data" not in done.stderr


def test_what_watches_a_training_sees_the_weights_of_that_step(trainer, sampler, reference):
    seen, told = {}, []

    def watch(step, loss, model):
        seen[step] = model.get_weights()
        told.append(loss)

    history = trainer.fit(sampler, 0, "watched", watch=watch)
    assert list(seen) == [row["step"] for row in history]
    assert told == [row["loss"] for row in history]
    for ours, theirs in zip(seen[STEPS], reference[1], strict=True):
        np.testing.assert_array_equal(ours, theirs)
    assert any((a != b).any() for a, b in zip(seen[1], seen[STEPS], strict=True))
