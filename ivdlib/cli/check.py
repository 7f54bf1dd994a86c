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
        "Prints one line for each case, then each finding and how to mend it. Exit status 1: a\n"
        "case cannot be used.\n\n"
        "voxels, mm   from left to right, back to front, bottom to top\n"
        "axes         the directions in which the axes of the file run\n"
        "†            a contrast that was computed from others\n"
        "inn/opp %    how far inn is from wat + fat, and opp from |wat - fat|\n\n"
        "Findings count voxels and slices from 0. A spine looks the same from left and right, so\n"
        "an exchange of the two is not found; of up and down only if discs are labelled.\n"
        "data/README.md explains the keys of --json.",
    )
    sub.add_argument("folder", help="a folder with scans, or with one scan")
    sub.add_argument("--json", action="store_true", help="print one JSON document, for programs")
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
