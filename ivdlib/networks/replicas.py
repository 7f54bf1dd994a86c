"""One batch on several GPUs, as on the paper's two (Sect. 3.1).

The batch of a step is the total: two GPUs get 8 tiles of 16 each. What is computed for each replica
apart, and what over all of them:

- gradients: over all;
- soft Dice: over all, as one volume;
- statistics of batch normalisation: on TensorFlow each replica has its own, as in the Keras of the
  paper's time, unless the network's configuration says ``bn_synchronised``; on JAX the program sees
  the whole batch, so they are over all.

TensorFlow on several GPUs could not be tried here; two logical CPU devices stand in for them in the
tests.
"""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Sequence
from typing import Any

import keras
import numpy as np

from ivdlib.errors import ConfigError


def count() -> int:
    """How many replicas share the batch, seen from within a step (TensorFlow); else 1."""
    if keras.backend.backend() != "tensorflow":
        return 1
    import tensorflow as tf

    replica = tf.distribute.get_replica_context()
    return replica.num_replicas_in_sync if replica else 1


def total(x: Any) -> Any:
    """Sum of x over the replicas."""
    if count() == 1:
        return x
    import tensorflow as tf

    return tf.distribute.get_replica_context().all_reduce(tf.distribute.ReduceOp.SUM, x)


def mean(x: Any) -> Any:
    """Mean of x over the replicas."""
    return total(x) / count() if count() > 1 else x


def visible() -> list[str]:
    """GPUs that a training shares, where there are at least two; else nothing."""
    name = keras.backend.backend()
    if name == "tensorflow":
        import tensorflow as tf

        found = [d.name.split("physical_device:")[-1] for d in tf.config.get_visible_devices("GPU")]
    else:  # PyTorch would need a process for each GPU: one is used
        found = _jax_gpus() if name == "jax" else []
    return found if len(found) > 1 else []


def _jax_gpus() -> list[str]:
    try:
        return keras.distribution.list_devices("gpu")
    except RuntimeError:  # a JAX without GPUs does not know the word
        return []


@functools.cache
def _mirrored(devices: tuple[str, ...]) -> Any:
    """TensorFlow's strategy for these devices, one in a process.

    Each strategy counts its exchanges between the devices from the same number: those of a second
    network would be taken for the first one's ("Shape mismatch in the collective instance").
    """
    import tensorflow as tf

    return tf.distribute.MirroredStrategy(list(devices))


class Replicas:
    """Devices that share each batch.

    Parameters
    ----------
    batch : int
        Tiles of a step in all.
    devices : sequence of str, optional
        Default: all visible GPUs. One or none: no distribution.

    Raises
    ------
    ConfigError
        If the batch cannot be divided.
    """

    def __init__(self, batch: int, devices: Sequence[str] | None = None) -> None:
        devices = list(visible() if devices is None else devices)
        self.number = max(1, len(devices))
        if batch % self.number:
            raise ConfigError(
                f"a batch of {batch} tiles cannot be shared by {self.number} devices; choose "
                f"training.batch as a multiple of {self.number}."
            )
        self._strategy = self._distribution = None
        if self.number > 1 and keras.backend.backend() == "tensorflow":
            self._strategy = _mirrored(tuple(devices))
        elif self.number > 1:
            self._distribution = keras.distribution.DataParallel(devices=devices)

    def scope(self) -> contextlib.AbstractContextManager:
        """Where networks, optimisers and their values are made and changed."""
        if self._strategy:
            return self._strategy.scope()
        return self._distribution.scope() if self._distribution else contextlib.nullcontext()

    def train(self, model: keras.Model, inputs: Sequence[np.ndarray], truth: np.ndarray) -> float:
        """Make one step of a compiled model with a whole batch; the loss."""
        if not self._strategy:
            with self.scope():
                return float(model.train_on_batch(list(inputs), truth))
        model.make_train_function()
        model.reset_metrics()
        batch = ([self._shared(array) for array in inputs], self._shared(truth), None)
        return float(model.train_function(iter([batch]))["loss"])

    def _shared(self, array: np.ndarray) -> Any:
        import tensorflow as tf

        parts = np.array_split(array, self.number)
        return self._strategy.experimental_distribute_values_from_function(
            lambda context: tf.constant(parts[context.replica_id_in_sync_group])
        )
