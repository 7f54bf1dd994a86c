"""Losses by name. The paper names none; see `options.TrainingOptions.loss` for the default."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from keras import ops

from ivdlib.errors import ConfigError
from ivdlib.networks import replicas

SMOOTH = 1.0
"""Pixels added above and below in the soft Dice, so that an empty batch has a defined value."""


def cross_entropy(truth: Any, probability: Any) -> Any:
    """Binary cross-entropy, mean over all pixels.

    Parameters
    ----------
    truth, probability : tensor, float32 in [0, 1], (batch, AP, SI, 1)

    Returns
    -------
    tensor, float32, ()
    """
    probability = ops.clip(probability, 1e-7, 1.0 - 1e-7)
    return -ops.mean(truth * ops.log(probability) + (1.0 - truth) * ops.log(1.0 - probability))


def soft_dice(truth: Any, probability: Any) -> Any:
    """One minus the soft Dice of the batch taken as one volume (empty tiles do no harm).

    The whole batch, where several devices share one. Parameters and value as `cross_entropy`.
    """
    overlap = replicas.total(ops.sum(truth * probability))
    total = replicas.total(ops.sum(truth) + ops.sum(probability))
    return 1.0 - (2.0 * overlap + SMOOTH) / (total + SMOOTH)


def cross_entropy_and_dice(truth: Any, probability: Any) -> Any:
    """Sum of `cross_entropy` and `soft_dice`."""
    return cross_entropy(truth, probability) + soft_dice(truth, probability)


_LOSSES: dict[str, Callable] = {
    "bce_dice": cross_entropy_and_dice,
    "bce": cross_entropy,
    "dice": soft_dice,
}


def loss(name: str) -> Callable:
    """Find a loss by its name.

    Parameters
    ----------
    name : str
        A key of `_LOSSES`.

    Returns
    -------
    callable
        From truth and probability to a scalar.

    Raises
    ------
    ConfigError
        If there is no such loss.
    """
    if name not in _LOSSES:
        raise ConfigError(f"unknown loss {name!r}; known are {', '.join(_LOSSES)}.")
    return _LOSSES[name]
