"""What the four Dixon contrasts owe to each other: derive one, find copies, measure consistency.

With water `W` and fat `F` as magnitudes, the in-phase image is `W + F` and the opposed-phase image
is `|W - F|` (two-point Dixon). The opposed-phase image has lost the sign of `W - F`: it can be made
from `W` and `F`, but nothing can be derived from it without a guess, and that is refused.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from itertools import combinations, permutations

import numpy as np

from ivdlib.data.contrasts import CONTRASTS, contrast_order
from ivdlib.errors import DataError

FORMULAS = {
    "wat": "max(inn - fat, 0)",
    "fat": "max(inn - wat, 0)",
    "inn": "wat + fat",
    "opp": "|wat - fat|",
}
"""How a contrast is derived; what is not here is not derived."""

_NEEDS = {name: re.findall("|".join(FORMULAS), formula) for name, formula in FORMULAS.items()}
"""The two contrasts of each formula, in its order."""

CLEAR_MARGIN = 1.2
"""The worse of two readings must miss `opp` by this factor more than the better one."""

MOST_MISSED = 0.35
"""An identity is broken from here on. In 49 real crops `opp` is missed by up to 0.23; under wrong
names one of the two is missed by 0.39 and more, in the phantom as in the crops."""

WELL_KEPT = 0.25
"""Names are believed where neither identity is missed by more; an image on a scale of its own can
come near `MOST_MISSED` under wrong names."""


def derive(name: str, contrasts: Mapping[str, np.ndarray]) -> np.ndarray:
    """Derive one contrast from two others by the Dixon identities.

    Parameters
    ----------
    name : {"wat", "fat", "inn", "opp"}
        The contrast to make: ``wat = max(inn - fat, 0)``, ``fat = max(inn - wat, 0)``,
        ``inn = wat + fat``, ``opp = |wat - fat|``.
    contrasts : mapping of str to ndarray
        The images that are there, all of one shape.

    Returns
    -------
    ndarray, float32, the shape of the inputs

    Raises
    ------
    DataError
        If the two contrasts that the formula needs are not both there; `opp` never helps (its
        sign is lost).

    Examples
    --------
    >>> derive("opp", {"wat": np.array([3, 1]), "fat": np.array([1, 2])})
    array([2., 1.], dtype=float32)
    """
    if name not in _NEEDS:
        raise DataError(
            f"contrast {name!r} cannot be derived from the others; provide its image "
            f"(only {', '.join(FORMULAS)} can be derived)."
        )
    lacking = [need for need in _NEEDS[name] if need not in contrasts]
    if lacking:
        raise DataError(
            f"contrast {name!r} = {FORMULAS[name]} cannot be derived without "
            f"{' and '.join(lacking)} (the opposed-phase image leaves the sign open); "
            f"provide {' and '.join(lacking)} or {name} itself (ivdlib predict takes a scan as it "
            "is)."
        )
    first, second = (np.asarray(contrasts[need], dtype=np.float32) for need in _NEEDS[name])
    if name == "inn":
        return first + second
    return np.abs(first - second) if name == "opp" else np.maximum(first - second, np.float32(0))


def derivable(there: Iterable[str], missing: Iterable[str]) -> list[str]:
    """Which of the missing contrasts can be derived, in an order in which each step is possible.

    Parameters
    ----------
    there, missing : iterable of str
        Names of contrasts.

    Returns
    -------
    list of str
        E.g. ``["fat", "opp"]`` where `wat` and `inn` are there.
    """
    have, wanted, order = set(there), list(missing), []
    while ready := [n for n in wanted if n in _NEEDS and have.issuperset(_NEEDS[n])]:
        order.append(ready[0])
        have.add(ready[0])
        wanted.remove(ready[0])
    return order


def find_copies(contrasts: Mapping[str, np.ndarray]) -> list[tuple[str, str]]:
    """Pairs of contrasts that are the same voxel for voxel.

    Parameters
    ----------
    contrasts : mapping of str to ndarray
        Images of one case.

    Returns
    -------
    list of (str, str)
        In the order of `CONTRASTS`, other names after them by the alphabet.
    """
    names = sorted(contrasts, key=contrast_order)
    return [(a, b) for a, b in combinations(names, 2) if np.array_equal(contrasts[a], contrasts[b])]


def which_is_the_copy(a: str, b: str, contrasts: Mapping[str, np.ndarray]) -> str:
    """Decide by the physics which of two identical contrasts stands under a wrong name.

    Each of the two is set aside in turn and derived anew; the reading that the identity left over
    (`opp = |wat - fat|`, or `inn = wat + fat` where `opp` is set aside) misses clearly less (by
    `CLEAR_MARGIN`) is kept.

    Parameters
    ----------
    a, b : str
        Names of the identical pair, see `find_copies`.
    contrasts : mapping of str to ndarray
        All images of the case.

    Returns
    -------
    str
        The name to set aside.

    Raises
    ------
    DataError
        If the pair holds a contrast that is not Dixon, where one of the four images is missing,
        or where both readings fit about equally well (always so for `wat` and `fat`).
    """
    problem = f"contrasts {a!r} and {b!r} are the same voxel for voxel"
    remedy = f"provide the true image of {a} or {b}, or remove the wrong file"
    if a not in _NEEDS or b not in _NEEDS:
        raise DataError(f"{problem}, and nothing here can tell which one is wrong; {remedy}.")
    if not contrasts.keys() >= set(CONTRASTS):
        raise DataError(
            f"{problem}, and too few other images are there to tell which is wrong; {remedy}."
        )
    misses = {}
    for aside in (a, b):
        rest = {name: image for name, image in contrasts.items() if name != aside}
        rest[aside] = derive(aside, rest)
        left_over = "inn" if aside == "opp" else "opp"
        misses[aside] = _error(rest[left_over], derive(left_over, rest))
    better, worse = sorted((a, b), key=misses.__getitem__)
    if misses[worse] < CLEAR_MARGIN * misses[better] or misses[worse] == 0:
        raise DataError(f"{problem}, and either could be the wrong one; {remedy}.")
    return better


def consistency(contrasts: Mapping[str, np.ndarray]) -> dict[str, float]:
    """Measure how well ``inn = wat + fat`` and ``opp = |wat - fat|`` hold.

    Parameters
    ----------
    contrasts : mapping of str to ndarray
        Images of one case; an identity is left out where one of its three images is missing.

    Returns
    -------
    dict of str to float
        `inn_error`, `opp_error`: mean absolute deviation divided by the mean of the image (0 is
        perfect); `inn_correlation`, `opp_correlation`: Pearson's r over all voxels (NaN where an
        image is constant).

    Notes
    -----
    A derived contrast fulfils its own identity by construction, and an exchange of `wat` and `fat`
    fulfils both: the identities are symmetric.
    """
    numbers: dict[str, float] = {}
    if "wat" not in contrasts or "fat" not in contrasts:
        return numbers
    for name, image, made in _identities(contrasts):
        numbers[f"{name}_error"] = _error(image, made)
        numbers[f"{name}_correlation"] = correlation(image, made)
    return numbers


def _identities(
    contrasts: Mapping[str, np.ndarray],
) -> Iterator[tuple[str, np.ndarray, np.ndarray]]:
    """`inn` and `opp` as they are there, each beside what `wat` and `fat` make of it."""
    for name in ("inn", "opp"):
        if name in contrasts:
            yield name, np.asarray(contrasts[name], dtype=np.float32), derive(name, contrasts)


def broken(numbers: Mapping[str, float]) -> list[str]:
    """Contrasts, of `inn` and `opp`, whose identity does not hold, from `consistency`."""
    return [name for name in ("inn", "opp") if numbers.get(f"{name}_error", 0) > MOST_MISSED]


def find_names(contrasts: Mapping[str, np.ndarray]) -> dict[str, str] | None:
    """Find the names under which images keep the identities.

    Parameters
    ----------
    contrasts : mapping of str to ndarray
        Images of one case, none of them derived.

    Returns
    -------
    dict of str to str
        Given name → the contrast that the image shows. `wat` and `fat` may be each other's: the
        identities are symmetric. None if no naming keeps both, or `wat`, `fat` or `inn` is
        missing (`opp` may be: of the three others only one is the sum of two).
    """
    names = [name for name in CONTRASTS if name in contrasts]
    if not {"wat", "fat", "inn"} <= set(names):
        return None
    worst = {}
    for given in permutations(names):
        if CONTRASTS.index(given[0]) < CONTRASTS.index(given[1]):  # else the same with both swapped
            read = {name: contrasts[word] for name, word in zip(names, given, strict=True)}
            worst[given] = max(_error(image, made) for _, image, made in _identities(read))
    best = min(worst, key=worst.__getitem__)
    return dict(zip(best, names, strict=True)) if worst[best] <= WELL_KEPT else None


def _error(image: np.ndarray, made: np.ndarray) -> float:
    size = float(np.abs(image).mean(dtype=np.float64))
    miss = float(np.abs(image - made).mean(dtype=np.float64))
    return miss / size if size else float("inf")


def correlation(a: np.ndarray, b: np.ndarray) -> float:
    """Pearson's r of two images; NaN where one of them is constant."""
    # sums, not dot products: BLAS starts threads that cost more than these few voxels
    a, b = (x - x.mean(dtype=np.float64) for x in (a, b))
    norm = float(np.sqrt((a * a).sum() * (b * b).sum()))
    return float((a * b).sum()) / norm if norm else float("nan")
