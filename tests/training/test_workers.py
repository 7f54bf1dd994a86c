"""Trainings side by side give what they give one after the other, also where a worker is lost."""

import os
import signal
import subprocess
import sys
import time
from concurrent.futures import Future
from contextlib import nullcontext, suppress

import numpy as np
import pandas as pd
import pytest

from ivdlib.errors import ConfigError, IvdlibError
from ivdlib.phantom import make_phantom
from ivdlib.training import hashes, workers
from ivdlib.training.experiment import Experiment
from ivdlib.training.run import run
from ivdlib.training.trainer import Trainer

OVERRIDES = {
    "networks": ["unet"],
    "arms": ["with"],
    "training.tile": [32, 32],
    "training.steps": 6,
}


@pytest.fixture(scope="module")
def phantom(tmp_path_factory):
    folder = tmp_path_factory.mktemp("data") / "phantom"
    return make_phantom(folder, subjects=3, stages=1, slices=2, in_plane=64)


def begin(reports, phantom, **overrides):
    overrides = {key.replace("__", "."): value for key, value in overrides.items()}
    return Experiment("grid", "test", phantom, overrides=OVERRIDES | overrides, reports=reports)


@pytest.fixture(scope="module")
def alone(tmp_path_factory, phantom):
    """Scores of the trainings one after the other."""
    return run(begin(tmp_path_factory.mktemp("reports"), phantom))


def assert_same(metrics, alone, atol=0.02):
    """Up to rounding: other numbers of cores add in another order."""
    keys = ["target", "network", "trained_on", "case", "contrast", "fold"]
    pair = [frame.sort_values(keys).reset_index(drop=True) for frame in (metrics, alone)]
    pd.testing.assert_frame_equal(pair[0][keys], pair[1][keys])
    np.testing.assert_allclose(pair[0]["dice"], pair[1]["dice"], atol=atol)


@pytest.mark.slow
def test_two_processes(phantom, tmp_path, alone, monkeypatch):
    made = begin(tmp_path, phantom)
    monkeypatch.setattr(Trainer, "fit", None)  # this process trains nothing
    assert_same(run(made, 2), alone)
    assert all(hashes.is_done(made, training) for training in made.trainings())
    before = run(made, 2)  # nothing is left: no process is started
    pd.testing.assert_frame_equal(before, made.metrics())


@pytest.mark.parametrize(
    ("changed", "free", "many"),
    [
        ({}, 64, 4),  # a process a core
        ({}, 7, 2),  # as memory allows
        ({}, 1, 1),
        ({"training__steps": 100}, 64, 1),  # done before a second process has started
        ({"size": "laptop"}, 64, 1),  # fills the cores by itself
    ],
)
def test_small_trainings_go_side_by_side(phantom, tmp_path, monkeypatch, changed, free, many):
    monkeypatch.setenv("IVDLIB_THREADS", "4")
    monkeypatch.setattr(workers.provenance, "free_memory", lambda: free * 2**30)
    longer = {"training__steps": 500, "folds": 3, "arms": ["with", "without"], **changed}
    made = begin(tmp_path, phantom, **longer)
    assert workers.most_useful(made) == many
    monkeypatch.setattr(hashes, "is_done", lambda *_: True)
    assert workers.most_useful(made) == 1


class Pool:
    """Stands for a pool: does a task when it is asked for the result, and counts."""

    def __init__(self, fails=()):
        self.begun, self.fails = [], fails

    def submit(self, task, arguments, number):
        self.begun.append(number)
        future = Future()
        if number in self.fails:
            future.set_exception(ConfigError(f"{number} failed"))
        else:
            future.set_result(f"task {number}")
        return future


def test_no_task_begins_after_one_has_failed(phantom, tmp_path):
    made, pool = begin(tmp_path, phantom), Pool(fails={2})
    with pytest.raises(ConfigError, match="2 failed"):
        workers._all(pool, None, made, range(9), "tasks", most=1)
    assert pool.begun == [0, 1, 2]
    whole = Pool()
    workers._all(whole, None, made, range(9), "tasks", most=4)
    assert sorted(whole.begun) == list(range(9))


