"""Tables of the model card (docs/model_card.md), from reports/reference/weights; see results.py."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd

from ivdlib.evaluation import statistics, tables

ROOT = Path(__file__).resolve().parents[1]
SCORES = ROOT / "reports" / "reference" / "weights"
SHIPPED = ROOT / "ivdlib" / "weights"

WORDS = {"wat": "water", "fat": "fat", "inn": "in phase", "opp": "opposed phase", "t2": "T2",
         "all": "one mask from all", "together": "one mask from all"}  # fmt: skip
HEADS = "| data | {what} | people | scored | mean Dice | 95 % interval | worst | missed |"
RULE = "|---|---|---:|---:|---:|---:|---:|---:|"


def _table(what: str, rows: pd.DataFrame) -> str:
    """A line for each value of `rows["part"]`; discs are averaged within a person first."""
    lines = [HEADS.format(what=what), RULE]
    for (data, part), found in rows.groupby(["data", "part"], sort=False):
        people = found.groupby("person")["dice"].mean()
        low, high = statistics.interval(people)
        between = "–" if np.isnan(low) else f"{low:.3f} to {min(high, 1):.3f}"
        missed = "–" if found["missed"].isna().any() else str(int(found["missed"].sum()))
        cells = (data, part, str(len(people)), str(len(found)), f"{people.mean():.3f}", between,
                 f"{found['dice'].min():.3f}", missed)  # fmt: skip
        lines.append(tables.line(cells))
    return "\n".join(lines)


def _discs() -> pd.DataFrame:
    """Single discs, as `benchmarks/weights/card.py` scored them."""
    table = pd.read_csv(SCORES / "card" / "discs.csv")
    named = {"phantom": "phantom", "spider": "SPIDER"}
    return table.assign(person=table["scan"], data=table["data"].map(named))


def by_contrast() -> str:
    """Dice by the contrast that the network was given: phantom, SPIDER, and real crops."""
    discs = _discs()
    crops = pd.read_csv(SCORES / "final" / "crops.csv")
    crops = crops.melt(["scan", "subject"], ["wat", "fat", "inn", "opp", "together"], "contrast",
                       "dice").rename(columns={"subject": "person"})  # fmt: skip
    rows = pd.concat([discs, crops.assign(data="crops of the challenge", missed=pd.NA)])
    return _table("contrast", rows.assign(part=rows["contrast"].map(WORDS)))


def by_level() -> str:
    """Dice by level, of one mask a scan."""
    discs = _discs()
    discs = discs[discs["contrast"].isin(["t2", "all"])]
    return _table("level", discs.assign(part=discs["level"].fillna("above")))


def by_grade() -> str:
    """Dice by Pfirrmann grade, where SPIDER's readers graded the disc."""
    discs = _discs().dropna(subset=["grade"]).sort_values("grade")
    return _table("Pfirrmann grade", discs.assign(part=discs["grade"].astype(int).astype(str)))


def files_of() -> str:
    """The files that ship, by name, with what their record says of them."""
    lines = ["| weights | network | steps | images | MB | SHA-256 of the weights |",
             "|---|---|---:|---:|---:|---|"]  # fmt: skip
    for record in sorted(SHIPPED.glob("*/record.json")):
        told = json.loads(record.read_text(encoding="utf-8"))
        size = (record.parent / "model.weights.h5").stat().st_size / 1e6
        cells = (f"`{record.parent.name}`", told["recipe"]["network"],
                 str(told["history"]["step"]), str(told["images"]), f"{size:.1f}",
                 f"`{told['passport']['checksum'][:16]}…`")  # fmt: skip
        lines.append(tables.line(cells))
    return "\n".join(lines)


BLOCKS = {"card_files": files_of, "card_contrast": by_contrast, "card_level": by_level,
          "card_grade": by_grade}  # fmt: skip
