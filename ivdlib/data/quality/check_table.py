"""What `ivdlib check` says to people: a line a case, and each finding once with its repair."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from ivdlib.data.contrasts import contrast_order
from ivdlib.data.leftovers import LeftOver
from ivdlib.data.remarks import grouped, split_repair
from ivdlib.errors import printable

HEAD = (
    *("case", "subject", "stage", "voxels", "mm", "axes", "contrasts", "discs", "inn/opp %"),
    "verdict",
)
"""`axes`: where those of the files run to; `inn/opp %`: how far the two Dixon identities are
missed, see `dixon.consistency`."""

SEVERITIES = {"errors": "ERROR", "warnings": "warning", "corrections": "declared"}
"""Key of a row of `checks.check_cases` → word."""


def verdict(row: dict[str, Any]) -> str:
    """Verdict on a row of `checks.check_cases`: "ERROR", "warning" or "ok"."""
    return next((SEVERITIES[key] for key in ("errors", "warnings") if row[key]), "ok")


def cells(row: dict[str, Any]) -> tuple[str, ...]:
    """A row of `checks.check_cases` in the columns of `HEAD`; "–" is not known."""
    names = sorted({*row["contrasts"], *row["derived"]}, key=contrast_order)
    misses = [row["consistency"].get(f"{name}_error") for name in ("inn", "opp")]
    return tuple(
        printable(text) or "–"
        for text in (
            row["case"],
            row["subject"],
            row["stage"],
            "×".join(map(str, row["shape"] or ())),
            "×".join(f"{edge:.2f}" for edge in row["spacing_mm"] or ()),
            "".join(row["axes"] or ()),
            " ".join(f"{name}†" if name in row["derived"] else name for name in names),
            "" if row["discs"] is None else str(row["discs"]),
            "/".join("–" if miss is None else f"{100 * miss:.1f}" for miss in misses),
            verdict(row),
        )
    )


def findings(
    rows: Sequence[dict[str, Any]], left: Sequence[LeftOver] = ()
) -> list[tuple[str, str, str, str]]:
    """Each different finding once.

    Parameters
    ----------
    rows : sequence of dict
        Of `checks.check_cases`.
    left : sequence of LeftOver
        What is not read.

    Returns
    -------
    list of (level, where, what, repair)
        The word of `SEVERITIES`, the cases, what is so, what to do about it ("" for a declared
        correction); errors first.
    """
    found = []
    for key, level in SEVERITIES.items():
        texts = (
            (row["case"], re.sub(rf"^case {re.escape(row['case'])}:? ", "", text))
            for row in rows
            for text in row[key]
        )
        for where, text in grouped(texts):
            found.append((level, *map(printable, (where, *split_repair(text)))))
    for one in left:
        level = "warning" if one.serious else "left out"
        found.append((level, *map(printable, (one.where, *split_repair(one.text)))))
    return found


def summary(rows: Sequence[dict[str, Any]]) -> str:
    """Count cases and verdicts: "16 cases: 1 ERROR, 2 warning, 13 ok"."""
    words = [verdict(row) for row in rows]
    counts = [f"{words.count(word)} {word}" for word in ("ERROR", "warning", "ok") if word in words]
    return f"{len(rows)} cases: {', '.join(counts)}" if len(rows) > 1 else f"1 case: {words[0]}"
