"""Write the tables of README, RESULTS and model card from the records under reports/reference/.

    python benchmarks/results.py           # after `ivdlib audit --page --reports reports/reference`

Between `<!-- NAME -->` and `<!-- end -->` everything is replaced; the sentences around are written
by hand. A test fails if a page and the records differ.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

import model_card
import pandas as pd

from ivdlib import files
from ivdlib.evaluation import scores, statistics, tables, verdicts
from ivdlib.evaluation.scores import TOGETHER
from ivdlib.profiles import TITLES, rank, title

ROOT = Path(__file__).resolve().parents[1]
REFERENCE = ROOT / "reports" / "reference"
EXPERIMENTS = {
    "crops": "crops",
    "crops_better": "crops, recipe `better`",
    "crops_nnunet": "crops",
    "slabs22": "slabs",
    "slabs": "first slabs",
    "slabs_better": "first slabs, recipe `better`",
    "phantom": "phantom",
    "phantom_paper": "phantom, paper's size, one fold",
}


def _place(group: tuple[tuple[str, str], pd.DataFrame]) -> tuple[int, str]:
    """Where a row stands: compared networks before references, training with fusion first."""
    (network, arm), _ = group
    return rank(title(network)), arm[::-1]


def _mean(rows: pd.DataFrame) -> str:
    return f"{statistics.by_patient(rows).mean():.3f}" if len(rows) else "–"


def _paper() -> list[tuple[str, ...]]:
    """What the paper prints, in the same columns."""
    with_fusion, fused, without = (tables.PAPER_DICE[number] for number in (1, 2, 3))
    rows = []
    for arm, printed in (("contrasts + fused", with_fusion), ("contrasts", without)):
        for network, values in printed.items():
            both = fused.get(network) if printed is with_fusion else None
            means = (f"{values[-1]:.3f}", f"{both[-1]:.3f}" if both else "–", "–")
            rows.append(("*the paper's scans*", network, arm, *means, "8"))
    return rows


def dice() -> str:
    """Mean Dice over patients of every network and kind of training."""
    heads = ("data", "network", "trained on", "single contrasts", "fused contrasts",
             "one mask a scan", "n")  # fmt: skip
    lines = [tables.line(heads), "|---|---|---|---:|---:|---:|---:|"]
    lines += [tables.line(row) for row in _paper()]
    for name, label in EXPERIMENTS.items():
        metrics = scores.of(REFERENCE / "audit" / name)
        metrics = metrics[(metrics["target"] == "disc") & (metrics["fold"] > 0)]
        metrics = metrics[metrics["trained_on"].str.startswith("contrasts")]
        for (network, arm), mine in sorted(metrics.groupby(["network", "trained_on"]), key=_place):
            volumes, both = scores.disc_rows(mine), scores.disc_rows(mine, TOGETHER)
            if arm == "contrasts+random" or len(volumes) + len(both) == 0:
                continue
            fused = volumes[volumes["contrast"].str.contains("+", regex=False)]
            cells = map(_mean, (scores.of_single_contrasts(volumes), fused, both))
            people = str(mine["subject"].nunique())
            lines.append(
                tables.line((label, title(network), arm.replace("+", " + "), *cells, people))
            )
    return "\n".join(lines)


def claims() -> str:
    """The table on the first page of the audit."""
    page = (REFERENCE / verdicts.PAGE).read_text(encoding="utf-8").partition("\n## ")[0]
    return "\n".join(line for line in page.splitlines() if line.startswith("|"))


FOUND = (1, 2, 6, 8, 10)
"""Numbers of the claims that the README shows; the audit has them all."""


def found() -> str:
    """Five rows of that table, as they are."""
    head, rule, *rows = claims().splitlines()
    return "\n".join([head, rule, *(row for row in rows if _number(row) in FOUND)])


def _number(row: str) -> int:
    """Number of the claim that a row is about: ``"| 8. The fat image …"`` is 8."""
    return int(row.strip("| ").partition(".")[0])


def transfer() -> str:
    """What a network that saw the phantom alone is worth on real crops, by patient."""
    page = (REFERENCE / "transfer" / "table.md").read_text(encoding="utf-8")
    heads, rule, *rows = [line for line in page.splitlines() if line.startswith("|")]
    cells = ([cell.strip() for cell in row.strip("|").split("|")] for row in rows)
    named = (
        (title(network) if network in TITLES else f"{network} (no network)", *rest)
        for network, *rest in cells
    )
    return "\n".join([heads, rule, *map(tables.line, named)])


WEIGHTS = REFERENCE / "weights"

DATA = {
    "munich_wat": "Dixon water, 3 T, by the bodies", "berlin_t2": "T2, by the bodies",
    "spider": "SPIDER, T2 slabs", "crops": "crops of the challenge", "phantom": "phantom people",
}  # fmt: skip


def weights() -> str:
    """How good the weights that ship are, on scans that were and were not looked at."""
    tables_of = [pd.read_csv(WEIGHTS / kind / "summary.csv") for kind in ("looked_at", "final")]
    both = tables_of[0].merge(tables_of[1], on=["data", "what"], suffixes=("", "_final"))
    lines = ["| data | what | goal | looked at | not looked at |", "|---|---|---|---:|---:|"]
    for row in both.itertuples():
        goal = row.goal if isinstance(row.goal, str) else ""
        cells = (DATA[row.data], row.what, goal, f"{row.value:.3g}", f"{row.value_final:.3g}")
        lines.append(tables.line(cells))
    return "\n".join(lines)


def measured() -> str:
    """How far measurements agree with the phantom's truth."""
    table = pd.read_csv(WEIGHTS / "measured" / "agreement.csv")
    table = table.rename(columns={"mean error": "error"})
    lines = ["| mask | voxels | what | bias | limits of agreement | mean error | covered |",
             "|---|---|---|---:|---:|---:|---:|"]  # fmt: skip
    for row in table.itertuples():
        covered = "–" if pd.isna(row.covered) else f"{row.covered:.0%}"
        numbers = (f"{row.bias:+.1f}", f"{row.low:+.1f} to {row.high:+.1f}", f"{row.error:.1f}")
        lines.append(tables.line((row.way, row.grid, _words(row.what), *numbers, covered)))
    return "\n".join(lines)