def test_only_folds_with_something_to_train_need_their_spine(phantom, tmp_path, monkeypatch):
    made = begin(tmp_path, phantom)
    todo = [t for t in made.trainings() if t.fold.number == 2]
    monkeypatch.setattr(hashes, "is_done", lambda _, training: training not in todo)
    asked = {}
    monkeypatch.setattr(
        workers,
        "_all",
        lambda pool, task, made, numbers, label, most: asked.update({label: numbers}),
    )
    workers.side_by_side(made, 2)
    assert [made.folds[k].number for k in asked["spine networks"]] == [2]
    assert len(asked["trainings"]) == len(todo)


def test_a_cluster_is_handed_every_fold_of_the_spine_stage_alone(phantom, tmp_path, monkeypatch):
    made, asked = begin(tmp_path, phantom, networks=[]), {}
    monkeypatch.setattr(workers, "_pool", lambda *_: nullcontext())
    monkeypatch.setattr(
        workers,
        "_all",
        lambda pool, task, made, numbers, label, most: asked.update({label: (list(numbers), most)}),
    )
    workers.side_by_side(made, scheduler="tcp://nowhere:1")
    folds = len(made.folds)
    assert asked["spine networks"] == (list(range(folds)), folds)
    assert asked["trainings"][0] == []


@pytest.mark.slow
def test_workers_take_the_device_and_share_the_cores(monkeypatch):
    monkeypatch.setenv("IVDLIB_THREADS", "4")
    monkeypatch.setenv("IVDLIB_DEVICE", "cpu")
    with workers._pool(2, None) as pool:
        assert pool.submit(os.getenv, "OMP_NUM_THREADS").result() == "2"


def test_processes_keep_the_memory_that_they_free(monkeypatch):
    """glibc reads these names when a process begins; what the user has set is left."""
    for name in workers.KEPT:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("MALLOC_ARENA_MAX", "3")
    read = f"import os; print(*(os.environ[name] for name in {[*workers.KEPT]}))"
    with workers.local_pool(1, os.getpid) as pool:
        assert pool
    told = subprocess.run([sys.executable, "-c", read], capture_output=True, text=True).stdout
    assert told.split() == [*(workers.KEPT | {"MALLOC_ARENA_MAX": "3"}).values()]


@pytest.mark.long
@pytest.mark.parametrize("own", ["", ".1"])
def test_workers_on_jax_share_the_gpu(own, monkeypatch):
    """Else the first takes three quarters of its memory, and the second finds none."""
    pytest.importorskip("jax")
    monkeypatch.setenv("KERAS_BACKEND", "jax")
    monkeypatch.setenv("IVDLIB_THREADS", "4")
    name = "XLA_PYTHON_CLIENT_MEM_FRACTION"
    monkeypatch.setenv(name, own) if own else monkeypatch.delenv(name, raising=False)
    with workers._pool(3, None) as pool:
        assert pool.submit(os.getenv, name).result() == (own or "0.250")
        assert pool.submit(os.getenv, "XLA_PYTHON_CLIENT_PREALLOCATE").result() == "false"
        assert pool.submit(os.getenv, "PJRT_NPROC").result() == "1"


@pytest.mark.slow
def test_what_a_worker_refuses_is_said_here(phantom, tmp_path):
    wrong = {"training__learning_rate": 1e9, "training__steps": 10, "spine__region": "none"}
    made = begin(tmp_path, phantom, **wrong)
    with pytest.raises(IvdlibError, match="loss is not finite|weights hold NaN"):
        workers.side_by_side(made)  # in one process beside this one


TRAIN = """
import sys
from ivdlib import training
from ivdlib.training.experiment import Experiment
from ivdlib.training.run import run
training.CHECKPOINT_SECONDS = 0.0
overrides = eval(sys.argv[3])
run(Experiment("grid", "test", sys.argv[1], overrides=overrides, reports=sys.argv[2]))
"""


