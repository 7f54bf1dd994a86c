"""Value and gradient of a loss on every backend, for training loops that one writes oneself."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import keras
import numpy as np

Ask = Callable[[np.ndarray, np.ndarray], tuple[float, list[np.ndarray]]]

Answer = tuple[np.ndarray, np.ndarray]

COMPILED = 1000
"""Weights from which on compiling under TensorFlow takes less time than it saves."""

_WATCHERS: list[Callable[..., None]] = []


def value_and_gradient(model: keras.Model, loss: Callable[[Any, Any], Any]) -> Ask:
    """Make a function that says how wrong a model is on a batch, and the gradient.

    Parameters
    ----------
    model : keras.Model
    loss : callable
        From truth and answer (tensors) to one number, see `networks.losses`.

    Returns
    -------
    callable
        Takes images and truth of a batch, each (tiles, AP, SI, 1); gives the loss as a float and
        its gradient, an array for each of `model.trainable_weights`, in their order. The model
        answers as in training: its batch normalisations note means and spreads.

    Examples
    --------
    >>> import numpy as np
    >>> from ivdlib.networks import losses
    >>> layer = keras.layers.Conv2D(1, 1, activation="sigmoid")
    >>> model = keras.Sequential([keras.Input((8, 8, 1)), layer])
    >>> ask = value_and_gradient(model, losses.cross_entropy)
    >>> value, gradient = ask(np.zeros((2, 8, 8, 1)), np.zeros((2, 8, 8, 1)))
    >>> round(value, 3), [part.shape for part in gradient]
    (0.693, [(1, 1, 1, 1), (1,)])
    """
    both = {"tensorflow": _tensorflow, "jax": _jax, "torch": _torch}
    run = both[keras.backend.backend()](model, loss)

    def ask(images: np.ndarray, truth: np.ndarray) -> tuple[float, list[np.ndarray]]:
        images, truth = (np.asarray(part, np.float32) for part in (images, truth))
        value, gradient = run(images, truth)
        value = float(value)
        for watch in _WATCHERS:
            watch(images, truth, value)
        return value, [keras.ops.convert_to_numpy(part) for part in gradient]

    return ask


def pixel_gradient(model: keras.Model) -> Callable[[np.ndarray, tuple[int, int]], Answer]:
    """Make a function that says what a network looked at when it judged one pixel.

    Parameters
    ----------
    model : keras.Model
        From `networks.build`: its last but one step is called "probability".

    Returns
    -------
    callable
        Takes tiles, (n, AP, SI, channels), and a pixel (AP, SI). Gives the logits there, (n,), and
        the gradient of each with respect to its tile, as large as the tiles; both float32. The
        model answers as in use: its batch normalisations stay as they are.

    Examples
    --------
    >>> import numpy as np
    >>> image = keras.Input((5, 5, 1))
    >>> mean = keras.layers.AveragePooling2D(3, 1, "same", "channels_last")(image)
    >>> model = keras.Model(image, keras.layers.Activation("sigmoid", name="probability")(mean))
    >>> logits, gradient = pixel_gradient(model)(np.ones((1, 5, 5, 1)), (2, 2))
    >>> logits.round(3), int((gradient > 0).sum())
    (array([1.], dtype=float32), 9)
    """
    logits = keras.Model(model.input, model.get_layer("probability").input)
    _, height, width, channels = logits.output_shape
    run = {"tensorflow": _of_pixel_tensorflow, "jax": _of_pixel_jax, "torch": _of_pixel_torch}[
        keras.backend.backend()
    ](logits)

    def ask(tiles: np.ndarray, pixel: tuple[int, int]) -> Answer:
        tiles = np.asarray(tiles, np.float32)
        row, column = (  # some networks pad inside, see `networks.resize.pad_to_multiple`
            at + (have - want) // 2
            for at, have, want in zip(pixel, (height, width), tiles.shape[1:3], strict=True)
        )
        pick = np.zeros((1, height, width, channels), np.float32)
        pick[0, row, column] = 1 if channels == 1 else (-1, 1)  # disc against background
        found, gradient = run(tiles, pick)
        return keras.ops.convert_to_numpy(found), keras.ops.convert_to_numpy(gradient)

    return ask


def descend(
    ask: Ask,
    weights: Sequence[Any],
    batches: Iterable[tuple[np.ndarray, np.ndarray]],
    rate: float,
) -> Iterator[float]:
    """Make a step of Adam (Sect. 3.1) on each batch; give the loss before each step.

    Parameters
    ----------
    ask : callable
        Made by `value_and_gradient`.
    weights : sequence of keras.Variable
        `model.trainable_weights`.
    batches : iterable of tuple of ndarray
        Images and truth of each step, (tiles, AP, SI, 1).
    rate : float
        Learning rate; about how far a weight moves in a step.

    Yields
    ------
    float
        When it is given, the step of its batch has been made.
    """
    ends = np.cumsum([0, *(int(np.prod(weight.shape)) for weight in weights)])
    mean, size = np.zeros(ends[-1]), np.zeros(ends[-1])
    for count, batch in enumerate(batches, start=1):
        value, parts = ask(*batch)
        gradient = np.concatenate([np.ravel(part) for part in parts])
        mean += 0.1 * (gradient - mean)
        size += 0.001 * (gradient**2 - size)
        move = mean / (1 - 0.9**count) / (np.sqrt(size / (1 - 0.999**count)) + 1e-7)
        for weight, first, last in zip(weights, ends, ends[1:], strict=False):
            weight.assign_sub(rate * move[first:last].reshape(weight.shape))
        yield value


@contextmanager
def watched(watch: Callable[[np.ndarray, np.ndarray, float], None]) -> Iterator[None]:
    """Let `watch` see images, truth and loss of each batch that is asked for within the block."""
    _WATCHERS.append(watch)
    try:
        yield
    finally:
        _WATCHERS.remove(watch)


def _tensorflow(model: keras.Model, loss: Callable) -> Callable:
    import tensorflow as tf

    def run(images: Any, truth: Any) -> tuple[Any, list]:
        with tf.GradientTape() as tape:
            value = loss(truth, model(images, training=True))
        return value, tape.gradient(value, [w.value for w in model.trainable_weights])

    return tf.function(run, reduce_retracing=True) if model.count_params() > COMPILED else run


def _jax(model: keras.Model, loss: Callable) -> Callable:
    import jax

    def value(weights: list, others: list, images: Any, truth: Any) -> tuple[Any, list]:
        answer, others = model.stateless_call(weights, others, images, training=True)
        return loss(truth, answer), others

    both = jax.jit(jax.value_and_grad(value, has_aux=True))

    def run(images: np.ndarray, truth: np.ndarray) -> tuple[Any, list]:
        weights, others = (
            [variable.value for variable in part]
            for part in (model.trainable_variables, model.non_trainable_variables)
        )
        (found, after), gradient = both(weights, others, images, truth)
        for variable, new in zip(model.non_trainable_variables, after, strict=True):
            variable.assign(new)
        return found, gradient

    return run


def _torch(model: keras.Model, loss: Callable) -> Callable:
    import torch

    def run(images: np.ndarray, truth: np.ndarray) -> tuple[Any, list]:
        images, truth = map(keras.ops.convert_to_tensor, (images, truth))
        value = loss(truth, model(images, training=True))
        weights = [weight.value for weight in model.trainable_weights]
        return value.detach(), list(torch.autograd.grad(value, weights))

    return run


def _of_pixel_tensorflow(logits: keras.Model) -> Callable:
    import tensorflow as tf

    def run(tiles: Any, pick: Any) -> tuple[Any, Any]:
        with tf.GradientTape() as tape:
            tape.watch(tiles)
            found = tf.reduce_sum(logits(tiles, training=False) * pick, axis=(1, 2, 3))
        return found, tape.gradient(found, tiles)

    compiled = tf.function(run)  # halves the time of an answer
    return lambda tiles, pick: compiled(tf.convert_to_tensor(tiles), tf.convert_to_tensor(pick))


def _of_pixel_jax(logits: keras.Model) -> Callable:
    import jax

    weights, others = (
        [variable.value for variable in part]
        for part in (logits.trainable_variables, logits.non_trainable_variables)
    )

    def total(tiles: Any, pick: Any) -> tuple[Any, Any]:
        answer, _ = logits.stateless_call(weights, others, tiles, training=False)
        found = (answer * pick).sum(axis=(1, 2, 3))
        return found.sum(), found

    both = jax.jit(jax.value_and_grad(total, has_aux=True))

    def run(tiles: np.ndarray, pick: np.ndarray) -> tuple[Any, Any]:
        (_, found), gradient = both(tiles, pick)
        return found, gradient

    return run


def _of_pixel_torch(logits: keras.Model) -> Callable:
    import torch

    def run(tiles: np.ndarray, pick: np.ndarray) -> tuple[Any, Any]:
        tiles, pick = map(keras.ops.convert_to_tensor, (tiles, pick))
        tiles.requires_grad_(True)
        found = (logits(tiles, training=False) * pick).sum(dim=(1, 2, 3))
        return found.detach(), torch.autograd.grad(found.sum(), tiles)[0]

    return run
