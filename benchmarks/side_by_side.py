"""Count the trainings an hour of one process with all cores, and of a process a core.

The same trainings (profile smoke, fewer steps) are done in a new folder by one process, then by
several, in turn; the start of the processes and the compilation are part of it, as they are in a
grid. `ivdlib grid` and lesson 05 go by the answer (`ivdlib.training.workers.most_useful`).

    python benchmarks/side_by_side.py --out side_by_side

Ends with status 1 if several processes do fewer trainings than one.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path

from peers import measure

from ivdlib import provenance
from ivdlib.errors import IvdlibError
from ivdlib.profiles import TITLES


def run_row(given: argparse.Namespace) -> None:
    """Be the process of one row: do all trainings, and tell the seconds."""
    from ivdlib.training.experiment import Experiment
    from ivdlib.training.run import run

    changes = {"training.steps": given.steps, "networks": given.networks}
    with tempfile.TemporaryDirectory() as folder:
        made = Experiment("grid", "smoke", overrides=changes, reports=folder)  # makes the phantom
        begin = time.perf_counter()
        run(made, int(given.row))
        seconds = time.perf_counter() - begin
        trainings = len(list(made.trainings()))
    measure.tell(seconds=seconds, trainings=trainings, hourly=3600 * trainings / seconds)


def main(words: list[str] | None = None) -> int:
    """Run the benchmark; 1 where the goal is missed."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    add = parser.add_argument
    add("--steps", type=int, default=360, help="steps of a training (default: 360)")
    add("--rounds", type=int, default=2, help="how often to run both (default: 2)")
    add("--networks", nargs="+", default=list(TITLES), help="default: all three")
    add("--out", type=Path, help="folder for table.csv and record.json")
    add("--row", help=argparse.SUPPRESS)
    given = parser.parse_args(words)
    if given.row:
        run_row(given)
        return 0
    many = provenance.cores()
    words = ["--steps", given.steps, "--networks", *given.networks]
    rows = []
    for number in range(given.rounds):
        for processes in dict.fromkeys((1, many)):
            found = measure.row(__file__, ["--row", processes, *words])
            rows.append({"round": number + 1, "processes": processes,
                         "threads": many // processes, **found})  # fmt: skip
    measure.show(rows, {"round": "d", "processes": "d", "threads": "d", "trainings": "d",
                        "seconds": ".0f", "hourly": ".0f", "note": ""})  # fmt: skip
    best = {n: max(r.get("hourly", 0) for r in rows if r["processes"] == n) for n in (1, many)}
    ratio = best[many] / best[1] if best[1] else None
    what = f"trainings an hour, {many} processes to one"
    return measure.finish(given, rows, [measure.goal(what, ratio, 1.0)])


if __name__ == "__main__":
    try:
        sys.exit(main())
    except IvdlibError as error:
        sys.exit(str(error))
