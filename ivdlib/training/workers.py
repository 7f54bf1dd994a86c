"""Trainings side by side: in processes of this machine, or on a cluster through Dask.

One training is one task. A task finds its experiment by the arguments it was made with, so workers
share nothing but the folders of the data and of the experiments. A training that a lost worker had
begun is done again by another, from its last checkpoint.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Executor, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from typing import Any

from ivdlib import provenance
from ivdlib.errors import ConfigError, IvdlibError, memory_full, printable
from ivdlib.progress import Progress
from ivdlib.training import hashes
from ivdlib.training.experiment import Experiment

CONNECT_SECONDS = 20
"""How long a scheduler may take to answer."""

MEMORY = 3 * 2**30
"""Bytes that a process needs that trains a network of size `tiny`, framework and scans included."""

FEWEST = 1000
"""Steps of all trainings together that are worth the start of further processes."""

KEPT = {
    "GLIBC_TUNABLES": "glibc.malloc.hugetlb=1",
    "MALLOC_ARENA_MAX": "1",
    "MALLOC_MMAP_MAX_": "0",
    "MALLOC_TRIM_THRESHOLD_": str(2**34),
    "MALLOC_TOP_PAD_": str(2**28),
}
"""Environment in which glibc keeps the memory that a training step frees, in large pages. Else it
hands hundreds of megabytes back and asks for them again at each step, which took half the time of a
step on a virtual machine (`benchmarks/train_step.py`). Other systems do not know these names."""

_opened: dict[str, Experiment] = {}


def _open(arguments: dict[str, Any]) -> Experiment:
    """Get the experiment of these arguments, loaded once in a process."""
    key = repr(arguments)
    if key not in _opened:
        _opened.clear()
        _opened[key] = Experiment(**arguments)
    return _opened[key]


# A process sets its share of the machine (`_begin`) before it imports what loads a framework.


def _spine(arguments: dict[str, Any], number: int) -> str:
    from ivdlib.training import spine_stage

    experiment = _open(arguments)
    spine_stage.network(experiment, experiment.folds[number])
    return f"spine U-Net, fold {experiment.folds[number].number}"


def _train(arguments: dict[str, Any], number: int) -> str:
    from ivdlib.training import trial

    experiment = _open(arguments)
    training = list(experiment.trainings())[number]
    return f"{training.title}: mean Dice {trial.train(experiment, training, training.title):.3f}"


TASKS = {"spine": _spine, "train": _train}


def _isolated(task: str, arguments: dict[str, Any], number: int) -> str:
    """Do a task in a process of its own.

    Within a worker of Dask other threads draw from Python's random numbers, which Keras takes its
    first weights from: the same seed would not give the same network.
    """
    words = [sys.executable, "-m", "ivdlib.training.workers", task, str(number), str(os.getpid())]
    done = subprocess.run(words, input=json.dumps(arguments), capture_output=True, text=True)
    if done.returncode:
        said = done.stderr.strip().splitlines() or [f"status {done.returncode}"]
        raise ConfigError(said[-1].removeprefix("ivdlib: "))
    return done.stdout.strip().splitlines()[-1]


def _end_with(parent: int) -> None:
    """End this process when its parent is gone, lest two of them write one training."""

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(1)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def _isolated_main(task: str, number: str, parent: str) -> int:
    """Be the process of `_isolated`."""
    _end_with(int(parent))
    try:
        print(TASKS[task](json.load(sys.stdin), int(number)))
    except IvdlibError as error:
        print(f"ivdlib: {printable(str(error))}", file=sys.stderr)
        return 1
    except Exception as error:
        if not memory_full(error):
            raise
        print("a worker has no memory left; let it do fewer tasks at once.", file=sys.stderr)
        return 1
    return 0


def most_useful(experiment: Experiment) -> int:
    """How many trainings at once this machine does quickest.

    Networks of size `tiny` do not fill the cores of a CPU: a process a core, each with one thread,
    does more of them in an hour (`benchmarks/side_by_side.py`). Larger ones, and GPUs, do them one
    after the other.
    """
    from ivdlib.networks import backend

    left = sum(not hashes.is_done(experiment, training) for training in experiment.trainings())
    short = left * experiment.profile.training.steps < FEWEST
    if experiment.profile.size != "tiny" or short or backend.has_gpu():
        return 1
    room = (provenance.free_memory() or MEMORY) // MEMORY
    return max(1, min(left, threads(), room))


def threads() -> int:
    """Cores that the user leaves to us."""
    return int(os.environ.get("IVDLIB_THREADS") or provenance.cores())


def side_by_side(experiment: Experiment, workers: int = 1, scheduler: str | None = None) -> None:
    """Do all trainings of an experiment that are not done, several at a time.

    Parameters
    ----------
    experiment : Experiment
    workers : int, default 1
        Processes of this machine, which share its cores.
    scheduler : str, optional
        Address of a Dask scheduler, such as ``tcp://host:8786``; its workers do the work, and see
        the folders of data and experiments under the same paths.

    Raises
    ------
    ConfigError
        If Dask is not installed, nothing answers at the address, or a worker of this machine
        was killed; what is finished is kept.
    """
    every = list(experiment.trainings())
    missing = [n for n, training in enumerate(every) if not hashes.is_done(experiment, training)]
    # The trainings of a fold share its spine network; where none is asked for, it is all there is.
    needed = [every[number].fold for number in missing] if every else hashes.spine_left(experiment)
    if not needed:
        return
    with _pool(workers, scheduler) as pool:
        tasks = {name: partial(_isolated, name) for name in TASKS} if scheduler else TASKS
        most = len(needed) if scheduler else workers  # a cluster knows best what to begin
        if experiment.uses_spine_network:
            folds = sorted({experiment.folds.index(fold) for fold in needed})
            _all(pool, tasks["spine"], experiment, folds, "spine networks", most)
        _all(pool, tasks["train"], experiment, missing, "trainings", most)


def _all(
    pool: Executor,
    task: Callable[[dict[str, Any], int], str],
    experiment: Experiment,
    numbers: Sequence[int],
    label: str,
    most: int,
) -> None:
    """Do tasks; no more are handed out than run, so that none begins after Ctrl-C or a failure."""
    left, begun = list(numbers)[::-1], set()
    with Progress(len(left), label) as progress:
        try:
            while left or begun:
                while left and len(begun) < most:
                    begun.add(pool.submit(task, experiment.arguments, left.pop()))
                done, begun = wait(begun, return_when=FIRST_COMPLETED)
                for future in done:
                    progress.advance(note=future.result())
        except BrokenProcessPool as error:
            raise ConfigError(
                "a worker was killed, perhaps for want of memory; use fewer workers and call the "
                "command again: it goes on from what is done."
            ) from error
        finally:
            for future in begun:
                future.cancel()


def _pool(workers: int, scheduler: str | None) -> AbstractContextManager[Executor]:
    return cluster_pool(scheduler) if scheduler else local_pool(workers, _begin)


@contextmanager
def cluster_pool(scheduler: str) -> Iterator[Executor]:
    """Give what sends tasks to the workers of a Dask scheduler; those of lost ones begin again."""
    with client(scheduler) as cluster:
        yield cluster.get_executor(pure=False)


def keep_memory() -> None:
    """Let processes that begin from now on keep the memory that they free, see `KEPT`."""
    for name, value in KEPT.items():
        os.environ.setdefault(name, value)


def local_pool(workers: int, begin: Callable[..., None], *more: Any) -> ProcessPoolExecutor:
    """Make processes that share this machine; each begins with `begin(threads, workers, parent)`.

    `more` are further arguments of `begin`.
    """
    share = max(1, threads() // workers)
    keep_memory()
    spawn = multiprocessing.get_context("spawn")  # TensorFlow does not survive a fork
    return ProcessPoolExecutor(workers, spawn, begin, (share, workers, os.getpid(), *more))


def _begin(threads: int, workers: int, parent: int) -> None:
    """Set up a process of this machine: its share of cores and GPU; the parent shows progress."""
    take_share(threads, workers, parent)
    from ivdlib.networks import backend  # takes them, and the device, from the environment

    backend.configure(threads)  # if a script of the user has loaded it before


def take_share(threads: int, workers: int, parent: int) -> None:
    """Note a process's share of the machine in its environment; it ends with its parent."""
    _end_with(parent)
    own = {"PROGRESS": "off", "THREADS": str(threads), "PROCESSES": str(workers)}
    os.environ.update({f"IVDLIB_{name}": value for name, value in own.items()})


def client(address: str) -> Any:
    """Connect to a Dask scheduler; ConfigError if there is none, or no Dask here."""
    try:
        from distributed import Client
    except ImportError as error:
        raise ConfigError(
            "work on a cluster needs Dask; install it with: pip install 'ivdlib[cluster]'."
        ) from error
    try:
        return Client(address, timeout=CONNECT_SECONDS)
    except (OSError, ValueError, TypeError) as error:
        raise ConfigError(
            f"no Dask scheduler answers at {address}; start one with: dask scheduler."
        ) from error


if __name__ == "__main__":
    sys.exit(_isolated_main(*sys.argv[1:]))
