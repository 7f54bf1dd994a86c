"""Losses by name. The paper names none; see `profiles.TrainingOptions.loss` for the default."""

from __future__ import annotations

from collections.abc import Callable

from keras import ops

from ivdlib import replicas
from ivdlib.errors import ConfigError

SMOOTH = 1.0
"""Pixels added above and below in the soft Dice, so that an empty batch has a defined value."""


def cross_entropy(truth, probability):
    """Binary cross-entropy, mean over all pixels; `truth` and `probability` (batch, h, w, 1)."""
    probability = ops.clip(probability, 1e-7, 1.0 - 1e-7)
    return -ops.mean(truth * ops.log(probability) + (1.0 - truth) * ops.log(1.0 - probability))


def soft_dice(truth, probability):
    """One minus the soft Dice of the batch taken as one volume (empty tiles do no harm).

    The whole batch, where several devices share one.
    """
    overlap = replicas.total(ops.sum(truth * probability))
    total = replicas.total(ops.sum(truth) + ops.sum(probability))
    return 1.0 - (2.0 * overlap + SMOOTH) / (total + SMOOTH)


def cross_entropy_and_dice(truth, probability):
    """Sum of `cross_entropy` and `soft_dice`."""
    return cross_entropy(truth, probability) + soft_dice(truth, probability)


LOSSES: dict[str, Callable] = {
    "bce_dice": cross_entropy_and_dice,
    "bce": cross_entropy,
    "dice": soft_dice,
}


def loss(name: str) -> Callable:
    """Find a loss by its name.

    Raises
    ------
    ConfigError
        Where there is no such loss.
    """
    if name not in LOSSES:
        raise ConfigError(f"unknown loss {name!r}; known are {', '.join(LOSSES)}.")
    return LOSSES[name]
