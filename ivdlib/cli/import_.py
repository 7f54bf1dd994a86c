"""`import`: from the scanner's files to scans in our layout."""

from __future__ import annotations

import argparse
import sys
from collections import defaultdict
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ivdlib.data.incoming.importer import Imported

TOLD = 20
"""Scans that are told one by one; the table has them all."""


def add_import(add) -> None:
    """Define `ivdlib import`."""
    sub = add(
        "import",
        "sort a scanner's files (DICOM, NIfTI, BIDS) into inn, opp, fat and wat",
        "It says what it took each file for, and why, and names what it left out. The scans are "
        "called\nsub-001 and so on; only OUT_key.csv, which lies beside OUT, says whose they are. "
        "If you call\nit again, it adds what is new.\n\n"
        "  ivdlib import /media/cdrom data/mine\n"
        "  ivdlib check data/mine",
    )
    sub.add_argument(
        "folder", metavar="FOLDER", help="the files, as they came from the scanner or the archive"
    )
    sub.add_argument("out", metavar="OUT", help="the folder to fill")
    sub.add_argument(
        "--key", metavar="FILE", help="where to write who is who (default: OUT_key.csv, beside OUT)"
    )
    sub.set_defaults(run=run_import)


def run_import(args: argparse.Namespace) -> int:
    """`ivdlib import`."""
    from ivdlib.data.incoming.import_records import TABLE
    from ivdlib.data.incoming.importer import import_scans

    found = import_scans(args.folder, args.out, args.key)
    for line in found.scans[:TOLD]:
        print(line)
    if len(found.scans) > TOLD:
        print(f"… and {len(found.scans) - TOLD} more: {args.out}/{TABLE}")
    if found.there:
        print(f"{found.there} scan{'s were' if found.there > 1 else ' was'} there already")
    _say_left(found)
    print(f"key: {found.key} says whose they are; keep it apart from {args.out}")
    if not found.serious:
        return 0
    print(
        f"ivdlib: {len(found.serious)} of them may belong to a scan; mend them and call again, "
        "which adds what is missing.",
        file=sys.stderr,
    )
    return 1


def _say_left(found: Imported) -> None:
    """Name what was left out: what may matter in a line of its own, the rest by reason."""
    for text in found.warnings:
        print(f"warning: {text}.", file=sys.stderr)
    alike: dict[str, list[str]] = defaultdict(list)
    for one in found.left:
        if one.serious:
            print(f"warning: left out: {one.what}: {one.why}.", file=sys.stderr)
        else:
            alike[one.why].append(one.what)
    from ivdlib.data.remarks import NAMED, listed

    for why, names in alike.items():
        print(f"left out: {listed(names)}: {why}")
    if any(len(names) > NAMED for names in alike.values()):
        print(f"all of them, as they are called: {found.full}; keep it with the key")
