"""Lesson 04: `train`, the loop that makes a network learn, tried on a network of two weights.

Draws differ from student to student, so what is compared is not a number but what a training does:
how many batches it asks for, whether each tile comes with its own truth, whether the loss falls.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
from scipy import ndimage

from ivdlib.course.exercises import WrongAnswer
from ivdlib.course.own.lesson04_augment import Generator, augment
from ivdlib.course.own.task import Arguments, Task
from ivdlib.networks import losses
from ivdlib.training import gradients
from ivdlib.training.gradients import value_and_gradient

TILES, DEGREES, SHARE = 4, 15, 0.15
"""Of a batch; largest turn and share of random pixels."""

Augment = Callable[..., tuple[np.ndarray, np.ndarray]]


def train(
    model: keras.Model,
    tiles: np.ndarray,
    truths: np.ndarray,
    steps: int,
    rate: float,
    augment: Augment,
    rng: np.random.Generator,
) -> list[float]:
    """Make steps of Adam, on four augmented tiles each; gives the loss before each step."""
    ask = value_and_gradient(model, losses.cross_entropy_and_dice)
    batches = (_batch(tiles, truths, augment, rng) for _ in range(steps))
    return list(gradients.descend(ask, model.trainable_weights, batches, rate))


def _batch(
    tiles: np.ndarray, truths: np.ndarray, augment: Augment, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    pairs = [
        augment(
            tiles[k], truths[k], rng.uniform(-DEGREES, DEGREES), rng.uniform(0, SHARE), rng
        )
        for k in rng.integers(len(tiles), size=TILES)
    ]  # fmt: skip
    images, masks = (np.float32(part) for part in zip(*pairs, strict=True))
    return images[..., np.newaxis], masks[..., np.newaxis]


# --- what a training does -------------------------------------------------------------------------


@dataclass
class _Run:
    """One training, looked at."""

    curve: Any
    asked: list[tuple[np.ndarray, np.ndarray]]
    weights: list[list[np.ndarray]]
    augmented: list[tuple[Any, ...]]
    before: float
    after: float


def _watched(function: Callable, arguments: Arguments, steps: int, rate: float) -> _Run:
    """Let a student's function train a network of two weights."""
    tiles, truths, seed = arguments[0], arguments[1], arguments[-1]
    layer = keras.layers.Conv2D(1, 1, activation="sigmoid", kernel_initializer="zeros")
    model = keras.Sequential([keras.Input((*tiles.shape[1:], 1)), layer])
    run = _Run(None, [], [], [], 0.0, 0.0)

    def told(image: Any, mask: Any, degrees: Any, share: Any, rng: Any) -> Any:
        both = augment(image, mask, degrees, share, rng)
        run.augmented.append((np.array(image), np.array(mask), float(degrees), float(share), *both))
        return both

    def watch(images: np.ndarray, truth: np.ndarray, value: float) -> None:
        run.asked.append((images, truth))
        run.weights.append(model.get_weights())

    def loss() -> float:
        answer = keras.ops.convert_to_numpy(model(tiles[..., np.newaxis], training=False))
        return float(losses.cross_entropy_and_dice(np.float32(truths[..., np.newaxis]), answer))

    run.before = loss()
    with gradients.watched(watch):
        run.curve = function(model, tiles, truths, steps, rate, told, np.random.default_rng(seed))
    run.after = loss()
    run.weights.append(model.get_weights())
    return run


