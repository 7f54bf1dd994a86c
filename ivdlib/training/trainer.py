"""Train a network: compiled once, its weights reset for each training, resumed where it stopped.

Adam with rate 1e-4 and batches of 16 are the paper's (Sect. 3.1); the other options are named in
`options.TrainingOptions`. A training has a fixed number of steps and keeps its last weights, or
their moving average, so
that nothing is chosen on test patients.
"""

from __future__ import annotations

import os
import random
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import h5py
import keras
import numpy as np

from ivdlib import networks
from ivdlib.errors import ConfigError, DataError, memory_full
from ivdlib.files import atomic, cannot, need_room
from ivdlib.networks import backend, replicas
from ivdlib.networks.losses import loss
from ivdlib.networks.replicas import Replicas
from ivdlib.options import TrainingOptions
from ivdlib.preprocessing import augmentation
from ivdlib.preprocessing.sampler import TileSampler
from ivdlib.progress import Progress
from ivdlib.training import curves, weights_file

CHECKPOINT_SECONDS = 60.0
"""So old may a checkpoint get; it is then written at the next row of the learning curve."""

POINTS = 40
"""Rows of a learning curve."""

Watch = Callable[[int, float, keras.Model], None]
"""Looks at a training: steps done, loss, the network as it is."""


def _adam(rate: Any, average: float) -> keras.optimizers.Adam:
    """Adam (Sect. 3.1), whose weights end as a moving average where that is asked for."""
    if not average:
        return keras.optimizers.Adam(rate)
    return keras.optimizers.Adam(rate, use_ema=True, ema_momentum=average)


