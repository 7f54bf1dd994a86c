"""What a difference between networks is worth, over patients.

The patient is the unit: discs, slices, contrasts, stages and seeds of one patient are averaged
before anything is compared, because they are not independent. Two networks are compared pairwise
on the same patients. Folds share training patients, so the values of two patients are not quite
independent either; no test of a cross-validation is free of that (Bengio & Grandvalet 2004, JMLR
5:1089). The patients of a fold share a trained network, too: a training that went well or badly
moves them all. So there is a second interval, over trainings, and the wider of the two decides.
With n patients the exact sign-flip test cannot give a p below 2 / 2 ** n: 0.031 for six.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import stats

from ivdlib.errors import DataError

LEVEL = 0.95
"""Of the intervals."""

WITHIN = 0.9
"""Level of the interval that shows that two things do not differ by a margin: two one-sided tests
at 5 % (Schuirmann 1987, J. Pharmacokinet. Biopharm. 15:657)."""

TRAINING = ("seed", "fold")
"""What tells the trainings of one network and kind apart."""

EXACT_UP_TO = 16
"""Patients for which all sign flips are gone through; beyond, 2 ** 16 random ones."""


@dataclass(frozen=True)
class Comparison:
    """A paired comparison over patients.

    Attributes
    ----------
    differences : Series
        One value a patient, first minus second.
    mean : float
        Over patients.
    low, high : float
        Interval for the mean at `LEVEL`, the wider of that over patients and that over trainings;
        NaN for one patient.
    p : float
        Two-sided p of the sign-flip test over patients; NaN for one patient.
    label : str
        What was compared, where the data decided on that.
    trainings : Series or None
        One value a training, the mean over its patients; None where seeds and folds are unknown.
    median : Comparison or None
        The same of the median over seeds, where there are several.
    failed : int
        Trainings of either side that failed.
    """

    differences: pd.Series
    mean: float
    low: float
    high: float
    p: float
    label: str = ""
    trainings: pd.Series | None = None
    median: Comparison | None = None
    failed: int = 0

    def within(self, margin: float) -> bool:
        """Whether the interval at `WITHIN` lies within this much of zero."""
        half = _half(self.differences, self.trainings, WITHIN)
        return bool(abs(self.mean) + half <= margin)


def by_patient(rows: pd.DataFrame) -> pd.Series:
    """Mean Dice of each patient.

    Parameters
    ----------
    rows : DataFrame
        Rows of `metrics.csv` that belong to one network and arm; one scope.

    Returns
    -------
    Series
        By `subject`, sorted. Images are averaged within a scan, scans within a patient, trainings
        last, so a patient with more scans weighs no more.

    Raises
    ------
    DataError
        If there is no row, or an image has no score.
    """
    return by_training(rows).groupby(level="subject").mean()


def by_training(rows: pd.DataFrame) -> pd.Series:
    """Mean Dice of each patient in each training; parameters and errors as for `by_patient`.

    Returns
    -------
    Series
        By `subject` and `TRAINING`, sorted; rows without seed or fold are of one training.
    """
    _need_scores(rows)
    trained = [name for name in TRAINING if name in rows]
    found = rows.assign(**{name: 0 for name in TRAINING if name not in trained})
    keys = ["subject", *TRAINING, "case"]
    found = found.groupby([*keys, "contrast"], as_index=False)["dice"].mean()
    found = found.groupby(keys, as_index=False)["dice"].mean()
    return found.groupby(keys[:-1])["dice"].mean()


def _need_scores(rows: pd.DataFrame) -> None:
    """Refuse rows that leave nothing to average.

    Raises
    ------
    DataError
        If there is no row, or an image has no score.
    """
    if rows.empty:
        raise DataError("no scored row is left for this comparison; check the names.")
    unscored = rows.loc[rows["dice"].isna(), "case"].unique()
    if len(unscored):
        raise DataError(f"the Dice is missing for {', '.join(map(str, unscored))}.")


def interval(values: pd.Series | np.ndarray, level: float = LEVEL) -> tuple[float, float]:
    """Student's t interval for the mean of `values`; NaN, NaN for fewer than two.

    Examples
    --------
    >>> low, high = interval(np.array([0.01, 0.02, 0.03]))
    >>> print(f"{low:.4f} {high:.4f}")
    -0.0048 0.0448
    """
    values = np.asarray(values, float)
    if len(values) < 2:
        return np.nan, np.nan
    if np.ptp(values) < 1e-12:  # scipy divides by the spread
        return float(values[0]), float(values[0])
    low, high = stats.ttest_1samp(values, 0.0).confidence_interval(level)
    return float(low), float(high)


def _half(patients: pd.Series, trainings: pd.Series | None, level: float) -> float:
    """Half the wider interval of the two; NaN for one patient."""
    halves = []
    for values in (patients, trainings):
        low, high = interval(values, level) if values is not None else (np.nan, np.nan)
        halves.append((high - low) / 2)
    return np.nan if np.isnan(halves[0]) else float(np.nanmax(halves))


def shown_interval(low: float, high: float, digits: int = 4, sign: str = "+") -> str:
    """An interval for readers; a dash where one patient gives none.

    Examples
    --------
    >>> shown_interval(-0.0048, 0.0448)
    '[-0.0048, +0.0448]'
    """
    style = f"{sign}.{digits}f"
    return f"[{low:{style}}, {high:{style}}]" if np.isfinite(low) else "–"


def shown_p(p: float) -> str:
    """A p for readers.

    Examples
    --------
    >>> shown_p(0.03125), shown_p(0.00049)
    ('0.031', '<0.001')
    """
    if np.isnan(p):
        return "–"
    return "<0.001" if p < 0.001 else f"{p:.3f}"


def sign_flip(differences: pd.Series | np.ndarray) -> float:
    """Two-sided p that signs as uneven as these come by chance, were both networks alike.

    All 2 ** n choices of signs are gone through (n up to `EXACT_UP_TO`); NaN for fewer than two
    patients.

    Examples
    --------
    Six patients of six are better by the same: 2 of 2 ** 6 choices of signs are as uneven.

    >>> sign_flip(np.full(6, 0.01))
    0.03125
    """
    values = np.asarray(differences, float)
    if len(values) < 2:
        return np.nan
    values = values / max(np.abs(values).max(), np.finfo(float).tiny)
    result = stats.permutation_test(
        (values,),
        # Rounding must not part sums that are equal on paper.
        lambda sample, axis: np.round(sample.sum(axis=axis), 9),
        permutation_type="samples",
        vectorized=True,
        n_resamples=2**EXACT_UP_TO,
        rng=np.random.default_rng(0),
    )
    return float(result.pvalue)


def compare(first: pd.Series, second: pd.Series, trainings: pd.Series | None = None) -> Comparison:
    """Compare two networks on the same patients.

    Parameters
    ----------
    first, second : Series
        From `by_patient`.
    trainings : Series, optional
        The mean difference of each training.

    Raises
    ------
    DataError
        If the patients differ.
    """
    if set(first.index) != set(second.index):
        odd = ", ".join(sorted(map(str, set(first.index) ^ set(second.index))))
        raise DataError(f"patients {odd} stand on one side of the comparison only.")
    differences = first - second
    mean, half = float(differences.mean()), _half(differences, trainings, LEVEL)
    p = sign_flip(differences)
    return Comparison(differences, mean, mean - half, mean + half, p, trainings=trainings)


def quantile(number: int) -> float:
    """Student's t that half an interval of so many values is, in standard errors."""
    return float(stats.t.ppf((1 + LEVEL) / 2, number - 1))
