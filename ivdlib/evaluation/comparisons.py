"""Comparisons over patients, from the rows of `metrics.csv`: what claims are judged by."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from ivdlib.data.contrasts import CONTRASTS, FUSED
from ivdlib.evaluation import statistics
from ivdlib.evaluation.scores import SEEN, disc_rows, has_fusion
from ivdlib.evaluation.statistics import Comparison
from ivdlib.profiles import ARMS

WITH, WITHOUT, RANDOM, QUIET = (ARMS[name] for name in ("with", "without", "random", "quiet"))
BUT_FAT = tuple(name for name in CONTRASTS if name != "fat")

Test = Callable[[pd.DataFrame], Comparison | None]
"""From `metrics.csv` to a comparison; None if the data cannot tell."""

FAILED = 0.5
"""A training has failed on an image if its Dice lies below this on a scan that it was trained on.
In records from before such scans were scored (`scores.SEEN`): below this share of the median of the
other folds, on the patients who test; that can only take a verdict away."""

MEDIAN_FROM = 3
"""Seeds from which on a median says something else than the mean."""


@dataclass(frozen=True)
class Side:
    """One side of a comparison.

    Attributes
    ----------
    dice : Series
        By subject, seed and fold.
    failed : set of (seed, fold)
        Trainings that failed on one of the images.
    """

    dice: pd.Series
    failed: frozenset[tuple[int, int]] = frozenset()

    @property
    def patients(self) -> pd.Series:
        """Mean Dice of each patient."""
        return self.dice.groupby(level="subject").mean()


def side(
    metrics: pd.DataFrame,
    network: str,
    arm: str | None = None,
    contrasts: Iterable[str] | None = None,
    scope: str = "volume",
) -> Side | None:
    """Scores of a network, trained in one way, on some images; None if nothing was scored.

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
    rows = rows[rows["contrast"].isin(wanted)]
    mine = metrics[(metrics["network"] == network) & (metrics["trained_on"] == arm)]
    return Side(statistics.by_training(rows), frozenset(failures(mine, wanted).index))


def failures(rows: pd.DataFrame, contrasts: Iterable[str] = ()) -> pd.DataFrame:
    """Trainings of one network and kind that failed on an image, see `FAILED`.

    Returns
    -------
    DataFrame
        By seed and fold: `contrast` and its `dice`.
    """
    wanted = set(contrasts) or set(rows["contrast"])
    seen, tested = (_of_trainings(disc_rows(rows, scope), wanted) for scope in (SEEN, "volume"))
    known = seen.index.droplevel("contrast")
    old = tested[~tested.index.droplevel("contrast").isin(known)]
    others = [_other_folds(tested, *key) for key in old.index]
    found = pd.concat([seen[seen < FAILED], old[old < FAILED * np.array(others, float)]])
    return found.reset_index("contrast")


def _of_trainings(rows: pd.DataFrame, contrasts: set[str]) -> pd.Series:
    """Mean Dice by contrast, seed and fold."""
    rows = rows[rows["contrast"].isin(contrasts)]
    return rows.groupby(["contrast", *statistics.TRAINING])["dice"].mean()


def _other_folds(means: pd.Series, contrast: str, seed: int, fold: int) -> float:
    """Median Dice of the trainings that tested in other folds; NaN without any."""
    same = means.xs(contrast)
    return float(same[same.index.get_level_values("fold") != fold].median())


def patient_dice(
    metrics: pd.DataFrame,
    network: str,
    arm: str | None = None,
    contrasts: Iterable[str] | None = None,
    scope: str = "volume",
) -> pd.Series | None:
    """Mean Dice of each patient; parameters and errors as for `side`."""
    found = side(metrics, network, arm, contrasts, scope)
    return found and found.patients


