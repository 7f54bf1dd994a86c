"""Set the Dice of each disc beside its Pfirrmann grade, for an experiment on the SPIDER slabs.

    python benchmarks/grades.py reports/reference/audit/slabs \
        --grades ../shared/data/spider_records/gradings.csv

SPIDER grades the discs of a patient from the lowest upwards, as `disc` of `metrics.csv` counts.
Writes `grades.csv` into the folder of the experiment; `ivdlib audit --page` shows it. Descriptive:
discs of a patient are averaged first.
"""

from __future__ import annotations

import argparse
import re
import sys
from pathlib import Path

import pandas as pd

from ivdlib import files
from ivdlib.errors import DataError, IvdlibError
from ivdlib.evaluation import scores
from ivdlib.evaluation.comparisons import QUIET

PATIENT, DISC, GRADE = "Patient", "IVD label", "Pfirrman grade"
"""Columns of SPIDER's table, spelt as there."""


def by_grade(discs: pd.DataFrame, grades: pd.DataFrame) -> pd.DataFrame:
    """Mean Dice and share of missed discs by network and grade.

    Parameters
    ----------
    discs : DataFrame
        Rows of `metrics.csv` of single discs.
    grades : DataFrame
        SPIDER's table.
    """
    discs = discs.assign(
        patient=[int(re.sub(r"\D", "", name) or -1) for name in discs["subject"]],
        missed=discs["missed"].astype(str) == "True",
    )
    both = discs.merge(grades, left_on=["patient", "disc"], right_on=[PATIENT, DISC])
    if both.empty:
        raise DataError("no disc of this experiment has a grade; is it one on the SPIDER slabs?")
    each = both.groupby(["network", GRADE, "patient", "disc"])[["dice", "missed"]].mean()
    people = each.groupby(["network", GRADE, "patient"]).mean()
    found = people.groupby(["network", GRADE]).mean()
    found["discs"] = each.groupby(["network", GRADE]).size()
    found["patients"] = people.groupby(["network", GRADE]).size()
    return found.reset_index().rename(columns={GRADE: "grade"})


def main(words: list[str] | None = None) -> int:
    """Write the table of an experiment."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("experiment", type=Path)
    parser.add_argument("--grades", type=Path, required=True)
    given = parser.parse_args(words)
    metrics = scores.of(given.experiment)
    if metrics is None:
        raise DataError(f"{given.experiment} holds no scores; run the experiment first.")
    discs = scores.trained(scores.disc_rows(metrics, "disc"))
    discs = discs[discs["trained_on"] != QUIET]
    found = by_grade(discs, pd.read_csv(given.grades))
    files.write_csv(given.experiment / "grades.csv", found)
    print(found.round(4).to_string(index=False))
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except IvdlibError as error:
        sys.exit(str(error))
