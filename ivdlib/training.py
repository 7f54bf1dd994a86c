"""Train a network: compiled once, its weights reset for each training, resumed where it stopped.

Adam with rate 1e-4 and batches of 16 are the paper's (Sect. 3.1); the other options are named in
`profiles.TrainingOptions`. A training has a fixed number of steps and keeps its last weights, so
that nothing is chosen on test patients.
"""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

import h5py
import keras
import numpy as np

from ivdlib import models
from ivdlib.backend import jit_compile
from ivdlib.errors import ConfigError, DataError
from ivdlib.files import atomic, need_room
from ivdlib.losses import loss
from ivdlib.profiles import TrainingOptions
from ivdlib.progress import Progress
from ivdlib.sampler import TileSampler

CHECKPOINT_SECONDS = 60.0
"""A training that is killed loses about this much time."""


class Trainer:
    """One network, built and compiled once, for many trainings.

    Parameters
    ----------
    network, config : str, str or configuration
        See `models.build`.
    tile : tuple of int
        Shape of the input in pixels (AP, SI).
    options : TrainingOptions
        Loss, optimiser and number of steps.
    """

    def __init__(
        self, network: str, config: Any, tile: tuple[int, int], options: TrainingOptions
    ) -> None:
        self.network, self.config, self.tile, self.options = network, config, tile, options
        self.model = self._build()
        self._state = list(self.model.variables)  # before compile: no metrics, no optimiser
        rate: Any = options.learning_rate
        if options.schedule == "cosine":
            rate = keras.optimizers.schedules.CosineDecay(rate, options.steps)
        self.model.compile(
            optimizer=keras.optimizers.Adam(rate),
            loss=loss(options.loss),
            jit_compile=jit_compile(),
        )
        self.model.optimizer.build(self.model.trainable_variables)
        self._optimizer_start = [np.array(v) for v in self.model.optimizer.variables]

    def _build(self) -> keras.Model:
        return models.build(self.network, self.config, input_shape=(*self.tile, 1))

    def reset(self, seed: int) -> None:
        """Give the network the first weights of `seed`; the optimiser forgets everything."""
        keras.utils.set_random_seed(seed)
        fresh = self._build()
        for ours, new in zip(self._state, fresh.variables, strict=True):
            ours.assign(new)
        for ours, value in zip(self.model.optimizer.variables, self._optimizer_start, strict=True):
            ours.assign(value)

    def fit(
        self,
        sampler: TileSampler,
        seed: int,
        label: str,
        checkpoint: str | os.PathLike | None = None,
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

        Returns
        -------
        list of dict
            Learning curve: `step`, mean `loss` since the row before, `seconds` since the start.

        Raises
        ------
        ConfigError
            Where the loss is no longer finite.
        """
        self.reset(seed)
        history = self._resume(checkpoint) if checkpoint else []
        done = int(history[-1]["step"]) if history else 0
        chunk = max(1, self.options.steps // 40)
        before = history[-1]["seconds"] if history else 0.0
        begin = saved = time.monotonic()
        batches = self._batches(sampler, done)
        with Progress(self.options.steps, label, start=done) as progress:
            while done < self.options.steps:
                steps = min(chunk, self.options.steps - done)
                losses = [self._step(next(batches), progress) for _ in range(steps)]
                done += steps
                value = float(np.mean(losses))
                if not np.isfinite(value):
                    raise ConfigError(
                        f"{label}: the loss is not finite after {done} steps; use a smaller "
                        f"training.learning_rate than {self.options.learning_rate:g}."
                    )
                seconds = before + time.monotonic() - begin
                history.append({"step": done, "loss": value, "seconds": seconds})
                if checkpoint and time.monotonic() - saved > CHECKPOINT_SECONDS:
                    self._save(checkpoint, history)
                    saved = time.monotonic()
        if checkpoint:
            self._save(checkpoint, history)
        return history

    def _batches(self, sampler: TileSampler, step: int):
        while True:
            yield sampler.batch(step)
            step += 1

    def _step(self, batch: tuple[np.ndarray, np.ndarray], progress: Progress) -> float:
        self.model.reset_metrics()  # or Keras would give the mean over all batches so far
        value = float(self.model.train_on_batch(*batch))
        progress.advance(note=f"loss {value:.3f}")
        return value

    def _save(self, path: str | os.PathLike, history: list[dict[str, float]]) -> None:
        variables = [*self._state, *self.model.optimizer.variables]
        need_room(path, sum(4 * int(np.prod(v.shape)) for v in variables))
        with atomic(path) as temporary, h5py.File(temporary, "w") as file:
            for k, variable in enumerate(variables):
                file[f"variable_{k:04d}"] = keras.ops.convert_to_numpy(variable)
            for name in ("step", "loss", "seconds"):
                file[f"history/{name}"] = [row[name] for row in history]

    def _resume(self, path: str | os.PathLike) -> list[dict[str, float]]:
        if not Path(path).is_file():
            return []
        try:
            with h5py.File(path) as file:
                for k, variable in enumerate([*self._state, *self.model.optimizer.variables]):
                    variable.assign(file[f"variable_{k:04d}"][()])
                columns = {
                    name: file[f"history/{name}"][()] for name in ("step", "loss", "seconds")
                }
        except (OSError, KeyError, ValueError) as error:
            raise DataError(
                f"checkpoint {path} cannot be read; delete it to start anew."
            ) from error
        rows = zip(*columns.values(), strict=True)
        return [dict(zip(columns, map(float, row), strict=True)) for row in rows]
