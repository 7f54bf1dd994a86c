"""Rows of the table of targets, made from values and limits."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial

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
    lacking: str = NOT_THERE,
) -> tuple:
    """A row in the order of `COLUMNS`; where `n` is 0, `lacking` says why."""
    found = (measured, n, met) if n else (lacking, 0, None)
    return (group, target, source, wanted, *limits, *found)


def _within(
    how: str,
    target: str,
    source: str,
    values: Iterable[float],
    limits: tuple[float, float],
    unit: str = "",
    *,
    digits: int,
    **rest: str,
) -> tuple:
    """A row that is met where each value, or their mean, lies within the limits; NaN is left out.

    `unit` is written behind the limits, with its space; `rest` is `group` and `lacking`.
    """
    values = np.array([value for value in values if np.isfinite(value)])
    words, met = "", None
    if len(values):
        held = values if how == "each" else values.mean(keepdims=True)
        inside = int(np.count_nonzero((held >= limits[0]) & (held <= limits[1])))
        met = inside == len(held)
        words = f"{inside} of {len(held)}" if how == "each" else _number(held[0], digits)
        words += f" ({_range((values.min(), values.max()), digits)})"
    wanted = f"{how} {_range(limits, digits)}{unit}"
    return target_row(target, source, wanted, words, len(values), met, limits, **rest)


each = partial(_within, "each", digits=1)
average = partial(_within, "mean", digits=2)


def _range(limits: tuple[float, float], digits: int) -> str:
    low, high = limits
    if high == np.inf:
        return f"{_number(low, digits)} or more"
    return f"{_number(low, digits)} to {_number(high, digits)}"


def _number(value: float, digits: int) -> str:
    return f"{value:.{digits}f}".replace("-", "−")
