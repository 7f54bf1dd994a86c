"""Segment many scans side by side, one worker killed on the way; then work out a cluster.

Each part of a scan (reading, networks, measuring, drawing, writing) is timed alone, one after the
other in this process; then `ivdlib predict` does the whole folder with several workers, one of
which is killed in mid-scan when a quarter is done. Last, the same call again, which only has to see
that all is there.

    python benchmarks/many_scans.py --data SCANS --out reports/reference/speed/many_scans

`SCANS` are some 200 scans, such as `ivdlib phantom SCANS --subjects 100` makes. Ends with status 1
if a scan is lost or done twice, or if memory grows.
"""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from peers import measure

from ivdlib.errors import IvdlibError
from ivdlib.files import write_text

GROWTH_MB = 50.0
"""Most that a worker may hold more in the last quarter of its scans than in the second."""

MANY = 50_000
"""Scans that the page works out: UK Biobank and NAKO hold as many."""

CORES = (2, 64, 512)

PAGE = Path(__file__).with_suffix(".md.j2")

PARTS = ("checksums", "reading", "networks", "measuring", "drawing and writing")


@contextmanager
def timed(parts: dict[str, list[float]], name: str) -> Iterator[None]:
    """Note the seconds of a block."""
    begin = time.perf_counter()
    yield
    parts[name].append(time.perf_counter() - begin)


def time_parts(data: Path, count: int) -> dict[str, float]:
    """Seconds of each part of a scan: the median over some, after one to begin with."""
    from ivdlib.evaluation.disc_table import find_discs
    from ivdlib.report.scan_page import discs_beside
    from ivdlib.training import mask_files, shipped
    from ivdlib.training.one_scan import segment_case
    from ivdlib.training.segmenter import Job, Segmenter
    from ivdlib.training.to_segment import find_scans

    parts: dict[str, list[float]] = {name: [] for name in PARTS}
    with tempfile.TemporaryDirectory() as folder:
        beside = discs_beside()
        job = Job((shipped.find(shipped.USUAL),), Path(folder), None, True, None, True, None,
                  False, None, "openvino", "float32", beside)  # fmt: skip
        segmenter = Segmenter(job)
        for scan in find_scans(data, None, True)[: count + 1]:
            with timed(parts, "checksums"):
                source = scan.source()
            with timed(parts, "reading"):
                case = scan.load()
            with timed(parts, "networks"):
                found = segment_case(segmenter.networks[0], case, **segmenter.how)
            with timed(parts, "measuring"):
                find_discs(found.mask, case.spacing, case.contrasts, found.votes)
            with timed(parts, "drawing and writing"):  # measures again
                beside.write(case, found, Path(folder), [])
                mask_files.write_mask_file(case, found.mask, job.path(scan), source, [])
    measured = {name: float(np.median(some[1:])) for name, some in parts.items()}
    measured["drawing and writing"] -= measured["measuring"]
    return measured


class Watch(threading.Thread):
    """Look every second at what the workers of a process hold; kill one when it is time."""

    def __init__(self, parent: int, out: Path, kill_at: int) -> None:
        super().__init__(daemon=True)
        self.parent, self.out, self.kill_at = parent, out, kill_at
        self.held: list[tuple[int, int, float]] = []
        self.killed = 0

    def run(self) -> None:
        """Watch until the process is gone."""
        while Path(f"/proc/{self.parent}").exists():
            done = len(list(self.out.glob("*_Discs.json")))
            workers = {pid: megabytes for pid in children(self.parent)
                       if (megabytes := resident_mb(pid)) > 150}  # fmt: skip
            self.held += [(done, pid, megabytes) for pid, megabytes in workers.items()]
            if not self.killed and done >= self.kill_at and workers:
                self.killed = next(iter(workers))
                os.kill(self.killed, signal.SIGKILL)
            time.sleep(0.5)

    def quarters(self) -> list[float]:
        """Mean of what a worker held, MB, in each quarter of the scans."""
        last = max(done for done, *_ in self.held)
        bounds = np.linspace(0, last, 5)
        return [
            float(np.mean([mb for done, _, mb in self.held if a <= done <= b] or [np.nan]))
            for a, b in zip(bounds, bounds[1:], strict=False)
        ]


def children(parent: int) -> list[int]:
    """Processes that a process began."""
    listed = Path(f"/proc/{parent}/task/{parent}/children")
    try:
        return [int(pid) for pid in listed.read_text().split()]
    except OSError:
        return []


