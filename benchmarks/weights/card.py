"""Score the shipped FDS-CNN disc by disc, for its model card (docs/model_card.md).

    python benchmarks/weights/card.py --data ../shared/data --out reports/reference/weights/card

SPIDER's patients that were kept out, with the grade of each disc, and the phantom people of
`judge.py --final`, from each contrast alone and from all. It chooses nothing: the same weights on
the scans that `judge.py --final` scored, in smaller parts.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path

import judge
import numpy as np
import pandas as pd

from ivdlib import files, provenance
from ivdlib.data.discs import LEVELS
from ivdlib.errors import IvdlibError
from ivdlib.evaluation import challenge, gaps
from ivdlib.training import shipped

TOGETHER = "all"
"""In place of a contrast: one mask from the mean probability over all."""

RECORDS = ("Patient", "IVD label", "Pfirrman grade")
"""Columns of SPIDER's table of grades, spelt as there."""


def spider(both: judge.Networks, recipe: dict, data: Path) -> Iterator[dict]:
    """Discs of the patients that were kept out, counted from the lowest as SPIDER does."""
    disc, spine = both
    table = pd.read_csv(data / "spider_records" / "gradings.csv")
    grades = {(p, n): grade for p, n, grade in table[list(RECORDS)].itertuples(index=False)}
    for case in judge.spider_cases(recipe, data, final=True):
        mask = judge.quietly(disc, case, spine=spine)
        for row in challenge.disc_scores(mask, case.discs, case.spacing):
            grade = grades.get((int(case.subject), row["disc"]))
            yield _row("spider", case.name, "t2", row["disc"], row, grade)


def phantom(both: judge.Networks, recipe: dict) -> Iterator[dict]:
    """Discs of phantom people, by the level that the phantom gave them."""
    disc, spine = both
    for case, truth, beyond in judge.people(recipe, final=True):
        for contrast in [*case.contrasts, TOGETHER]:
            how = {} if contrast == TOGETHER else {"contrast": contrast}
            mask = judge.quietly(disc, case, spine=spine, **how)
            labels = judge.numbered(gaps.pieces(mask, np.array(case.spacing)).labels, beyond)
            for row in challenge.disc_scores(labels > 0, truth, case.spacing):
                yield _row("phantom", case.name, contrast, row["disc"], row)


def _row(
    data: str, scan: str, contrast: str, number: int, row: dict, grade: int | None = None
) -> dict:
    """One disc; its level is counted from the lowest, which is L5/S1 in the ordinary spine."""
    return {"data": data, "scan": scan, "contrast": contrast, "disc": number,
            "level": LEVELS[number - 1] if number <= len(LEVELS) else "", "grade": grade,
            "dice": row["dice"], "asd_mm": row["asd_mm"], "missed": row["missed"]}  # fmt: skip


def main(words: list[str] | None = None) -> int:
    """Write one row a disc, and the record."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--data", type=Path, default=Path("data"))
    parser.add_argument("--out", type=Path, required=True, help="folder for table and record")
    given = parser.parse_args(words)
    recipe, both = judge.the_recipe(), judge.load_both(shipped.USUAL)
    rows = [*spider(both, recipe, given.data), *phantom(both, recipe)]
    table = pd.DataFrame(rows).astype({"grade": "Int64"})
    files.write_csv(given.out / "discs.csv", table)
    files.write_json(given.out / "record.json", provenance.record(weights=both[0].passport))
    print(table.groupby(["data", "contrast"])["dice"].describe().round(3).to_string())
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except IvdlibError as error:
        sys.exit(str(error))
