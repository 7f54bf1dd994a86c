"""What `ivdlib check` says to people: a line a case, and each finding once with its repair."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import astuple
from typing import Any

from ivdlib.data.contrasts import contrast_order
from ivdlib.data.remarks import Finding, Remark, grouped
from ivdlib.errors import printable

HEAD = (
    *("case", "subject", "stage", "voxels", "mm", "axes", "contrasts", "discs", "inn/opp %"),
    "verdict",
)
"""`axes`: where those of the files run to; `inn/opp %`: how far the two Dixon identities are
missed, see `dixon.consistency`."""

SEVERITIES = {"errors": "ERROR", "warnings": "warning", "corrections": "declared"}
"""Key of a row of `checks.check_cases` → word."""


def case_verdict(row: dict[str, Any]) -> str:
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
            case_verdict(row),
        )
    )


def findings(rows: Sequence[dict[str, Any]], left: Sequence[Finding] = ()) -> list[Finding]:
    """Each different finding once, made printable.

    Parameters
    ----------
    rows : sequence of dict
        Of `checks.check_cases`.
    left : sequence of Finding
        What is not read.

    Returns
    -------
    list of Finding
        Errors first.
    """
    told = [
        Finding(level, where, one.what, one.repair)
        for key, level in SEVERITIES.items()
        for where, one in grouped(
            (row["case"], _remark(row["case"], text)) for row in rows for text in row[key]
        )
    ]
    return [Finding(*map(printable, astuple(one))) for one in [*told, *left]]


def _remark(case: str, text: str) -> Remark:
    """A sentence of a row without the name of its case."""
    if not isinstance(text, Remark):  # an error's message, with the repair after a semicolon
        what, _, repair = text.rstrip(".").rpartition("; ")
        text = Remark(what, repair) if what else Remark(repair)
    return Remark(re.sub(rf"^case {re.escape(case)}:? ", "", text.what), text.repair)


def check_summary(rows: Sequence[dict[str, Any]]) -> str:
    """Count cases and verdicts: "16 cases: 1 ERROR, 2 warning, 13 ok"."""
    words = [case_verdict(row) for row in rows]
    counts = [f"{words.count(word)} {word}" for word in ("ERROR", "warning", "ok") if word in words]
    return f"{len(rows)} cases: {', '.join(counts)}" if len(rows) > 1 else f"1 case: {words[0]}"
