"""Many scans side by side: in processes of this machine, or on a cluster through Dask.

One scan is one task, and brings all that it needs: a worker loads the networks once and is then
sent one scan after the other. A scan whose worker was lost is done again.
"""

from __future__ import annotations

import os
import signal
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Executor, Future, wait
from concurrent.futures.process import BrokenProcessPool
from functools import partial

from ivdlib.errors import DataError
from ivdlib.progress import say
from ivdlib.training import workers
from ivdlib.training.segmenter import Answer, Job, Segmenter
from ivdlib.training.to_segment import ScanToSegment

AHEAD = 1000
"""Scans that a cluster is told of at once: it knows best what to begin, and keeps what it knows."""

_opened: dict[str, Segmenter] = {}
_one_at_a_time = threading.Lock()


def _do(job: Job, scan: ScanToSegment) -> Answer:
    """Segment a scan in a worker, whose networks stay loaded.

    One at a time: warnings are heard, and figures drawn, for a whole process, and a worker of Dask
    may have several threads.
    """
    with _one_at_a_time:
        key = repr(job)
        if key not in _opened:
            _opened.clear()
            _opened[key] = Segmenter(job)
        return _opened[key](scan)


def _do_on_cluster(job: Job, scan: ScanToSegment) -> Answer:
    """As `_do`, with as many cores as the worker says that it has threads."""
    from distributed import get_worker

    os.environ.setdefault("IVDLIB_THREADS", str(get_worker().state.nthreads))
    return _do(job, scan)


def segment_all(
    job: Job, scans: Sequence[ScanToSegment], processes: int = 1, scheduler: str | None = None
) -> Iterator[tuple[ScanToSegment, Callable[[], Answer]]]:
    """Do the scans of a job, several at a time, in any order.

    Parameters
    ----------
    job : Job
    scans : sequence of ScanToSegment
    processes : int, default 1
        Of this machine.
    scheduler : str, optional
        Address of a Dask scheduler.

    Yields
    ------
    ScanToSegment
        One that is done.
    callable
        Gives what `Segmenter` gave, or raises what went wrong with this scan.

    Raises
    ------
    ConfigError
        If Dask is not installed, or nothing answers at the address.
    """
    if scheduler:
        with workers.cluster_pool(scheduler) as pool:
            yield from _drain(pool, job, deque(scans), AHEAD, {}, _do_on_cluster)
        return
    left, suspects = deque(scans), deque()
    while left or suspects:
        # Which of several scans killed a worker, nobody knows: each of them is tried alone.
        alone = bool(suspects)
        most, begun = 1 if alone else min(processes, len(left)), {}
        try:
            with workers.local_pool(most, _begin, job.engine) as pool:
                yield from _drain(pool, job, suspects if alone else left, most, begun)
        except BrokenProcessPool:
            say("a worker was killed, perhaps for want of memory; its scans are done again")
            if alone:
                yield from ((scan, partial(_refuse, scan)) for scan in begun.values())
            else:
                suspects.extend(begun.values())


def _drain(
    pool: Executor,
    job: Job,
    left: deque[ScanToSegment],
    most: int,
    begun: dict[Future, ScanToSegment],
    task: Callable[[Job, ScanToSegment], Answer] = _do,
) -> Iterator[tuple[ScanToSegment, Callable[[], Answer]]]:
    """Do what is left; no more is handed out than `most`, so `begun` is what a lost worker had."""
    try:
        while left or begun:
            while left and len(begun) < most:
                begun[pool.submit(task, job, left[0])] = left[0]
                left.popleft()
            done, _ = wait(begun, return_when=FIRST_COMPLETED)
            broken = [f for f in done if isinstance(f.exception(), BrokenProcessPool)]
            for future in done.difference(broken):
                yield begun.pop(future), future.result
            if broken:
                raise BrokenProcessPool
    finally:
        for future in begun:
            future.cancel()


def _refuse(scan: ScanToSegment) -> Answer:
    raise DataError(
        f"case {scan.name}: the process that segmented it was killed, twice, the second time with "
        "nothing beside it; it may need more memory than there is."
    )


def _begin(threads: int, processes: int, parent: int, engine: str) -> None:
    """Set up a process of this machine; Ctrl-C is for the parent, which lets scans be finished."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    workers.take_share(threads, processes, parent)
    if engine == "keras":  # the other engine starts no framework
        from ivdlib.networks import backend

        backend.configure(threads)
