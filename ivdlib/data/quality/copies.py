"""One image that stands there twice: saved again, axes turned, on another scale or number type.

Of each image a signature of some hundred numbers is kept, in which axes and scale play no part:
images of one signature are one.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import permutations

import numpy as np

from ivdlib.data.people import key, merged
from ivdlib.data.remarks import Remark, listed

_POINTS = 8
"""Places along half an axis."""

SAME = 0.012
"""Root mean square difference of signatures, in standard deviations, below which images are one.
Rounding to 256 grey values moves those of the scans at hand by up to 0.009. Those of two scans are
0.22 apart and more (38 thousand pairs of real scans and of phantoms, stages of one person among
them), and those of one made-up body under two draws of faint noise 0.017."""

_ROWS = 512

Signature = tuple[tuple[int, ...], np.ndarray]
"""Lengths of the axes, in ascending order, and the numbers (float32)."""


@dataclass(frozen=True)
class Twins:
    """One image, or several, that several scans hold.

    Attributes
    ----------
    words : dict of str to tuple of str
        Scan → its contrasts that are also in the other scans.
    people : tuple of str
        Whose scans they are said to be.
    """

    words: dict[str, tuple[str, ...]]
    people: tuple[str, ...]

    @property
    def remark(self) -> Remark:
        """What is so, and what to do about it."""
        scans, kinds = listed([*self.words]), {*self.words.values()}
        what = (
            ", ".join(next(iter(kinds)))
            if len(kinds) == 1
            else ", ".join(f"{' and '.join(words)} of {scan}" for scan, words in self.words.items())
        )
        said = f"{scans} hold the same image ({what}), at most on other axes or another scale"
        if len(self.people) > 1:
            whose = f"scans of several people ({listed([*self.people])})"
            return Remark(
                f"{said}, and are taken as {whose}, so that one could train a network and the "
                "other test it",
                "keep the image where it belongs, and remove it elsewhere or put the true one in "
                "its place",
            )
        return Remark(f"{said}, so it counts more than once", "keep one of them")


def signature(image: np.ndarray) -> Signature | None:
    """What stays as it is if axes are exchanged or turned round, and values are rescaled.

    Parameters
    ----------
    image : ndarray, three axes

    Returns
    -------
    Signature or None
        Means over mirrored places of the image (and, between axes of one length, exchanged ones),
        of mean 0 and standard deviation 1. None if all are alike.
    """
    image = np.transpose(image, np.argsort(image.shape, kind="stable"))
    halves = [
        np.unique(np.linspace(0, (n - 1) // 2, _POINTS).round().astype(int)) for n in image.shape
    ]
    both = [np.append(half, n - 1 - half) for half, n in zip(halves, image.shape, strict=True)]
    drawn = image[np.ix_(*both)].astype(np.float64)
    drawn = drawn.reshape([n for half in halves for n in (2, len(half))]).mean((0, 2, 4))
    alike = [p for p in permutations(range(3)) if tuple(image.shape[i] for i in p) == image.shape]
    drawn = np.mean([drawn.transpose(p) for p in alike], axis=0)
    spread = drawn.std()
    if not np.isfinite(spread) or spread <= 1e-6 * np.abs(drawn).max():
        return None
    return image.shape, ((drawn - drawn.mean()) / spread).ravel().astype(np.float32)


def find_twins(
    signed: Mapping[str, Mapping[str, Signature | None]], people: Mapping[str, str]
) -> list[Twins]:
    """Find images that several scans hold.

    Parameters
    ----------
    signed : mapping
        `signed[scan][contrast]`, of measured contrasts.
    people : mapping of str to str
        Whose each scan is.

    Returns
    -------
    list of Twins
        Copies within one scan are not among them, see `dixon.find_copies`.
    """
    by_shape: dict[tuple, list[tuple[str, str, np.ndarray]]] = defaultdict(list)
    for scan, contrasts in signed.items():
        for word, one in contrasts.items():
            if one is not None:
                by_shape[one[0]].append((scan, word, one[1]))
    pairs = (
        (some[i][:2], some[j][:2])
        for some in by_shape.values()
        for i, j in _pairs(np.stack([numbers for *_, numbers in some]))
    )
    shared: dict[tuple[str, ...], dict[str, tuple[str, ...]]] = {}
    for images in merged(pairs):
        scans = tuple(dict.fromkeys(scan for scan, _ in images))
        if len(scans) > 1:
            words = shared.setdefault(scans, dict.fromkeys(scans, ()))
            for scan, word in images:
                words[scan] += (word,)
    return [
        Twins(words, tuple({key(people[scan]): people[scan] for scan in scans}.values()))
        for scans, words in shared.items()
    ]


def _pairs(numbers: np.ndarray) -> Iterator[tuple[int, int]]:
    """Rows that differ by less than `SAME`; a block at a time, for there may be thousands."""
    squares = np.square(numbers).sum(axis=1)
    for begin in range(0, len(numbers), _ROWS):
        block = numbers[begin : begin + _ROWS]
        apart = squares[begin : begin + _ROWS, None] + squares - 2 * block @ numbers.T
        # float32 leaves some doubt about small differences of large numbers
        for i, j in np.argwhere(apart < (2 * SAME) ** 2 * numbers.shape[1]):
            if begin + i < j and np.square(block[i] - numbers[j]).mean() < SAME**2:
                yield int(begin + i), int(j)
