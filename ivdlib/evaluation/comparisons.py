"""Comparisons over patients, from the rows of `metrics.csv`: what claims are judged by."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

import pandas as pd

from ivdlib.data.contrasts import CONTRASTS, FUSED
from ivdlib.evaluation import statistics
from ivdlib.evaluation.scores import disc_rows, has_fusion
from ivdlib.evaluation.statistics import Comparison
from ivdlib.profiles import ARMS

WITH, WITHOUT, RANDOM, QUIET = (ARMS[name] for name in ("with", "without", "random", "quiet"))
BUT_FAT = tuple(name for name in CONTRASTS if name != "fat")

Test = Callable[[pd.DataFrame], Comparison | None]
"""From `metrics.csv` to a comparison; None if the data cannot tell."""


def patient_dice(
    metrics: pd.DataFrame,
    network: str,
    arm: str | None = None,
    contrasts: Iterable[str] | None = None,
    scope: str = "volume",
) -> pd.Series | None:
    """Mean Dice of each patient; None if nothing was scored.

    Parameters
    ----------
    metrics : DataFrame
        Rows of `metrics.csv`.
    network : str
        As in the rows, variants too.
    arm : str, optional
        A value of `trained_on`. Default: with fused contrasts where any network was trained so,
        that two networks are compared on like terms.
    contrasts : iterable of str, optional
        Default: all single ones.
    scope : str, default "volume"
        Or a kind of worse image, see `ivdlib.evaluation.stress`.

    Raises
    ------
    DataError
        If an image has no score.
    """
    rows = disc_rows(metrics, scope)
    arm = arm or (WITH if has_fusion(rows) else WITHOUT)
    rows = rows[(rows["network"] == network) & (rows["trained_on"] == arm)]
    names = set(rows["contrast"])
    wanted = [n for n in names if "+" not in n] if contrasts is None else list(contrasts)
    if not wanted or not names.issuperset(wanted):
        return None
    return statistics.by_patient(rows[rows["contrast"].isin(wanted)])


def difference(first: pd.Series | None, second: pd.Series | None) -> Comparison | None:
    """Compare the patients that both sides have: all of them, once an experiment is finished."""
    if first is None or second is None:
        return None
    both = first.index.intersection(second.index)
    return statistics.compare(first[both], second[both]) if len(both) else None


def _pair(first: dict[str, Any], second: dict[str, Any], **both: Any) -> Test:
    """Compare what differs in some arguments of `patient_dice` and has the others in common."""
    return lambda m: difference(patient_dice(m, **first, **both), patient_dice(m, **second, **both))


def networks(
    first: str, second: str, contrasts: Iterable[str] | None = None, scope: str = "volume"
) -> Test:
    """One network against another."""
    return _pair({"network": first}, {"network": second}, contrasts=contrasts, scope=scope)


def networks_without(first: str, second: str) -> Test:
    """Two networks, both trained without fusion where there is training with it."""
    test = _pair({"network": first}, {"network": second}, arm=WITHOUT)
    return lambda m: test(m) if has_fusion(disc_rows(m)) else None


def arms(first: str, second: str, network: str = "fds_cnn", scope: str = "volume") -> Test:
    """One way of training a network against another."""
    return _pair({"arm": first}, {"arm": second}, network=network, scope=scope)


def of_contrasts(first: Iterable[str], second: Iterable[str]) -> Test:
    """Contrasts against others, both by FDS-CNN."""
    return _pair({"contrasts": first}, {"contrasts": second}, network="fds_cnn")


def _each(
    metrics: pd.DataFrame, names: Iterable[str], arm: str | None = None
) -> dict[str, pd.Series] | None:
    """Dice of the patients on each of these contrasts; None unless all were scored."""
    found = {name: patient_dice(metrics, "fds_cnn", arm, [name]) for name in names}
    return None if any(one is None for one in found.values()) else found


def _named(found: dict[str, pd.Series], first: str, second: str) -> Comparison | None:
    """Compare two contrasts and keep their names, which the data decided on."""
    compared = difference(found[first], found[second])
    return compared and replace(compared, label=f"{first} − {second}")


def best_fused(metrics: pd.DataFrame) -> Comparison | None:
    """Best fused against best single contrast: both best by the mean over the same patients."""
    found = _each(metrics, (*FUSED, *CONTRASTS))
    if found is None:
        return None
    best = (max(names, key=lambda name: found[name].mean()) for names in (FUSED, CONTRASTS))
    return _named(found, *best)


def fat_is_hardest(metrics: pd.DataFrame) -> Comparison | None:
    """Compare fat with the hardest of the others, by the mean over the same patients."""
    found = _each(metrics, CONTRASTS)
    if found is None:
        return None
    return _named(found, min(BUT_FAT, key=lambda name: found[name].mean()), "fat")


def each_fused(metrics: pd.DataFrame) -> Comparison | None:
    """Find where a fused contrast gains least over one of its two; if all gain, this one does."""
    found = _each(metrics, (*FUSED, *CONTRASTS))
    if found is None:
        return None
    gains = [_named(found, pair, one) for pair in FUSED for one in pair.split("+")]
    return min(gains, key=lambda gain: gain.low)


def fusion_each(metrics: pd.DataFrame) -> Comparison | None:
    """Find the contrast on which training with fusion gains least."""
    both = [_each(metrics, CONTRASTS, arm) for arm in (WITH, WITHOUT)]
    if None in both:
        return None
    gains = {name: difference(*(found[name] for found in both)) for name in CONTRASTS}
    named = [replace(gain, label=name) for name, gain in gains.items() if gain]
    return min(named, key=lambda gain: gain.low, default=None)


def noise(scope: str) -> Test:
    """Trained with random pixels against trained without, tested on images of one kind."""
    return _pair({}, {"arm": QUIET}, network="fds_cnn", scope=scope)
