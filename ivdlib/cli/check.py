"""`check`: what is in a folder of scans, and what is wrong with it."""

from __future__ import annotations

import argparse
import os
import sys
from typing import TYPE_CHECKING

from ivdlib.cli.arguments import add_load, load_options
from ivdlib.errors import behind
from ivdlib.files import json_text

if TYPE_CHECKING:
    from ivdlib.data.remarks import Finding

_COLOURS = {"ERROR": "1;31", "warning": "33", "ok": "32", "declared": "36", "left out": "36"}
"""Codes of a terminal's colours."""


def add_check(add) -> None:
    """Define `ivdlib check`."""
    sub = add(
        "check",
        "look for faults in a folder of scans",
        "One line a case, then each finding with its repair; exit status 1 where a case cannot be "
        "used.\nvoxels and mm: left to right, back to front, upwards; axes: where those of the "
        "files run to.\n† is a contrast computed from others; inn/opp % is how far inn misses "
        "wat + fat, and opp |wat - fat|.\nVoxels and slices of findings are counted from 0. Left "
        "and right cannot be told from a\nspine, up and down only from labelled discs.\n"
        "The keys of --json stand in data/README.md.",
    )
    sub.add_argument("folder", help="holds the scans, or one scan")
    sub.add_argument("--json", action="store_true", help="for machines: one JSON document")
    sub.add_argument("--html", metavar="FILE", help="write a page with pictures of the findings")
    add_load(sub)
    sub.set_defaults(run=run_check)


def run_check(args: argparse.Namespace) -> int:
    """`ivdlib check`."""
    from ivdlib.data.quality.checks import examine
    from ivdlib.data.scans import look

    checked = examine(args.folder, pictures=bool(args.html), **load_options(args))
    rows = [one.row for one in checked]
    left = look(args.folder).left
    if args.html:
        from ivdlib.report.check_page import write_check_page

        write_check_page(args.html, args.folder, checked, left)
    if args.json:
        told = {"folder": str(args.folder), "cases": rows, "left_out": [*map(str, left)]}
        print(json_text(told))
    else:
        _print(rows, left)
    return 1 if any(row["errors"] for row in rows) else 0


def _print(rows: list[dict], left: list[Finding]) -> None:
    from ivdlib.data.quality.check_table import HEAD, cells, check_summary, findings

    out = behind(sys.stdout)  # for the colours: all names are printable here
    table = [HEAD, *map(cells, rows)]
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    for line in table:
        *first, last = (text.ljust(width) for text, width in zip(line, widths, strict=True))
        print("  ".join([*first, _coloured(last.rstrip())]), file=out)
    for one in findings(rows, left):
        print(f"\n{_coloured(one.level)}  {one.where}: {one.what}.", file=out)
        if one.repair:
            print(f"  → {one.repair}.", file=out)
    print(f"\n{check_summary(rows)}")


def _coloured(word: str) -> str:
    """Colour a verdict where a person reads it (https://no-color.org)."""
    plain = os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb"
    if plain or word not in _COLOURS or not sys.stdout.isatty():
        return word
    return f"\x1b[{_COLOURS[word]}m{word}\x1b[0m"
