"""What a difference between networks is worth, over patients.

The patient is the unit: discs, slices, contrasts, stages and seeds of one patient are averaged
before anything is compared, because they are not independent. Two networks are compared pairwise
on the same patients. Folds share training patients, so the values of two patients are not quite
independent either; no test of a cross-validation is free of that (Bengio & Grandvalet 2004, JMLR
5:1089). With n patients the exact sign-flip test cannot give a p below 2 / 2 ** n: 0.031 for six.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import stats

from ivdlib.errors import DataError

LEVEL = 0.95
"""Of the intervals."""

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
    low, high : float
        Interval of Student's t for the mean at `LEVEL`; NaN for one patient.
    p : float
        Two-sided p of the sign-flip test; NaN for one patient.
    label : str
        What was compared, where the data decided on that.
    """

    differences: pd.Series
    mean: float
    low: float
    high: float
    p: float
    label: str = ""


def by_patient(rows: pd.DataFrame) -> pd.Series:
    """Mean Dice of each patient.

    Parameters
    ----------
    rows : DataFrame
        Rows of `metrics.csv` that belong to one network and arm; one scope.

    Returns
    -------
    Series
        By `subject`, sorted. Seeds are averaged within an image, images within a scan, scans
        within a patient, so a patient with more scans or seeds weighs no more.

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
    steps = (["subject", "case", "contrast"], ["subject", "case"], ["subject"])
    found = rows
    for keys in steps:
        found = found.groupby(keys, as_index=False)["dice"].mean()
    return found.set_index("subject")["dice"].sort_index()


def interval(values: pd.Series | np.ndarray) -> tuple[float, float]:
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
    low, high = stats.ttest_1samp(values, 0.0).confidence_interval(LEVEL)
    return float(low), float(high)


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


def compare(first: pd.Series, second: pd.Series) -> Comparison:
    """Compare two networks on the same patients.

    Parameters
    ----------
    first, second : Series
        From `by_patient`.

    Raises
    ------
    DataError
        If the patients differ.
    """
    if set(first.index) != set(second.index):
        odd = ", ".join(sorted(map(str, set(first.index) ^ set(second.index))))
        raise DataError(f"patients {odd} stand on one side of the comparison only.")
    differences = first - second
    low, high = interval(differences)
    return Comparison(differences, float(differences.mean()), low, high, sign_flip(differences))
