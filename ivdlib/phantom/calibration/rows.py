"""Rows of the table of targets, made from values and limits."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

COLUMNS = ("group", "target", "source", "wanted", "low", "high", "measured", "n", "met")
ACCEPTANCE, COMPARISON = "acceptance", "comparison"
NOT_THERE = "not in these files"
NONE = (np.nan, np.nan)


def target_row(
    target: str,
    source: str,
    wanted: str,
    measured: str,
    n: int,
    met: bool | None,
    limits: tuple[float, float] = NONE,
    group: str = COMPARISON,
) -> tuple:
    """A row in the order of `COLUMNS`."""
    return (group, target, source, wanted, *limits, measured, n, met)


def each(
    target: str,
    source: str,
    values: Iterable[float],
    limits: tuple[float, float],
    unit: str = "",
    digits: int = 1,
    group: str = COMPARISON,
    lacking: str = NOT_THERE,
) -> tuple:
    """A row that is met where every value lies within the limits.

    Parameters
    ----------
    target, source : str
    values : iterable of float
        NaN is left out.
    limits : tuple of float
    unit : str
        Written behind the limits, with its space.
    digits : int
        Decimals.
    group : str
    lacking : str
        What to say where there is no value.
    """
    values = _finite(values)
    wanted = f"each {_range(limits, digits)}{unit}"
    if not len(values):
        return target_row(target, source, wanted, lacking, 0, None, limits, group)
    inside = int(np.count_nonzero((values >= limits[0]) & (values <= limits[1])))
    words = f"{inside} of {len(values)} ({_range((values.min(), values.max()), digits)})"
    return target_row(
        target, source, wanted, words, len(values), inside == len(values), limits, group
    )


def average(
    target: str,
    source: str,
    values: Iterable[float],
    limits: tuple[float, float],
    unit: str = "",
    digits: int = 2,
    group: str = COMPARISON,
    lacking: str = NOT_THERE,
) -> tuple:
    """A row that is met where the mean of the values lies within the limits; see `each`."""
    values = _finite(values)
    wanted = f"mean {_range(limits, digits)}{unit}"
    if not len(values):
        return target_row(target, source, wanted, lacking, 0, None, limits, group)
    mean = float(values.mean())
    words = f"{_number(mean, digits)} ({_range((values.min(), values.max()), digits)})"
    met = limits[0] <= mean <= limits[1]
    return target_row(target, source, wanted, words, len(values), met, limits, group)


def _finite(values: Iterable[float]) -> np.ndarray:
    return np.array([value for value in values if np.isfinite(value)])


def _range(limits: tuple[float, float], digits: int) -> str:
    low, high = limits
    if high == np.inf:
        return f"{_number(low, digits)} or more"
    return f"{_number(low, digits)} to {_number(high, digits)}"


def _number(value: float, digits: int) -> str:
    return f"{value:.{digits}f}".replace("-", "−")
