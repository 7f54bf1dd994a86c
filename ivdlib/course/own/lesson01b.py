"""Lesson 01b: `logistic_step`, one step of gradient descent; it fits a row of the baselines."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy import special
from sklearn.base import BaseEstimator, ClassifierMixin

from ivdlib.course import voxels
from ivdlib.course.own.task import Arguments, Task

EPOCHS, BATCH, RATE = 25, 4000, 1.0
"""How the baseline's row is fitted with a student's step."""


def loss(weights: np.ndarray, features: np.ndarray, truth: np.ndarray) -> float:
    """Mean cross-entropy of a logistic regression.

    Parameters
    ----------
    weights : ndarray, (features,)
    features : ndarray, (voxels, features)
    truth : ndarray of bool, (voxels,)
    """
    # log(1 + exp(-z)) for what is disc, log(1 + exp(z)) for what is not: finite for every sum z.
    return float(np.mean(np.logaddexp(0, np.where(truth, -1, 1) * (features @ weights))))


def _gradient(weights: np.ndarray, features: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """The loss's gradient by finite differences: each weight is nudged both ways."""
    nudges = 1e-5 * np.eye(len(weights))
    higher = [loss(weights + nudge, features, truth) for nudge in nudges]
    lower = [loss(weights - nudge, features, truth) for nudge in nudges]
    return (np.array(higher) - lower) / 2e-5


def logistic_step(
    weights: np.ndarray, features: np.ndarray, truth: np.ndarray, rate: float
) -> np.ndarray:
    """Weights after one step down the gradient of the mean cross-entropy."""
    missing = np.where(
        truth, special.expit(-features @ weights), -special.expit(features @ weights)
    )
    return weights + rate * np.einsum("v,vf->f", missing, features) / len(missing)


def _by(wrong: Callable[[np.ndarray, np.ndarray], np.ndarray]) -> Callable:
    """A wrong step: something else stands in the place of "chance less truth"."""

    def mistaken(
        weights: np.ndarray, features: np.ndarray, truth: np.ndarray, rate: float
    ) -> np.ndarray:
        pulls = wrong(features @ weights, truth.astype(float))
        return weights - rate * features.T @ pulls / len(truth)

    return mistaken


def _changed(change: Callable[..., np.ndarray]) -> Callable:
    """A wrong step: the right way to go is there, and is used in a wrong way."""

    def mistaken(
        weights: np.ndarray, features: np.ndarray, truth: np.ndarray, rate: float
    ) -> np.ndarray:
        down = logistic_step(weights, features, truth, 1.0) - weights
        return change(weights, down, rate, features.shape)

    return mistaken


def _squared(z: np.ndarray, t: np.ndarray) -> np.ndarray:
    chance = special.expit(z)
    return (chance - t) * chance * (1 - chance)


def _cross_entropy(z: np.ndarray, t: np.ndarray) -> np.ndarray:
    return np.logaddexp(0, np.where(t > 0, -z, z))


def _without_bias(
    weights: np.ndarray, down: np.ndarray, rate: float, shape: tuple[int, int]
) -> np.ndarray:
    return weights + rate * down * (np.arange(len(down)) > 0)


def _inputs(rng: np.random.Generator) -> list[Arguments]:
    def voxels(number: int, features: int, rate: float) -> Arguments:
        table = np.concatenate([np.ones((number, 1)), rng.normal(size=(number, features))], axis=1)
        truth = np.arange(number) % 3 == 0
        return rng.normal(size=features + 1).round(2), table.round(2), truth, rate

    rows, columns = np.indices((30, 24))
    disc = np.hypot((rows - 15) / 9, (columns - rng.uniform(9, 14)) / 4) < 1
    pixels = rng.normal(scale=0.7, size=(2, *disc.shape)) + [2.0 * disc, -1.5 * disc]
    table = np.stack([np.ones(disc.size), *pixels.reshape(2, -1)], axis=1)
    return [
        (rng.normal(size=2).round(1), np.array([[1.0, 0.6]]), np.array([True]), 0.5),
        (rng.normal(size=2).round(1), np.array([[1.0, -0.4]]), np.array([False]), 0.5),
        voxels(5, 2, 0.5),
        voxels(40, 4, 0.1),
        (rng.normal(scale=0.3, size=3), table, disc.ravel(), 6.0),
    ]


def _picture(arguments: Arguments, found: np.ndarray) -> dict[str, np.ndarray]:
    features = arguments[1]
    first, second = features[:, 1:].T.reshape(2, 30, 24)
    chance = special.expit(features @ found).reshape(30, 24)
    return {"first feature": first, "second feature": second, "result": chance}