def _call(function: Callable, arguments: Arguments) -> Any:
    """What a training does, in words and truth values."""
    tiles, truths, steps, rate, _ = arguments
    run = _watched(function, arguments, steps, rate)
    if run.curve is None:
        return None
    if np.ndim(run.curve) != 1:
        raise WrongAnswer("train should return a list: the loss before each step")
    half = _watched(function, arguments, 2, rate / 2)
    pairs = [pair for images, truth in run.asked for pair in zip(images, truth, strict=False)]
    made = [(image[..., np.newaxis], mask[..., np.newaxis]) for *_, image, mask in run.augmented]
    drawn = [_key(images) for images, _ in run.asked]
    return {
        "losses": len(run.curve),
        "batches": len(run.asked),
        "tiles in a batch": sorted({len(images) for images, _ in run.asked}),
        "other batches": len(set(drawn)) > 1 or not drawn,
        "augmented": _all_in([image for image, _ in pairs], [image for image, _ in made]),
        "truth belongs": _belong(pairs, made) and _belong(
            [(a, b) for a, b, *_ in run.augmented], list(zip(tiles, truths, strict=True))
        ),
        "drawn anew": _spread([d for _, _, d, *_ in run.augmented], -DEGREES, DEGREES)
        and _spread([s for _, _, _, s, *_ in run.augmented], 0, SHARE),
        "weights that move": _moved(run),
        "rate counts": _first_step(half) > 0
        and bool(np.isclose(2 * _first_step(half), _first_step(run), rtol=0.02)),
        "loss falls": bool(run.after < run.before - 1e-3),
    }  # fmt: skip


def _key(images: np.ndarray) -> bytes:
    return np.ascontiguousarray(images).tobytes()


def _all_in(images: list[np.ndarray], made: list[np.ndarray]) -> bool:
    known = {_key(np.float32(image)) for image in made}
    return all(_key(np.float32(image)) in known for image in images)


def _belong(pairs: list, known: list) -> bool:
    """Whether each image that is known comes with its own mask."""
    masks = {_key(np.float32(image)): _key(np.float32(mask)) for image, mask in known}
    return all(
        masks.get(_key(np.float32(image)), _key(np.float32(mask))) == _key(np.float32(mask))
        for image, mask in pairs
    )


def _spread(values: list[float], low: float, high: float) -> bool:
    """Whether values differ and lie where they should; nothing drawn is told elsewhere."""
    if not values:
        return True
    inside = low - 1e-9 <= min(values) and max(values) <= high + 1e-9
    return inside and max(values) - min(values) > (high - low) / 3


def _moved(run: _Run) -> int:
    """Arrays of weights that are others at the end."""
    ends = zip(run.weights[0], run.weights[-1], strict=True)
    return sum(not np.array_equal(first, last) for first, last in ends)


def _first_step(run: _Run) -> float:
    """Length of the first step that a training makes."""
    for first, second in zip(run.weights, run.weights[1:], strict=False):
        moved = np.concatenate([np.ravel(b - a) for a, b in zip(first, second, strict=True)])
        return float(np.linalg.norm(moved))
    return 0.0


# --- the task -------------------------------------------------------------------------------------


def _loop(
    *,
    sign: float = -1,
    once: bool = False,
    ask_once: bool = False,
    apart: bool = False,
    plain: bool = False,
    shuffled: bool = False,
    fixed: bool = False,
    only: slice = slice(None),
    rated: bool = True,
    early: bool = False,
    single: bool = False,
) -> Callable:
    """A wrong training."""

    def mistaken(model, tiles, truths, steps, rate, augment, rng):  # noqa: ANN001, ANN202
        def batch() -> tuple[np.ndarray, np.ndarray]:
            with_angle = (lambda *a: augment(*a[:2], 10, 0.1, rng)) if fixed else augment
            x, y = _batch(tiles, truths, with_angle if not plain else lambda *a: a[:2], rng)
            if apart:
                y = _batch(tiles, truths, augment, rng)[1]
            y = y[::-1] if shuffled else y
            return (x[:1], y[:1]) if single else (x, y)

        ask = value_and_gradient(model, losses.cross_entropy_and_dice)
        given = batch()
        value, parts = ask(*given)
        mean, curve = [0.0 * part for part in parts], []
        size = [0.0 * part for part in parts]
        for count in range(1, steps + 1):
            if count > 1 and not ask_once:
                value, parts = ask(*(given if once else batch()))
            curve.append(value)
            for n, weight in list(enumerate(model.trainable_weights))[only]:
                mean[n] = 0.9 * mean[n] + 0.1 * parts[n]
                size[n] = 0.999 * size[n] + 0.001 * parts[n] ** 2
                move = mean[n] / (1 - 0.9**count)
                move = move / (np.sqrt(size[n] / (1 - 0.999**count)) + 1e-7)
                weight.assign(weight + sign * (rate if rated else 0.3) * move)
            if early:
                break
        return curve

    return mistaken