class Trainer:
    """One network, built and compiled once, for many trainings.

    Parameters
    ----------
    network, config : str, str or configuration
        See `networks.build`.
    tile : tuple of int
        Shape of the input in pixels (AP, SI).
    options : TrainingOptions
        Loss, optimiser, precision and number of steps.
    devices : sequence of str, optional
        GPUs that share each batch; default all that are visible. See `replicas`.
    channels : int, default 1
        Of the input.

    Attributes
    ----------
    model : keras.Model
        The network in float32; after `fit`, with the trained weights.
    step : keras.Model
        What is compiled: augmentation, network and truth, see `_training_model`.
    precision : str
        Of the step: float32, bfloat16 or float16.
    """

    def __init__(
        self,
        network: str,
        config: Any,
        tile: tuple[int, int],
        options: TrainingOptions,
        devices: Sequence[str] | None = None,
        *,
        channels: int = 1,
    ) -> None:
        self.network, self.config, self.tile, self.options = network, config, tile, options
        self.channels = channels
        self._replicas = Replicas(options.batch, devices)
        with self._replicas.scope():
            self._make()

    @backend.policy()
    def _make(self) -> None:
        options = self.options
        self.precision = backend.precision(options.precision)
        self.model = self._build()
        self._trained = self.model
        if self.precision != "float32":
            self._trained = self._build(self.precision)
        self.step = self._training_model()
        self._state = list(self.step.variables)  # before compile: no metrics, no optimiser
        rate: Any = options.learning_rate
        if options.schedule == "cosine":
            rate = keras.optimizers.schedules.CosineDecay(rate, options.steps)
        wrong = loss(options.loss)
        self.step.compile(
            optimizer=_adam(rate, options.average),
            # The gradients of replicas are added.
            loss=lambda _, both: wrong(both[..., 1:], both[..., :1]) / replicas.count(),
            jit_compile=backend.jit_compile(),
        )
        self.step.optimizer.build(self.step.trainable_variables)
        self._optimizer_start = [np.array(v) for v in self.step.optimizer.variables]

    def _build(self, precision: str = "float32") -> keras.Model:
        return networks.build(self.network, self.config, (*self.tile, self.channels), precision)

    def _training_model(self) -> keras.Model:
        """From what the sampler draws to probability and truth, side by side as two channels.

        The truth turns with the image, so it comes out of the network and not beside it.
        """
        around = augmentation.margin(self.tile, self.options.rotation, self.options.scale)
        shape = [t + 2 * m for t, m in zip(self.tile, around, strict=True)]
        drawn = (
            keras.Input((*shape, self.channels), name="windows"),
            keras.Input(shape, dtype="uint8", name="truth"),
            keras.Input((), name="degrees"),
            keras.Input((), name="shares"),
            keras.Input((self.channels,), name="powers"),
            keras.Input((), name="zooms"),
        )
        self._augmentation = augmentation.Augmentation(self.tile, name="augmentation")
        image, truth = self._augmentation(*drawn)
        both = keras.layers.Concatenate(dtype="float32")([self._trained(image), truth])
        return keras.Model(drawn, both)

    def reset(self, seed: int) -> None:
        """Give the network the first weights of `seed`; the optimiser forgets everything."""
        with self._replicas.scope():
            self._reset(seed)

    @backend.policy()
    def _reset(self, seed: int) -> None:
        # First weights are drawn from Python's numbers. `keras.utils.set_random_seed` would also
        # empty TensorFlow's cache of compiled graphs: seconds, at the start of every training.
        random.seed(seed)
        fresh = self._build()
        for ours, new in zip(self._trained.variables, fresh.variables, strict=True):
            ours.assign(new)
        generator = keras.random.SeedGenerator(seed)
        self._augmentation.generator.state.assign(generator.state)
        for ours, value in zip(self.step.optimizer.variables, self._optimizer_start, strict=True):
            ours.assign(value)

    @backend.policy()
    def fit(
        self,
        sampler: TileSampler,
        seed: int,
        label: str,
        checkpoint: str | os.PathLike | None = None,
        watch: Watch | None = None,
    ) -> list[dict[str, float]]:
        """Train from fresh weights, or go on from a checkpoint.

        Parameters
        ----------
        sampler : TileSampler
            Gives the batch of each step.
        seed : int
            Of the first weights and of dropout.
        label : str
            Shown beside the progress.
        checkpoint : path, optional
            File that keeps the state; removed by the caller when the results are written.
        watch : callable, optional
            Called at each row of the learning curve with the number of steps done, the loss of the
            row and `model`, which has the weights of that step then.

        Returns
        -------
        list of dict
            Learning curve: `step`, mean `loss` since the row before, `seconds` since the start.

        Raises
        ------
        ConfigError
            If the loss is no longer finite.
        """
        self.reset(seed)
        history = self._resume(checkpoint) if checkpoint else []
        done = int(history[-1]["step"]) if history else 0
        chunk = max(1, self.options.steps // POINTS)
        before = history[-1]["seconds"] if history else 0.0
        begin = saved = time.monotonic()
        with (
            curves.log(label) as note,
            Progress(self.options.steps, label, start=done) as progress,
        ):
            while done < self.options.steps:
                steps = min(chunk, self.options.steps - done)
                value = self._steps(sampler, range(done, done + steps), progress)
                done += steps
                if not np.isfinite(value):
                    raise ConfigError(
                        f"{label}: the loss is not finite after {done} steps; use a smaller "
                        f"learning_rate of this stage than {self.options.learning_rate:g}."
                    )
                seconds = before + time.monotonic() - begin
                history.append({"step": done, "loss": value, "seconds": seconds})
                note(done, value)
                if watch:
                    self._hand_over()
                    watch(done, value, self.model)
                if checkpoint and time.monotonic() - saved > CHECKPOINT_SECONDS:
                    self._save(checkpoint, history)
                    saved = time.monotonic()
        if checkpoint:
            self._save(checkpoint, history)
        self.step.optimizer.finalize_variable_values(self.step.trainable_variables)
        self._hand_over()
        return history

    def _hand_over(self) -> None:
        """Give `model` the trained weights, where it is not itself what is trained."""
        if self._trained is not self.model:
            self.model.set_weights(self._trained.get_weights())

    def _steps(self, sampler: TileSampler, numbers: range, progress: Progress) -> float:
        """Make the steps of these numbers; the mean loss."""
        nothing = np.zeros((self.options.batch, 1), np.float32)  # the truth is in `drawn`
        if keras.backend.backend() == "jax" and not self.options.average:
            # `fit` keeps the state on the device between steps, `train_on_batch` hands hundreds of
            # arrays to and fro. At its end it takes averaged weights for the final ones.
            def batches() -> Iterator[tuple[tuple, np.ndarray]]:
                for number in numbers:
                    yield tuple(sampler.draw(number)), nothing
                    progress.advance()

            with self._replicas.scope():
                run = self.step.fit(
                    batches(), steps_per_epoch=len(numbers), shuffle=False, verbose=0
                )
            value = float(run.history["loss"][-1])
            progress.advance(0, note=f"loss {value:.3f}")
            return value
        losses = []
        for number in numbers:
            losses.append(self._replicas.train(self.step, sampler.draw(number), nothing))
            progress.advance(note=f"loss {losses[-1]:.3f}")
        return float(np.mean(losses))

    def _save(self, path: str | os.PathLike, history: list[dict[str, float]]) -> None:
        variables = [*self._state, *self.step.optimizer.variables]
        need_room(path, sum(4 * int(np.prod(v.shape)) for v in variables))
        with atomic(path) as temporary, h5py.File(temporary, "w") as file:
            for k, variable in enumerate(variables):
                file[f"variable_{k:04d}"] = keras.ops.convert_to_numpy(variable)
            for name in ("step", "loss", "seconds"):
                file[f"history/{name}"] = [row[name] for row in history]
            file.attrs["checksum"] = weights_file.checksum_of(file)

    def _resume(self, path: str | os.PathLike) -> list[dict[str, float]]:
        if not Path(path).is_file():
            return []
        try:
            with h5py.File(path) as file:
                if file.attrs.get("checksum") not in (None, weights_file.checksum_of(file)):
                    raise ValueError("its numbers do not fit its checksum")
                for k, variable in enumerate([*self._state, *self.step.optimizer.variables]):
                    variable.assign(file[f"variable_{k:04d}"][()])
                columns = {
                    name: file[f"history/{name}"][()] for name in ("step", "loss", "seconds")
                }
            rows = [*zip(*columns.values(), strict=True)]
        except Exception as error:  # h5py raises every kind at a broken file
            if memory_full(error):
                raise
            if isinstance(error, OSError) and error.errno:  # else HDF5 means the content
                raise DataError(cannot("read", path, error)) from error
            raise DataError(
                f"checkpoint {path} cannot be read; delete it, and the training begins again."
            ) from error
        return [dict(zip(columns, map(float, row), strict=True)) for row in rows]
