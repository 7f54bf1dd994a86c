"""Multi-modality fusion (paper, Sect. 2.3, Fig. 3): new contrasts by adding two of the four.

The paper adds "the corresponding pixel values from the original two modality images" and normalises
"each image [...] using min-max". What it leaves open, and what is done here:

* raw values are added, then the sum is brought to [0, 1] (the paper fuses first and normalises
  "each image"); ``normalise_first=True`` brings each of the two to [0, 1] before the sum;
* minimum and maximum are those of the whole 3-D scan, so that the slices of a scan stay comparable.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from ivdlib.data.contrasts import FUSED
from ivdlib.errors import ConfigError, DataError


def min_max(image: np.ndarray) -> np.ndarray:
    """Bring an image linearly to [0, 1] (paper, Sect. 3.1).

    Parameters
    ----------
    image : ndarray of any shape
        Finite values.

    Returns
    -------
    ndarray, float32
        The smallest value becomes 0, the largest 1.

    Raises
    ------
    DataError
        If the image is empty or constant, so that there is nothing to scale, or has NaN or infinite
        values.

    Examples
    --------
    >>> min_max(np.array([2, 4, 6]))
    array([0. , 0.5, 1. ], dtype=float32)
    """
    image = np.asarray(image, dtype=np.float32)
    if not image.size:
        raise DataError(f"an image of shape {image.shape} holds no voxel; mend or leave it out.")
    low, high = float(image.min()), float(image.max())
    if not np.isfinite(low) or not np.isfinite(high):
        raise DataError("an image has NaN or infinite values; mend or leave out that file.")
    if high <= low:
        raise DataError(f"an image is constant ({low:g} everywhere); mend or leave out that file.")
    return (image - low) / (high - low)


def clip(contrasts: Mapping[str, np.ndarray], percentile: float) -> dict[str, np.ndarray]:
    """Cut off both ends of each image before min-max sees them (ours, not the paper's).

    One voxel of three times the maximum leaves a third of [0, 1] to all others. Clipping is no
    default: networks are trained on images of the whole range, as in the paper.

    Parameters
    ----------
    contrasts : mapping of str to ndarray
        Single contrasts, before they are fused.
    percentile : float
        Of the voxels of an image, above 50 and at most 100: 99.9 cuts off the highest 0.1 % and
        the lowest 0.1 %.

    Returns
    -------
    dict of str to ndarray

    Raises
    ------
    ConfigError
        If `percentile` is another number.

    Examples
    --------
    >>> clip({"wat": np.arange(101.0)}, 95)["wat"][[0, 50, 100]]
    array([ 5., 50., 95.])
    """
    if not 50 < percentile <= 100:
        raise ConfigError(
            f"images are clipped at a percentile above 50 and at most 100, not {percentile:g}; "
            "choose such a number, e.g. 99.9."
        )
    ends = 100 - percentile, percentile
    return {name: np.clip(image, *np.percentile(image, ends)) for name, image in contrasts.items()}


def fuse(
    contrasts: Mapping[str, np.ndarray],
    pairs: Iterable[str] = FUSED,
    *,
    normalise_first: bool = False,
) -> dict[str, np.ndarray]:
    """Add contrasts voxel by voxel and normalise each sum (paper, Sect. 2.3).

    Parameters
    ----------
    contrasts : mapping of str to ndarray
        Images of equal shape by name, or a `Case`, whose contrasts are taken.
    pairs : iterable of str, default `FUSED`
        Names such as ``"wat+opp"``; with weights as in ``"0.3*wat+0.7*opp"``.
    normalise_first : bool, default False
        Bring each image to [0, 1] before the sum. Off, because the paper adds "the corresponding
        pixel values from the original two modality images".

    Returns
    -------
    dict of str to ndarray, float32 in [0, 1]
        The fused contrasts by the names asked for.

    Raises
    ------
    DataError
        If a contrast is missing, the shapes differ, or an image is constant or not finite.

    Examples
    --------
    If there is more water than fat, `fat+opp` is the water image again:

    >>> wat, fat = np.array([0, 2, 4]), np.array([0, 1, 1])
    >>> fuse({"fat": fat, "opp": np.abs(wat - fat)}, ["fat+opp"])
    {'fat+opp': array([0. , 0.5, 1. ], dtype=float32)}
    """
    contrasts = getattr(contrasts, "contrasts", contrasts)
    return {pair: _fused(contrasts, pair, normalise_first) for pair in pairs}


def _fused(
    contrasts: Mapping[str, np.ndarray], pair: str, normalise_first: bool = False
) -> np.ndarray:
    """One fused contrast by its name."""
    weighted: list[np.ndarray] = []
    for part in pair.split("+"):
        weight, _, name = part.rpartition("*")
        if name not in contrasts:
            raise DataError(
                f"contrast {name} is missing for the fused contrast {pair}; "
                f"there are {', '.join(contrasts)}."
            )
        image = np.asarray(contrasts[name], dtype=np.float32)
        if weighted and image.shape != weighted[0].shape:
            raise DataError(
                f"contrasts of {pair} differ in shape ({weighted[0].shape} and {image.shape}); "
                "bring them to one grid first."
            )
        image = min_max(image) if normalise_first else image
        weighted.append(np.float32(weight or 1) * image)
    *others, last = weighted
    return _fuse_two(functools.reduce(np.add, others), last) if others else min_max(last)


def _fuse_two(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """The fusion of the paper, of two images of a scan."""
    return min_max(first + second)


def single(contrasts: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Bring each contrast of a scan to [0, 1]; see `min_max`."""
    contrasts = getattr(contrasts, "contrasts", contrasts)
    return {name: min_max(image) for name, image in contrasts.items()}


def fused_names(names: Iterable[str]) -> tuple[str, ...]:
    """Fused contrasts of Table 2 that can be made from the contrasts in `names`.

    Examples
    --------
    >>> fused_names(["wat", "fat", "opp"])
    ('wat+opp', 'fat+opp')
    """
    names = set(names)
    return tuple(pair for pair in FUSED if names.issuperset(pair.split("+")))


def random_pairs(
    names: Iterable[str], seed: int | Sequence[int], count: int = 4
) -> tuple[str, ...]:
    """Draw pairs of contrasts with random weights that add to 1, as `fuse` takes them.

    Ours, not the paper's: whether fusion as training material is more than any mixture.

    Parameters
    ----------
    names : iterable of str
        Single contrasts, two or more.
    seed : int or sequence of int
    count : int, default 4
        As many as there are fused contrasts.
    """
    rng, names = np.random.default_rng(seed), sorted(names)
    found = []
    for weight in rng.uniform(size=count):
        first, second = rng.choice(names, 2, replace=False)
        found.append(f"{weight:.4f}*{first}+{1 - weight:.4f}*{second}")
    return tuple(found)


def images_of(
    contrasts: Mapping[str, np.ndarray], names: tuple[str, ...], neighbours: int = 0
) -> dict[str, np.ndarray]:
    """Images of a scan by name, each in [0, 1]: single, fused, or stacked.

    Parameters
    ----------
    contrasts : mapping of str to ndarray, (slices, AP, SI)
    names : tuple of str
        ``"wat"``, ``"wat+opp"`` (fused), ``"wat&opp"`` (each a channel).
    neighbours : int, default 0
        Slices on each side that come as further channels; the outermost slice is repeated.

    Returns
    -------
    dict of str to ndarray, float32, (slices, AP, SI), or (slices, AP, SI, channels)
        With an axis of channels where there are several.

    Raises
    ------
    DataError
        If a contrast is not there, or constant.
    """
    parts = list(dict.fromkeys(part for name in names for part in name.split("&")))
    lacking = [part for part in parts if "+" not in part and part not in contrasts]
    if lacking:
        raise DataError(f"there is no contrast {lacking[0]}, only {', '.join(contrasts)}.")
    fused = [part for part in parts if "+" in part]
    found = {part: min_max(contrasts[part]) for part in parts if "+" not in part}
    found |= fuse(contrasts, fused)
    return {name: _stacked([found[p] for p in name.split("&")], neighbours) for name in names}


def _stacked(images: list[np.ndarray], neighbours: int) -> np.ndarray:
    """Channels of an image: each of `images`, each shifted by up to `neighbours` slices."""
    if len(images) == 1 and not neighbours:
        return images[0]
    last = len(images[0]) - 1
    beside = range(-neighbours, neighbours + 1)
    slices = [np.clip(np.arange(last + 1) + shift, 0, last) for shift in beside]
    return np.stack([image[which] for image in images for which in slices], axis=-1)