def difference(first: Side | None, second: Side | None) -> Comparison | None:
    """Compare the patients that both sides have: all of them, once an experiment is finished."""
    if first is None or second is None:
        return None
    found = _compared(first, second, "mean")
    failed = len(first.failed) + len(second.failed)
    seeds = min(int(one.dice.groupby(level="subject").size().min()) for one in (first, second))
    if found is None or seeds < MEDIAN_FROM:
        return found and replace(found, failed=failed)
    return replace(found, median=_compared(first, second, "median"), failed=failed)


def _compared(first: Side, second: Side, over_seeds: str) -> Comparison | None:
    """Compare two sides by the mean or the median over the trainings of each patient."""
    patients = [one.dice.groupby(level="subject").agg(over_seeds) for one in (first, second)]
    both = patients[0].index.intersection(patients[1].index)
    if not len(both):
        return None
    paired = (first.dice - second.dice).dropna()  # the same patient, seed and fold
    if paired.empty or over_seeds == "median":  # a failed training shall not widen its interval
        return statistics.compare(patients[0][both], patients[1][both])
    trainings = paired.groupby(level=list(statistics.TRAINING)).mean()
    return statistics.compare(patients[0][both], patients[1][both], trainings)


def _pair(first: dict[str, Any], second: dict[str, Any], **both: Any) -> Test:
    """Compare what differs in some arguments of `side` and has the others in common."""
    return lambda m: difference(side(m, **first, **both), side(m, **second, **both))


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


def of_contrasts(first: Iterable[str], second: Iterable[str], measured: bool = False) -> Test:
    """Contrasts against others, both by FDS-CNN; of those that were measured, not derived."""
    test = _pair({"contrasts": first}, {"contrasts": second}, network="fds_cnn")
    if not measured:
        return test

    def without_derived(metrics: pd.DataFrame) -> Comparison | None:
        made = metrics["derived"].astype(str) == "True" if "derived" in metrics else False
        derived = set(metrics.loc[made, "contrast"]) if "derived" in metrics else set()
        kept = [[name for name in names if name not in derived] for names in (first, second)]
        found = of_contrasts(*kept)(metrics)
        sides = (" and ".join(names) for names in kept)
        return found and replace(found, label=" − ".join(sides) if derived else "")

    return without_derived


def _each(
    metrics: pd.DataFrame, names: Iterable[str], arm: str | None = None
) -> dict[str, Side] | None:
    """Scores on each of these contrasts; None unless all were scored."""
    found = {name: side(metrics, "fds_cnn", arm, [name]) for name in names}
    return None if any(one is None for one in found.values()) else found


def _named(found: dict[str, Side], first: str, second: str) -> Comparison | None:
    """Compare two contrasts and keep their names, which the data decided on."""
    compared = difference(found[first], found[second])
    return compared and replace(compared, label=f"{first} − {second}")


def best_fused(metrics: pd.DataFrame) -> Comparison | None:
    """Best fused against best single contrast: both best by the mean over the same patients."""
    found = _each(metrics, (*FUSED, *CONTRASTS))
    if found is None:
        return None
    best = (
        max(names, key=lambda name: found[name].patients.mean()) for names in (FUSED, CONTRASTS)
    )
    return _named(found, *best)


def fat_is_hardest(metrics: pd.DataFrame) -> Comparison | None:
    """Compare fat with the hardest of the others, by the mean over the same patients."""
    found = _each(metrics, CONTRASTS)
    if found is None:
        return None
    return _named(found, min(BUT_FAT, key=lambda name: found[name].patients.mean()), "fat")


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
    if any(one is None for one in both):
        return None
    gains = {name: difference(*(found[name] for found in both)) for name in CONTRASTS}
    named = [replace(gain, label=name) for name, gain in gains.items() if gain]
    return min(named, key=lambda gain: gain.low, default=None)


def noise(scope: str) -> Test:
    """Trained with random pixels against trained without, tested on images of one kind."""
    return _pair({}, {"arm": QUIET}, network="fds_cnn", scope=scope)
