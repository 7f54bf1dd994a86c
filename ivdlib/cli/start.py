"""`start`: the lessons in a folder of one's own."""

from __future__ import annotations

import argparse
from pathlib import Path


def add_start(add) -> None:
    """Define `ivdlib start`."""
    sub = add(
        "start",
        "put the lessons into a folder of your own, to work in",
        "What you have written there is never overwritten, and git ignores the folder. Call it\n"
        "again after an update: if a lesson has changed, the new version is put beside yours.\n\n"
        "  ivdlib start               into my_lessons/\n"
        "  ivdlib start ~/spine       into another folder",
    )
    sub.add_argument("folder", nargs="?", metavar="DIR", help="the folder (default: my_lessons)")
    sub.set_defaults(run=run_start)


def run_start(args: argparse.Namespace) -> int:
    """`ivdlib start`."""
    from ivdlib import extras, provenance

    extras.need("lessons")
    from ivdlib.course import workspace

    done = workspace.start(Path(args.folder).expanduser() if args.folder else None)
    for path in done.newer:
        print(f"newer:   {path.name} lies beside yours, which stays as it is")
    lessons = len(done.made) + len(done.kept)
    new = f"{len(done.made)} new" if done.made else "all there already"
    print(f"lessons: {lessons + len(done.newer)} in {done.folder} ({new})")
    here = " (or make lab)" if provenance.checkout() else ""
    print(f"begin:   jupyter lab {done.folder / '00_start_here.ipynb'}{here}")
    return 0
