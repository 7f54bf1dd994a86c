"""Lesson 04: `augment`, which turns a tile and its truth together and makes the tile noisy."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from scipy import ndimage

from ivdlib.course.exercises import WrongAnswer
from ivdlib.course.own.task import Arguments, Task

SHARE = 0.1
"""Of the pixels that get random values in the check."""


class Generator(int):
    """The seed of a random generator, called `rng` where a call is written out."""

    __str__ = __repr__ = lambda self: "rng"


def _turned(plane: np.ndarray, degrees: float, order: int = 1) -> np.ndarray:
    """Turn a plane about its middle, as `ndimage.rotate`; zeros come in from outside."""
    cos, sin = np.cos(np.deg2rad(degrees)), np.sin(np.deg2rad(degrees))
    middle = (np.array(plane.shape) - 1) / 2
    y, x = np.indices(plane.shape) - middle[:, None, None]
    places = np.stack([cos * y + sin * x, cos * x - sin * y]) + middle[:, None, None]
    return ndimage.map_coordinates(np.float64(plane), places, order=order, mode="constant")


def _nearest(mask: np.ndarray, degrees: float) -> np.ndarray:
    return _turned(mask, degrees, 0) > 0.5


def _random(image: np.ndarray, share: float, rng: np.random.Generator) -> np.ndarray:
    new = rng.random(image.shape)
    return np.where(rng.random(image.shape) < share, new, image)


def _made_of(
    image_by: Callable = _turned, mask_by: Callable = _nearest, noise: Callable = _random
) -> Callable:
    """An `augment` of these parts."""

    def augment(
        image: np.ndarray, mask: np.ndarray, degrees: float, share: float, rng: np.random.Generator
    ) -> tuple[np.ndarray, np.ndarray]:
        return noise(image_by(image, degrees), share, rng), mask_by(mask, degrees)

    return augment


augment = _made_of()


def _by_scipy(**how: Any) -> Callable:
    """Turn as a student would who forgets an argument."""
    return lambda plane, degrees: ndimage.rotate(plane, degrees, **{"reshape": False} | how)


def _own_angle(image: Any, mask: Any, degrees: Any, share: Any, rng: Any) -> Any:
    return augment(image, mask, rng.uniform(-degrees, degrees), share, rng)


def _call(function: Callable, arguments: Arguments) -> Any:
    """Tile and truth; of a noisy tile, what does not depend on the order of the draws."""
    image, mask, degrees, share, seed = arguments
    found = function(image, mask, degrees, share, np.random.default_rng(seed))
    if found is None:
        return None
    if not isinstance(found, tuple | list) or len(found) != 2:
        raise WrongAnswer("augment should return two things, in this order: return image, mask")
    if any(part is None for part in found):
        return None
    tile, truth = map(np.asarray, found)
    if not share or tile.shape != image.shape:
        return {"image": tile, "mask": truth}
    again = function(image, mask, degrees, share, np.random.default_rng(seed))
    new = np.abs(tile - _turned(image, degrees)) > 1e-6
    many = new.mean() > SHARE / 5
    return {
        "mask": truth,
        "share of random pixels": float(np.round(50 * new.mean()) / 50),
        "their mean": float(np.round(tile[new].mean(), 1)) if many else 0.0,
        "their spread": float(np.round(tile[new].std(), 1)) if many else 0.0,
        "all from 0 to 1": bool(tile.min() >= 0 and tile.max() <= 1),
        "same rng, same tile": bool(np.array_equal(tile, again[0])),
    }


def _inputs(rng: np.random.Generator) -> list[Arguments]:
    def tile(*shape: int) -> tuple[np.ndarray, np.ndarray]:
        image = ndimage.gaussian_filter(rng.random(shape), 1.5)
        image = 0.1 + 0.8 * (image - image.min()) / np.ptp(image)
        return image, image > np.quantile(image, 0.7)

    def seed() -> Generator:
        return Generator(rng.integers(1000))

    angle = float(rng.uniform(11, 19))
    return [
        (*tile(3, 4), 0.0, 0.0, seed()),
        (*tile(24, 20), round(angle, 1), 0.0, seed()),
        (*tile(160, 160), 0.0, SHARE, seed()),
        (*tile(160, 168), round(30 - angle, 1), SHARE, seed()),
        (*_spine(rng), round(28 - angle, 1), 0.0, seed()),
    ]


def _spine(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """A tile that looks like discs between vertebrae, and the discs."""
    y, x = np.indices((56, 64)) - np.reshape(rng.uniform(-3, 3, 2), (2, 1, 1))
    discs = np.any(
        [((y - 28) / 14) ** 2 + ((x - middle) / 4) ** 2 < 1 for middle in (12, 32, 52)], axis=0
    )
    body = np.where(np.abs(y - 28) < 16, 0.35, 0.1)
    return ndimage.gaussian_filter(np.where(discs, 0.8, body), 0.7), discs


def _picture(arguments: Arguments, found: Mapping[str, np.ndarray]) -> dict[str, Any]:
    return {"tile and truth": arguments[:2], "result": (found["image"], found["mask"])}


AUGMENT = Task(
    name="augment",
    right=augment,
    inputs=_inputs,
    call=_call,
    mistakes={
        "the picture is turned but its truth is not, so the outline no longer fits": _made_of(
            mask_by=lambda mask, degrees: mask
        ),
        "the truth is turned but its picture is not, so the outline no longer fits": _made_of(
            image_by=lambda image, degrees: image
        ),
        "picture and truth are turned to different sides: use the same angle for both": _made_of(
            mask_by=lambda mask, degrees: _nearest(mask, -degrees)
        ),
        "both are turned the opposite way to ndimage.rotate(plane, degrees)": _made_of(
            lambda image, degrees: _turned(image, -degrees),
            lambda mask, degrees: _nearest(mask, -degrees),
        ),
        "the truth mixes neighbouring pixels, so it holds values between 0 and 1; take the "
        "nearest pixel, order=0": _made_of(
            mask_by=_turned
        ),
        "the truth mixes neighbouring pixels and counts everything above 0, so the discs grow by "
        "a rim; take the nearest pixel, order=0": _made_of(
            mask_by=lambda mask, degrees: _turned(mask, degrees) > 0
        ),
        "the truth mixes neighbouring pixels and is cut at one half: that is close, but the "
        "nearest pixel, order=0, needs no "
        "cut": _made_of(mask_by=lambda mask, degrees: _turned(mask, degrees) > 0.5),
        "the truth mixes neighbouring pixels and loses what is not wholly disc, so the discs "
        "shrink; take the nearest pixel, order=0": _made_of(mask_by=_by_scipy(order=1)),
        "the truth is turned with order=3, the default of ndimage.rotate: a mask needs "
        "order=0": _made_of(mask_by=_by_scipy()),
        "the image is turned with order=3, the default of ndimage.rotate, so its values leave 0 "
        "to 1; use order=1, which mixes neighbours": _made_of(image_by=_by_scipy()),
        "both are turned with order=3, the default of ndimage.rotate: use order=1 for the image, "
        "order=0 for the mask": _made_of(_by_scipy(), _by_scipy()),
        "the image is turned with order=0, which makes its edges jagged; use order=1, which mixes "
        "neighbours": _made_of(image_by=lambda image, degrees: _turned(image, degrees, 0)),
        "the result is larger than the tile: ndimage.rotate keeps the shape with reshape=False": (
            _made_of(
                _by_scipy(order=1, reshape=True), _by_scipy(order=0, reshape=True)
            )
        ),
        "the tile hardly turns: ndimage.rotate takes degrees, not radians": _made_of(
            lambda image, degrees: _turned(image, np.deg2rad(degrees)),
            lambda mask, degrees: _nearest(mask, np.deg2rad(degrees)),
        ),
        "you drew an angle of your own: turn by degrees, because the angle is drawn before "
        "augment is called": _own_angle,
        "nearly every pixel has a random value: only a share of them should": _made_of(
            noise=lambda image, share, rng: rng.random(image.shape) if share else image
        ),
        "(nearly) no pixel has a random value: a share of 0.1 is about every tenth": _made_of(
            noise=lambda image, share, rng: image
        ),
        "there are random values where the image should stay: compare rng.random(image.shape) < "
        "share": _made_of(noise=lambda image, share, rng: _random(image, 1 - share, rng)
                          if share else image),
    },
    rules={
        "tile and truth should keep their shape": lambda arguments, found: (
            found.get("image", found["mask"]).shape == found["mask"].shape == arguments[0].shape
        ),
        "a truth should hold only True and False": lambda arguments, found: (
            found["mask"].dtype == bool
        ),
        "without a turn and without random pixels both should stay as they "
        "are": lambda arguments, found: (
            arguments[2] or arguments[3] or np.allclose(found["image"], arguments[0])
        ),
        "the truth has random values in it: they belong only in the image": (
            lambda arguments, found: (
                arguments[2] or not arguments[3] or np.array_equal(found["mask"], arguments[1])
            )
        ),
        "values leave 0 to 1: give the chosen pixels new values, and add nothing to them": (
            lambda arguments, found: found.get("all from 0 to 1", True)
        ),
        "the share of pixels with a random value is not the one that was asked for; if this "
        "happens only with a turned tile, turn first": lambda arguments, found: (
            np.isclose(found.get("share of random pixels", arguments[3]), arguments[3])
        ),
        "all chosen pixels have (nearly) one value: draw as many values as there are pixels": (
            lambda arguments, found: found.get("their spread", 0.3) > 0.2
        ),
        "the same rng gives a different tile each time: draw from rng, not from np.random": (
            lambda arguments, found: found.get("same rng, same tile", True)
        ),
    },
    hints=(
        "ndimage.rotate(plane, degrees, reshape=False, order=…) turns a plane: order=1 for the "
        "image, order=0 for the mask, and the same degrees for both.",
        "rng.random(image.shape) < share is True in about that share of the pixels; np.where(that, "
        "new, image) takes new there and image elsewhere.",
    ),
    picture=_picture,
)  # fmt: skip

TASKS = {AUGMENT.name: AUGMENT}