LOGISTIC_STEP = Task(
    name="logistic_step",
    right=logistic_step,
    inputs=_inputs,
    mistakes={
        "your step climbs: the gradient points uphill, so subtract rate times the gradient from "
        "the weights": _changed(lambda w, down, rate, shape: w - rate * down),
        "you added the gradients of all voxels; the loss is their mean, so divide by the number of "
        "voxels": _changed(lambda w, down, rate, shape: w + rate * down * shape[0]),
        "you divided by the number of all entries or of features; divide by the number of voxels, "
        "len(truth)": _changed(lambda w, down, rate, shape: w + rate * down / shape[1]),
        "the sigmoid is missing: that is the step of a linear regression; chance is "
        "1 / (1 + exp(-sum))": _by(lambda z, t: z - t),
        "your sigmoid is reversed: it is 1 / (1 + exp(-sum)), with the minus sign": (
            _by(lambda z, t: special.expit(-z) - t)
        ),
        "your gradient has an extra factor chance * (1 - chance): it belongs to the squared "
        "error; with the cross-entropy it cancels": _by(_squared),
        "that is the step of the squared error, (chance - truth)²; the lesson's loss is the "
        "cross-entropy": _by(lambda z, t: 2 * _squared(z, t)),
        "you used the loss itself, with its logarithm, instead of its slope; after the chain rule "
        "no logarithm is left": _by(_cross_entropy),
        "you took the logarithm of the chance; the slope of the loss is chance - truth, without a "
        "logarithm": _by(lambda z, t: np.log(special.expit(z)) - t),
        "you compare yes or no with the truth: take the chance itself, not whether it exceeds one "
        "half": _by(lambda z, t: (z > 0) - t),
        "only disc voxels change your weights; the others count too: their error is chance - 0": (
            _by(lambda z, t: (special.expit(z) - t) * t)
        ),
        "the rate has no effect: multiply the gradient by it": (
            _changed(lambda w, down, rate, shape: w + down)
        ),
        "you divided by the rate; multiply the gradient by it": (
            _changed(lambda w, down, rate, shape: w + down / rate)
        ),
        "that is the gradient; return the new weights": (
            _changed(lambda w, down, rate, shape: -down)
        ),
        "that is the change alone; add it to the old weights and return the new ones": (
            _changed(lambda w, down, rate, shape: rate * down)
        ),
        "the first weight, of the column of ones, stays as it was; it learns like the others": (
            _changed(_without_bias)
        ),
        "your weights do not change": _changed(lambda w, down, rate, shape: w),
    },
    rules={
        "if the weights move a little along your step, the loss rises; it should fall": (
            lambda arguments, found: (found - arguments[0]) @ _gradient(*arguments[:3]) < 0
        ),
        "if each weight is nudged a little, the loss does not change as your gradient says": (
            lambda arguments, found: np.allclose(
                (arguments[0] - found) / arguments[3], _gradient(*arguments[:3]), atol=1e-6
            )
        ),
    },
    hints=(
        "four lines: sums = features @ weights, the sigmoid of the sums, the gradient, the step.",
        "the gradient is features.T @ (chance - truth) / len(truth): the mean over the voxels of "
        "error times feature.",
    ),
    picture=_picture,
    seams=("ivdlib.training.baselines:_classifier",),
    adapt=lambda step: lambda: ByStep(step),
)

TASKS = {"logistic_step": LOGISTIC_STEP}


class ByStep(ClassifierMixin, BaseEstimator):
    """Logistic regression as scikit-learn has it, fitted by repeating a step."""

    def __init__(self, step: Callable = logistic_step) -> None:
        self.step = step

    def fit(self, rows: np.ndarray, truth: np.ndarray) -> ByStep:
        """Learn from voxels whose features have mean 0 and spread 1."""
        features = np.concatenate([np.ones((len(rows), 1)), rows], axis=1)
        self.classes_, weights = np.array([False, True]), np.zeros(features.shape[1])
        for batch in voxels.batches(features, truth, BATCH, EPOCHS):
            weights = self.step(weights, *batch, RATE)
        self.weights_ = np.asarray(weights)
        return self

    def predict_proba(self, rows: np.ndarray) -> np.ndarray:
        """Chances of "no disc" and of "disc", a row a voxel."""
        chance = special.expit(self.weights_[0] + rows @ self.weights_[1:])
        return np.stack([1 - chance, chance], axis=1)
