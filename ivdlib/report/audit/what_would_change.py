"""The third page of AUDIT.md: what is open, and what would settle it."""

from __future__ import annotations

import numpy as np
import pandas as pd

from ivdlib.evaluation import statistics
from ivdlib.evaluation.verdicts import ALIKE, DATA_KINDS, OPPOSITE, SUPPORTED
from ivdlib.report.audit.sections import holds, markdown_table


def change(judged: pd.DataFrame, page: pd.DataFrame) -> str:
    """What would change our mind: what is open, and how many patients would settle it."""
    rows = []
    for row in judged[judged["fixed"] & (judged["patients"] > 1)].itertuples():
        needed = patients_needed(row)
        told = f"{int(needed):,}" if np.isfinite(needed) else "–"
        rows.append((
            f"{row.difference} ({DATA_KINDS.get(row.kind, row.kind)})",
            f"{row.mean:+.4f} {statistics.shown_interval(row.low, row.high)}",
            f"{row.paper:+.4f}", holds(row), str(row.patients), told,
        ))  # fmt: skip
    heads = ("primary comparison", "here", "in the paper", "does our interval hold it?",
             "patients here", "patients that show the paper's difference")  # fmt: skip
    table = markdown_table(heads, rows) if rows else ""
    still = [
        f"- {row.text}: {row.verdict}."
        for row in page.itertuples()
        if row.verdict not in (SUPPORTED, OPPOSITE, ALIKE)
    ]
    commands = "" if (judged["kind"] == "dixon").any() else _COMMANDS  # they may be these scans
    return _CHANGE.format(table=table, still="\n".join(still) or "- nothing.", commands=commands)


_MANY = 100_000
"""Patients that no study has."""


def patients_needed(row) -> float:  # noqa: ANN001
    """How many patients would show a difference as large as the paper's, were they spread as here.

    So many that half the interval over patients is as large as the difference: it leaves out zero
    in about half of such studies.
    """
    half = (row.patients_high - row.patients_low) / 2
    if np.isnan(half) or not row.paper:
        return np.nan
    spread = half * np.sqrt(row.patients) / statistics.quantile(row.patients)
    number = 2
    while statistics.quantile(number) * spread / np.sqrt(number) > abs(row.paper):
        number += 1
        if number > _MANY:
            return np.inf
    return float(number)


_CHANGE = """## What would change our mind

Other scans, more people, larger networks, and more trainings. What the paper reports are small
differences on eight people, without a spread; so we ask how many people such a difference needs.
The last column is the number at which half of all such studies would show it, if people differed
from one another as they do here, and trainings did not:

{table}
What is not settled here:

{still}

{commands}
**A GPU** would settle whether the order of small networks is that of large ones:

    ivdlib grid --experiment benchmarks/audit/crops.toml --set size=paper --name crops_paper \\
      --reports reports/audit
    ivdlib audit --page

**More patients or more trainings?** Look at the two halves in the appendix: where the one over
trainings is the wider, another seed tells more than another patient.
"""

_COMMANDS = """**The challenge's 16 scans** are the paper's own. Whoever has them puts them into one
folder and runs (a GPU is needed, for days):

    ivdlib check data/ivdm3seg
    ivdlib grid --profile paper --data data/ivdm3seg --name ivdm3seg --reports reports/audit
    ivdlib grid --profile laptop --data data/ivdm3seg --name ivdm3seg_sizes --seeds 3 \\
      --networks fds_cnn,unet,unet:equal_weights,unet:equal_cost --reports reports/audit
    ivdlib audit --page
"""