def _words(key: str) -> str:
    name, _, unit = key.rpartition("_")
    known = {"mm": ", mm", "deg": ", °"}
    return name.replace("_", " ") + known[unit] if unit in known else key


def names() -> str:
    """How often all discs of a scan have their true names."""
    table = pd.read_csv(WEIGHTS / "measured" / "names.csv")
    table["silent"] = ~table["right"] & ~table["uncertain"]
    lines = ["| data | scans | all names right | called uncertain | wrong and not called so |",
             "|---|---:|---:|---:|---:|"]  # fmt: skip
    for data, part in table.groupby("data", sort=False):
        shares = (f"{part[key].mean():.0%}" for key in ("right", "uncertain", "silent"))
        lines.append(tables.line((DATA.get(data, data), str(len(part)), *shares)))
    return "\n".join(lines)


BLOCKS = {"found": found, "dice": dice, "claims": claims, "transfer": transfer,
          "weights": weights, "measured": measured, "names": names,
          **model_card.BLOCKS}  # fmt: skip

PAGES = ("README.md", "RESULTS.md", "docs/model_card.md")


def filled(text: str) -> str:
    """Fill the tables of a page anew."""
    for name, make in BLOCKS.items():
        begin, end = f"<!-- {name} -->\n", "<!-- end -->"
        if begin in text:
            # by a function: a table may hold backslashes, which a replacement would read
            table = f"{begin}{make()}\n{end}"
            text = re.sub(f"{begin}.*?{end}", lambda _, new=table: new, text, count=1, flags=re.S)
    return text


def main() -> int:
    """Write the pages."""
    for name in PAGES:
        path = ROOT / name
        files.write_text(path, filled(path.read_text(encoding="utf-8")))
    return 0


if __name__ == "__main__":
    sys.exit(main())
