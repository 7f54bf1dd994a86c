"""`metrics.csv`: reading the scores of trainings and experiments, and picking rows of them."""

from __future__ import annotations

import io
import os
import zlib
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from ivdlib.data.contrasts import contrast_order
from ivdlib.errors import DataError
from ivdlib.evaluation.metrics import MEASURES
from ivdlib.files import cannot
from ivdlib.links import need_content
from ivdlib.profiles import ARMS, TITLES, leaves_out

REPAIR = "delete that file and call ivdlib grid again: it does only what is missing"

METRICS = "metrics.csv.gz"
"""Rows of one training; those of all, which people open, are beside the folder `trainings`."""

TOGETHER = "together"
"""Scope and contrast of rows that score one mask a scan, from the mean probability over the images
that the network was trained on: what `ivdlib predict` gives."""

TEXT = dict.fromkeys(("case", "subject", "stage", "level", "network", "size", "trained_on"), str)
TEXT |= dict.fromkeys(("contrast", "target", "scope"), str)
"""Columns of `metrics.csv` that may look like numbers and are names: case 01 is not case 1."""

NEEDED = ("target", "scope", "network", "trained_on", "contrast", "seed", "fold", "dice", "case",
          "subject")  # fmt: skip
"""Columns that every `metrics.csv` has."""

_NUMBERS = (*MEASURES, "dice_exact", "dice_slices", "pred_ml", "truth_ml", "overlap_ml")
_NUMBERS += ("volume_difference_ml", "disc", "discs_inside", "region_share", "step")
_NUMBERS += ("seed", "fold")
"""Columns of numbers, empty in rows of the other scope; older results lack some."""


def read_scores(path: str | os.PathLike | io.StringIO, called: object = "") -> pd.DataFrame:
    """Read a `metrics.csv`; an empty cell is "" among words and NaN among numbers.

    `called` is what errors name in place of `path`.

    Raises
    ------
    DataError
        If the file cannot be read, lacks a column, or a number is none.
    """
    found, called = _rows(path, called or path, TEXT), called or path
    if lacking := sorted(set(NEEDED) - set(found)):
        raise DataError(f"the scores in {called} lack {', '.join(lacking)}; {REPAIR}.")
    return _numbers(found, [name for name in _NUMBERS if name in found], called)


def numbers(path: Path, columns: Sequence[str]) -> pd.DataFrame:
    """Read a table of which these columns are numbers; what is raised is as for `read_scores`."""
    found = _rows(path, path)
    if lacking := sorted(set(columns) - set(found)):
        raise DataError(f"{path} lacks {', '.join(lacking)}; {REPAIR}.")
    return _numbers(found, columns, path)


def _rows(path: Path | io.StringIO, called: object, kinds: Any = None) -> pd.DataFrame:
    try:
        return pd.read_csv(path, dtype=kinds, keep_default_na=False)
    except (OSError, EOFError, ValueError, zlib.error) as error:
        if isinstance(error, OSError) and error.errno:  # else gzip means the content
            raise DataError(cannot("read", str(called), error)) from error
        raise DataError(f"the scores in {called} cannot be read ({error}); {REPAIR}.") from error


def _numbers(found: pd.DataFrame, columns: Iterable[str], called: object) -> pd.DataFrame:
    for column in columns:
        words = found[column]
        found[column] = pd.to_numeric(words, errors="coerce")
        odd = ~np.isfinite(found[column]) & ~words.isin(["", "nan"]) & words.notna()
        if odd.any():
            raise DataError(f"{called}: {column} is {words[odd].iloc[0]}, no number; {REPAIR}.")
    return found


def join_scores(paths: Iterable[Path]) -> pd.DataFrame | None:
    """Read the scores of several trainings as one table; None without any."""
    paths = list(paths)
    found = [_rows(path, path, str) for path in paths]
    # Read again as one, for a column that is empty in one training has no type there.
    text = io.StringIO(pd.concat(found).to_csv(index=False)) if found else None
    return read_scores(text, paths[0].parent.parent) if text else None


def of(folder: str | os.PathLike) -> pd.DataFrame | None:
    """Scores of an experiment's folder: its `metrics.csv`, else those of its finished trainings.

    Returns
    -------
    DataFrame or None
        None if nothing was scored.

    Raises
    ------
    DataError
        As for `read_scores`.
    """
    folder = Path(folder)
    whole = folder / "metrics.csv"
    need_content(whole)
    if whole.is_file():
        return read_scores(whole)
    return join_scores(sorted(folder.glob(f"trainings/*/{METRICS}")))


def disc_rows(metrics: pd.DataFrame, scope: str = "volume") -> pd.DataFrame:
    """Rows of the disc networks with one scope: whole scans, unless another is named."""
    return metrics[(metrics["target"] == "disc") & (metrics["scope"] == scope)]


def trained(rows: pd.DataFrame) -> pd.DataFrame:
    """Rows of the three networks and their variants: none of references or other programs."""
    return rows.loc[[name.partition(":")[0] in TITLES for name in rows["network"]]]


def of_single_contrasts(rows: pd.DataFrame) -> pd.DataFrame:
    """Rows of single contrasts, no fused ones."""
    return rows[~rows["contrast"].str.contains("+", regex=False)]


WORST = 3
"""Scans that `worst` gives."""


def worst(metrics: pd.DataFrame) -> pd.DataFrame:
    """Find the scans and contrasts that FDS-CNN segments worst.

    Parameters
    ----------
    metrics : DataFrame
        Rows of `metrics.csv`.

    Returns
    -------
    DataFrame
        `trained_on`, `case`, `contrast`, `dice` (mean over seeds) of the `WORST`, worst first.
    """
    rows = of_single_contrasts(disc_rows(metrics))
    rows = rows[rows["network"] == "fds_cnn"]
    means = rows.groupby(["trained_on", "case", "contrast"], as_index=False)["dice"].mean()
    return means.sort_values("dice").head(WORST)


def has_fusion(metrics: pd.DataFrame) -> bool:
    """Whether any network was trained with fused contrasts; data of one contrast allow none."""
    return bool((metrics["trained_on"] == ARMS["with"]).any())


def has_variants(metrics: pd.DataFrame) -> bool:
    """Whether a network was trained without one of its ideas, to see what that one is worth."""
    return any(leaves_out(name) for name in metrics["network"].unique())


def singles(metrics: pd.DataFrame) -> tuple[str, ...]:
    """Names of the single contrasts that were scored, in the paper's order."""
    found = of_single_contrasts(disc_rows(metrics))["contrast"].unique()
    return tuple(sorted(found, key=contrast_order))


BEST = "best_step"
"""Scope of the rows of a leak, see `ivdlib.training.leaks`."""

SEEN = "seen"
"""Scope of rows that score one scan that the network was trained on: whether its training failed is
read from them, and never from a patient who tests."""