_INSIDE = "your training ends after one step: return is inside the loop; move it to the left"
_CLIMBS = "the loss climbs: a step goes against the gradient (assign_sub, or minus)"
_STILL = (
    "no weight moves: the new value has to go into the weight, with weight.assign_sub(…) for each "
    "of model.trainable_weights"
)
_ONE_WEIGHT = "only some weights move: each of model.trainable_weights must take its step"
_RATE = "the rate has no effect: with half the rate the first step should be half as long"
_ONE_BATCH = "every step sees the same batch: draw it inside the loop"
_ONE_GRADIENT = "you ask for the gradient once: ask again in each step, as the weights have moved"
_APART = (
    "the tiles and the truths do not belong together: augment turns both in one call, so use both "
    "results of this call"
)
_PLAIN = "your batches hold tiles that are not augmented: give the network what augment returns"
_FIXED = (
    f"draw an angle from -{DEGREES} to {DEGREES} degrees and a share from 0 to {SHARE} anew for "
    "each tile, with rng.uniform"
)
_SINGLE = f"a batch should have {TILES} tiles: draw {TILES} and stack them with np.stack"


def _inputs(rng: np.random.Generator) -> list[Arguments]:
    tiles = np.stack([ndimage.gaussian_filter(rng.random((10, 12)), 1.5) for _ in range(12)])
    low, high = tiles.min((1, 2), keepdims=True), tiles.max((1, 2), keepdims=True)
    tiles = (tiles - low) / (high - low)
    return [(tiles, tiles > 0.6, 8, 0.3, Generator(rng.integers(1000)))]


TRAIN = Task(
    name="train",
    right=train,
    inputs=_inputs,
    call=_call,
    mistakes={
        _INSIDE: _loop(early=True),
        _CLIMBS: _loop(sign=1),
        _STILL: _loop(only=slice(0)),
        _ONE_WEIGHT: _loop(only=slice(1)),
        _RATE: _loop(rated=False),
        _ONE_BATCH: _loop(once=True),
        _ONE_GRADIENT: _loop(ask_once=True),
        _APART: _loop(apart=True),
        _PLAIN: _loop(plain=True),
        _FIXED: _loop(fixed=True),
        _SINGLE: _loop(single=True),
    },
    rules={
        _INSIDE: lambda arguments, found: found["batches"] != 1 or found["losses"] > 1,
        _ONE_GRADIENT: lambda arguments, found: found["batches"] != 1,
        "ask once in each step, so as many times as there are steps": (
            lambda arguments, found: found["batches"] == arguments[2]
        ),
        "return as many losses as there are steps: append each to a list": (
            lambda arguments, found: found["losses"] == arguments[2]
        ),
        _SINGLE: lambda arguments, found: found["tiles in a batch"] == [TILES],
        _ONE_BATCH: lambda arguments, found: found["other batches"],
        _PLAIN: lambda arguments, found: found["augmented"],
        _APART: lambda arguments, found: found["truth belongs"],
        _FIXED: lambda arguments, found: found["drawn anew"],
        _STILL: lambda arguments, found: found["weights that move"] > 0,
        _ONE_WEIGHT: lambda arguments, found: found["weights that move"] == 2,
        _CLIMBS: lambda arguments, found: found["loss falls"],
        _RATE: lambda arguments, found: found["rate counts"],
    },
    hints=(
        "in each step: draw four numbers of tiles, augment each with its truth, stack the images "
        "and the truths to (4, AP, SI, 1), ask, move every weight, keep the loss.",
        "for n, (weight, part) in enumerate(zip(model.trainable_weights, gradient)): "
        "weight.assign_sub(rate * adam(part, memory[n], step)), with a memory [0.0, 0.0] for each.",
    ),
)

TASKS = {TRAIN.name: TRAIN}