@pytest.mark.slow
def test_a_killed_experiment_goes_on_from_its_checkpoint(phantom, tmp_path, monkeypatch):
    steps = {"training__steps": 20, "spine__region": "none"}
    overrides = OVERRIDES | {"training.steps": 20, "spine.region": "none"}
    process = subprocess.Popen(
        [sys.executable, "-c", TRAIN, phantom, tmp_path / "killed", repr(overrides)],
        stderr=subprocess.DEVNULL,
    )
    made = begin(tmp_path / "killed", phantom, **steps)
    first = next(made.trainings())
    checkpoint = made.folder / "trainings" / hashes.disc_digest(made, first) / "checkpoint.h5"
    deadline = time.monotonic() + 180
    while not checkpoint.exists() and time.monotonic() < deadline:
        time.sleep(0.01)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    assert checkpoint.exists() and not hashes.is_done(made, first)

    resumed = []
    resume = Trainer._resume

    def spied(self, path):
        history = resume(self, path)
        resumed.append(len(history))
        return history

    monkeypatch.setattr(Trainer, "_resume", spied)
    rows = run(made)
    assert max(resumed) >= 1
    assert not list(made.folder.rglob("checkpoint.h5"))
    # After 20 steps a network has hardly learnt, and rounding moved its Dice by .03 once.
    assert_same(rows, run(begin(tmp_path / "whole", phantom, **steps)), 0.06)


RUN = """
import sys
from ivdlib.training.experiment import Experiment
from ivdlib.training.run import run
if __name__ == "__main__":
    made = Experiment("grid", "test", sys.argv[1], overrides=eval(sys.argv[3]), reports=sys.argv[2])
    run(made, 2)
"""


@pytest.mark.slow
def test_processes_end_with_the_experiment_that_is_killed(phantom, tmp_path):
    """Else they train on, and the next call trains the same beside them."""
    import psutil

    overrides = OVERRIDES | {"training.steps": 100_000, "spine.region": "none"}
    script = tmp_path / "run.py"
    script.write_text(RUN, encoding="utf-8")
    process = subprocess.Popen(
        [sys.executable, script, phantom, tmp_path / "killed", repr(overrides)],
        stderr=subprocess.DEVNULL,
    )
    children = []
    deadline = time.monotonic() + 120
    while len(children) < 2 and time.monotonic() < deadline:
        time.sleep(0.2)
        children = [
            child for child in psutil.Process(process.pid).children()
            if "spawn_main" in " ".join(child.cmdline())
        ]  # fmt: skip
    assert len(children) == 2
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    _, alive = psutil.wait_procs(children, timeout=60)
    assert not alive


# --- Dask -------------------------------------------------------------------------------------


def has_dask():
    try:
        import distributed  # noqa: F401
    except ImportError:
        return bool(os.environ.get("IVDLIB_CI"))
    return True


dask = pytest.mark.skipif(not has_dask(), reason="Dask is not there: pip install 'ivdlib[cluster]'")


@dask
@pytest.mark.long
def test_a_lost_worker_of_a_cluster(phantom, tmp_path, alone):
    """A scheduler and two workers on loopback; one is killed while it trains."""
    import psutil
    from distributed import LocalCluster

    made = begin(tmp_path, phantom)
    with LocalCluster(
        n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None,
        host="127.0.0.1", env={"IVDLIB_PROGRESS": "off"},
    ) as cluster:  # fmt: skip
        killed = []

        def kill():
            """Wait for a worker whose task trains, and kill it."""
            deadline = time.monotonic() + 180
            while time.monotonic() < deadline and not killed:
                for pid in [nanny.pid for nanny in cluster.workers.values()]:
                    with suppress(psutil.Error):  # a process may end while it is looked at
                        tasks = psutil.Process(pid).children()
                        killed.extend(task for task in tasks if "train" in task.cmdline())
                    if killed:
                        os.kill(pid, signal.SIGKILL)
                        break
                time.sleep(0.05)

        from threading import Thread

        killer = Thread(target=kill)
        killer.start()
        rows = run(made, scheduler=cluster.scheduler_address)
        killer.join()
    assert killed
    psutil.wait_procs(killed, timeout=10)
    assert not any(task.is_running() for task in killed)  # it ends with its worker
    assert_same(rows, alone)


@dask
def test_no_scheduler_at_the_address(phantom, tmp_path, monkeypatch):
    monkeypatch.setattr(workers, "CONNECT_SECONDS", 1)
    with pytest.raises(ConfigError, match="no Dask scheduler answers at tcp://127.0.0.1:9"):
        run(begin(tmp_path, phantom), scheduler="tcp://127.0.0.1:9")


def test_without_dask_the_message_says_what_to_install(phantom, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(ConfigError, match=r"pip install 'ivdlib\[cluster\]'"):
        run(begin(tmp_path, phantom), scheduler="tcp://127.0.0.1:9")
