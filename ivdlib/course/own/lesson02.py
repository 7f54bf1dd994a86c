"""Lesson 02: `convolve`, which runs the first layer of a trained network, and `dice`, which scores.

Each `right` is written in another way than the solution in the lesson.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import keras
import numpy as np
from scipy import ndimage

from ivdlib.course.own.task import Arguments, Task

# --- convolve -------------------------------------------------------------------------------------


def _kernel(kernel: np.ndarray, rate: int) -> np.ndarray:
    """A kernel with its places `rate` apart and zeros between them."""
    wide = np.zeros([2 * rate + 1] * 2)
    wide[::rate, ::rate] = kernel
    return wide


def convolve(image: np.ndarray, kernel: np.ndarray, rate: int = 1) -> np.ndarray:
    """Each pixel: the sum of nine, `rate` apart, times the kernel; zeros around the image."""
    return ndimage.correlate(np.float64(image), _kernel(kernel, rate), mode="constant")


def _around(mode: str) -> Callable:
    """A wrong convolution: something else than zeros stands around the image."""

    def mistaken(image: np.ndarray, kernel: np.ndarray, rate: int = 1) -> np.ndarray:
        return ndimage.correlate(np.float64(image), _kernel(kernel, rate), mode=mode)

    return mistaken


def _padded_only(image: np.ndarray, kernel: np.ndarray, rate: int = 1) -> np.ndarray:
    """A wrong convolution: the rate decides on the zeros around the image, and on nothing else."""
    padded, (rows, columns) = np.pad(np.float64(image), rate), image.shape
    places = np.ndindex(3, 3)
    return sum(kernel[i, j] * padded[i : i + rows, j : j + columns] for i, j in places)


def _convolve_inputs(rng: np.random.Generator) -> list[Arguments]:
    picture = ndimage.gaussian_filter(rng.normal(size=(40, 32)), 2)
    edges = np.array([[-1.0, 0, 1], [-2, 0, 2], [-1, 0, 1]])
    return [
        (rng.permutation(9).reshape(3, 3) * 1.0, rng.permutation(9).reshape(3, 3) - 4.0),
        (rng.integers(0, 9, (4, 5)).astype(float), rng.integers(-2, 3, (3, 3)) + 0.5),
        (rng.normal(size=(7, 8)), rng.normal(size=(3, 3)), 2),
        (rng.normal(size=(9, 6)), rng.normal(size=(3, 3)), 3),
        (picture, edges + rng.normal(size=(3, 3)) / 10, 1),
    ]


CONVOLVE = Task(
    name="convolve",
    right=convolve,
    inputs=_convolve_inputs,
    mistakes={
        "the kernel is flipped: that is what mathematicians call a convolution; a network uses "
        "the kernel as it is": lambda image, kernel, rate=1: convolve(
            image, kernel[::-1, ::-1], rate
        ),
        "rows and columns are exchanged: the first index of a kernel goes along the first axis of "
        "the image": lambda image, kernel, rate=1: convolve(image, kernel.T, rate),
        "your result is the same for every rate: the nine pixels should lie rate apart": (
            lambda image, kernel, rate=1: convolve(image, kernel)
        ),
        "your nine pixels still lie side by side: rate is in np.pad, but the part for kernel[i, j] "
        "begins at row i * rate and column j * rate": _padded_only,
        "you took the rate for a stride: the result is as large as the image, and each of its "
        "pixels is computed": lambda image, kernel, rate=1: convolve(image, kernel)[::rate, ::rate],
        "at the border you take pixels from the other side of the image; outside the image "
        "everything is zero": _around("wrap"),
        "at the border you repeat the last pixel; outside the image everything is zero": _around(
            "nearest"
        ),
        "your result is smaller than the image: put zeros around the image first, rate on each "
        "side": lambda image, kernel, rate=1: convolve(image, kernel, rate)[rate:-rate, rate:-rate],
        "you divided by nine: a convolution adds up the products and takes no mean": (
            lambda image, kernel, rate=1: convolve(image, kernel, rate) / 9
        ),
        "only the pixel in the middle counts in your sum; each of the nine places has its weight": (
            lambda image, kernel, rate=1: image * kernel[1, 1]
        ),
        "your result holds only the last of the nine parts: add each part to the sum so far": (
            lambda image, kernel, rate=1: convolve(
                image, kernel * (np.arange(9) == 8).reshape(3, 3), rate
            )
        ),
    },
    rules={
        "the result should be as large as the image": (
            lambda arguments, found: np.shape(found) == arguments[0].shape
        ),
    },
    hints=(
        "put rate rows and columns of zeros around the image (np.pad), then add nine parts of it, "
        "each as large as the image and multiplied by one number of the kernel.",
        "the part for kernel[i, j] begins at row i * rate and column j * rate of the padded image.",
    ),
    picture=lambda arguments, found: {"image": arguments[0], "result": found},
)


def on_tile(plane: np.ndarray, tile: Sequence[int]) -> np.ndarray:
    """Bring a slice to the size that a network takes: cut at the borders, or zeros around it.

    Parameters
    ----------
    plane : ndarray, (AP, SI)
    tile : (AP, SI)

    Returns
    -------
    ndarray, shape of `tile`
        The middle of the one lies upon the middle of the other.
    """
    for axis, side in enumerate(tile[:2]):
        lacking = max(0, side - plane.shape[axis])
        margins = [(0, 0), (0, 0)]
        margins[axis] = (lacking // 2, lacking - lacking // 2)
        plane = np.pad(plane, margins)
        first = (plane.shape[axis] - side) // 2
        plane = plane.take(range(first, first + side), axis)
    return plane


def with_first_layer(model: keras.Model, convolve: Callable) -> Callable[[np.ndarray], np.ndarray]:
    """A network whose first layer is computed by a student's `convolve`, all others by Keras.

    Parameters
    ----------
    model : keras.Model
        Begins with a 3x3 convolution of one channel with stride 1, as the U-Net.
    convolve : callable
        Image (AP, SI), kernel (3, 3) to image (AP, SI).

    Returns
    -------
    callable
        Slice (AP, SI) of the size that the network takes to probabilities (AP, SI).
    """
    first = next(layer for layer in model.layers if isinstance(layer, keras.layers.Conv2D))
    kernels = keras.ops.convert_to_numpy(first.kernel)[:, :, 0, :]
    bias = keras.ops.convert_to_numpy(first.bias) if first.use_bias else 0.0
    rest = keras.Model(first.output, model.output)

    def probabilities(plane: np.ndarray) -> np.ndarray:
        maps = [convolve(plane, kernels[:, :, n]) for n in range(kernels.shape[2])]
        maps = np.stack(maps, axis=-1).astype(np.float32) + bias
        return keras.ops.convert_to_numpy(rest(maps[np.newaxis], training=False))[0, ..., 0]

    return probabilities


# --- dice -----------------------------------------------------------------------------------------


def dice(a: np.ndarray, b: np.ndarray) -> float:
    """Overlap of two masks: 1 less what only one of them holds, as a share of both."""
    total = int(a.sum()) + int(b.sum())
    return 1.0 - int((a ^ b).sum()) / total if total else 1.0


def _dice_inputs(rng: np.random.Generator) -> list[Arguments]:
    def mask(*shape: int) -> np.ndarray:
        drawn = rng.random(shape) < 0.4
        drawn.flat[:2] = True, False
        return drawn

    blob = np.zeros((3, 24, 24), bool)
    blob[:, 6:15, 5:16] = True
    blob[0, 10:] = False
    return [
        (np.array([[1, 1, 0, 0, 0]], bool), np.array([[0, 1, 1, 0, 0]], bool)),
        (mask(2, 3), mask(2, 3)),
        (~np.eye(3, dtype=bool), np.eye(3, dtype=bool)),
        (np.zeros((2, 2), bool), np.zeros((2, 2), bool)),
        (mask(3, 5, 4), np.zeros((3, 5, 4), bool)),
        (
            blob,
            np.roll(blob, tuple(rng.integers(2, 5, 2)), (1, 2)) & (np.indices(blob.shape)[2] < 14),
        ),
    ]


def _unless_empty(value: float, otherwise: float) -> Callable:
    """A right Dice but for two empty masks."""
    return lambda a, b: dice(a, b) if a.any() or b.any() else otherwise


DICE = Task(
    name="dice",
    right=dice,
    inputs=_dice_inputs,
    mistakes={
        "you counted every pixel that is right, background too: a mask with nothing in it would "
        "score well": lambda a, b: np.mean(a == b),
        "that is the Jaccard index: divide by the pixels of one mask plus those of the other, not "
        "by their union": lambda a, b: (a & b).sum() / (a | b).sum() if (a | b).any() else 1.0,
        "that is the Jaccard index, and two empty masks give 0/0; divide by the pixels of one "
        "mask plus those of the other": lambda a, b: (a & b).sum() / (a | b).sum(),
        "a + b of two masks is their union: count each mask on its own, a.sum() + b.sum()": (
            lambda a, b: 2 * (a & b).sum() / (a + b).sum() if (a + b).any() else 1.0
        ),
        "a + b of two masks is their union: count each mask on its own, a.sum() + b.sum(); and two "
        "empty masks give 0/0": lambda a, b: 2 * (a & b).sum() / (a + b).sum(),
        "two equal masks give one half: the factor 2 is missing": (
            lambda a, b: dice(a, b) / 2 if a.any() or b.any() else 1.0
        ),
        "two equal masks give one half: the factor 2 is missing; and two empty masks give 0/0": (
            lambda a, b: (a & b).sum() / (a.sum() + b.sum())
        ),
        "two empty masks give 0/0; nothing was missed, so they agree: return 1": (
            lambda a, b: 2 * (a & b).sum() / (a.sum() + b.sum())
        ),
        "you give two empty masks 0; nothing was missed, so they agree: return 1": (
            _unless_empty(1.0, 0.0)
        ),
        "you divided by all pixels of both masks; count those that are True, with .sum()": (
            lambda a, b: 2 * (a & b).sum() / (a.size + b.size)
        ),
        "per cent? Dice is a share, from 0 to 1": lambda a, b: 100 * dice(a, b),
        "you divided by the first mask alone: that says how much of it is right, but not what was "
        "missed": lambda a, b: (a & b).sum() / a.sum() if a.any() else float(not b.any()),
        "you divided by the second mask alone: that says how much of it was found, but a mask of "
        "everything would score 1": (
            lambda a, b: (a & b).sum() / b.sum() if b.any() else float(not a.any())
        ),
        "you scored slice by slice, not the scan: count over the whole array, then divide once": (
            lambda a, b: (
                np.mean([dice(x, y) for x, y in zip(a, b, strict=True)])
                if a.ndim == 3
                else dice(a, b)
            )
        ),
    },
    rules={
        "Dice should lie between 0 and 1": lambda arguments, found: 0 <= found <= 1,
        "masks that share nothing should score 0": (
            lambda arguments, found: (
                (arguments[0] & arguments[1]).any() or not arguments[0].any() or found == 0
            )
        ),
    },
    hints=(
        "count three things with .sum(): pixels in a and b, pixels in a, pixels in b.",
        "a & b is the mask of what both share; if a.sum() + b.sum() is 0, the result is 1.",
    ),
    seams=("ivdlib.evaluation.metrics:_dice",),
    adapt=lambda function: lambda pred, truth: float(function(pred, truth)),
)

TASKS = {task.name: task for task in (CONVOLVE, DICE)}