def resident_mb(pid: int) -> float:
    """Memory that a process holds, in 10^6 bytes; 0 if it is gone."""
    try:
        pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    except (OSError, IndexError):
        return 0.0
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def run_all(data: Path, out: Path, workers: int, kill_at: int | None) -> dict:
    """Segment all scans by the command; what it said, how long it took, what it held."""
    words = [sys.executable, "-m", "ivdlib", "predict", data, "--out", out, "--workers", workers]
    begin = time.perf_counter()
    run = subprocess.Popen([*map(str, words)], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                           text=True, env={**os.environ, "IVDLIB_PROGRESS": "plain"})  # fmt: skip
    watch = Watch(run.pid, out, kill_at if kill_at is not None else sys.maxsize)
    watch.start()
    masks, said = run.communicate()
    seconds = time.perf_counter() - begin
    watch.join()
    return {
        "seconds": seconds, "status": run.returncode, "told": len(masks.splitlines()),
        "twice": len(masks.splitlines()) - len(set(masks.splitlines())), "said": said,
        "killed": bool(watch.killed), "held": watch.quarters() if watch.held else [],
        "most_mb": max((mb for *_, mb in watch.held), default=0.0),
    }  # fmt: skip


def page(numbers: dict) -> str:
    """What 50,000 scans would take, worked out from what was measured."""
    from jinja2 import Environment, StrictUndefined

    environment = Environment(undefined=StrictUndefined, keep_trailing_newline=True)
    template = environment.from_string(PAGE.read_text(encoding="utf-8"))
    return template.render(
        **numbers,
        alone=sum(numbers["parts"].values()),
        hour=numbers["scans_an_hour"] / numbers["workers"],
        many=MANY,
        all_cores=CORES,
        long=_long,
    )


def _long(hours: float) -> str:
    return f"{hours / 24:,.1f} days" if hours >= 48 else f"{hours:,.1f} h"


def megabytes(folder: Path, names: str) -> float:
    """Size of the files of a pattern."""
    return sum(path.stat().st_size for path in folder.rglob(names)) / 1e6


def main(words: list[str] | None = None) -> int:
    """Run the benchmark; 1 where a goal is missed."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    add = parser.add_argument
    add("--data", type=Path, required=True, metavar="SCANS")
    add("--out", type=Path, help="folder for table.csv, record.json and README.md")
    add("--workers", type=int, default=2)
    add("--parts", type=int, default=8, help="scans of which the parts are timed")
    given = parser.parse_args(words)
    from ivdlib import provenance
    from ivdlib.data.contrasts import CONTRASTS
    from ivdlib.training.to_segment import find_scans

    scans = len(find_scans(given.data, None, True))
    parts = time_parts(given.data, given.parts)
    with tempfile.TemporaryDirectory() as place:
        out = Path(place, "discs")
        found = run_all(given.data, out, given.workers, scans // 4)
        made = len(list(out.glob("*_Discs.nii.gz")))
        written = megabytes(out, "*") / scans
        again = run_all(given.data, out, given.workers, None)
    read = sum(megabytes(given.data, f"*_{name}.nii.gz") for name in CONTRASTS) / scans
    numbers = {
        "scans": scans, "workers": given.workers, "parts": parts, "made": made,
        "seconds": found["seconds"], "scans_an_hour": 3600 * scans / found["seconds"],
        "told": found["told"], "twice": found["twice"], "status": found["status"],
        "killed": found["killed"], "held": found["held"], "most_mb": found["most_mb"],
        "again_s": again["seconds"], "read_mb": read, "written_mb": written,
        "device": provenance.processor(),
    }  # fmt: skip
    rows = [{"what": name, "seconds": seconds} for name, seconds in parts.items()]
    measure.show(rows, {"what": "", "seconds": ".2f"})
    grown = found["held"][-1] - found["held"][1] if len(found["held"]) == 4 else None
    goals = [
        measure.goal("scans that were lost", scans - made, 0, least=False),
        measure.goal("scans that were done twice", found["twice"], 0, least=False),
        measure.goal("workers that were killed", int(found["killed"]), 1),
        measure.goal("a worker's memory, last quarter − second, MB", grown, GROWTH_MB, least=False),
    ]
    if given.out:
        write_text(given.out / "README.md", page(numbers))
    return measure.finish(given, rows, goals, arguments={"data": given.data.name}, **numbers)


if __name__ == "__main__":
    try:
        sys.exit(main())
    except IvdlibError as error:
        sys.exit(str(error))
