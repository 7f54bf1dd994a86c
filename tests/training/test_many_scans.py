"""Scans side by side: as one after the other, also when a worker is lost or a scan is broken."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from killing import kills
from predicting import names_in

from ivdlib import cli
from ivdlib.errors import DataWarning, SomeFailed
from ivdlib.phantom import make_phantom
from ivdlib.training import many_scans, segmenter
from ivdlib.training.predict import predict_folder
from ivdlib.training.to_segment import find_scans

pytestmark = pytest.mark.slow

CASES = ("01", "02", "03", "04")


@pytest.fixture(scope="module")
def phantom(tmp_path_factory):
    folder = tmp_path_factory.mktemp("data") / "phantom"
    return make_phantom(folder, subjects=4, stages=1, slices=5, in_plane=128)


@pytest.fixture(scope="module")
def alone(tmp_path_factory, phantom):
    out = tmp_path_factory.mktemp("alone")
    list(predict_folder(phantom, out=out, contrast="wat"))
    return out


def same(out, alone):
    for case in CASES:
        ours, theirs = (nib.load(p / f"{case}_Discs.nii.gz").get_fdata() for p in (out, alone))
        assert np.array_equal(ours, theirs)


def test_two_processes_give_what_one_gives(tmp_path, phantom, alone, capfd):
    words = ["predict", phantom, "--out", tmp_path, "--contrast", "wat", "--mask-only"]
    assert cli.main([*map(str, words), "--workers", "2"]) == 0
    same(tmp_path, alone)
    said = capfd.readouterr()
    assert len(said.out.splitlines()) == 4
    assert "Traceback" not in said.err
    records = [json.loads((p / "01_Discs.json").read_text()) for p in (tmp_path, alone)]
    assert records[0]["from"] == records[1]["from"]
    assert cli.main([*map(str, words), "--workers", "2"]) == 0
    assert "4 masks were there already" in capfd.readouterr().err


def test_a_broken_scan_is_named_and_the_others_are_done(tmp_path, phantom, alone):
    import shutil

    source = shutil.copytree(phantom, tmp_path / "in")
    (source / "02" / "02_wat.nii.gz").write_bytes(b"broken")
    with pytest.warns(DataWarning, match="left out: case 02"), pytest.raises(SomeFailed) as error:
        list(predict_folder(source, out=tmp_path / "out", contrast="wat", workers=2))
    assert [*error.value.failures] == ["02"]
    assert (tmp_path / "out" / "04_Discs.nii.gz").is_file()


def test_a_killed_worker_loses_nothing_and_does_nothing_twice(tmp_path, phantom, alone, capsys):
    found = list(predict_folder(phantom, out=tmp_path, contrast="wat", workers=2,
                                beside=kills(False)))  # fmt: skip
    assert sorted(p.name for p in found) == [f"{case}_Discs.nii.gz" for case in CASES]
    same(tmp_path, alone)
    assert "a worker was killed" in capsys.readouterr().err
    tries = {case: len((tmp_path / f"{case}.tries").read_text()) for case in CASES}
    assert tries["02"] == 2
    assert sum(tries.values()) <= 6  # what was at work beside it may be done again, no other
    assert not [name for name in names_in(tmp_path) if name.startswith(".part")]


@pytest.mark.long
def test_a_scan_that_kills_every_worker_is_named(tmp_path, phantom):
    with (
        pytest.warns(DataWarning, match="case 02: the process that segmented it was killed, twice"),
        pytest.raises(SomeFailed) as error,
    ):
        list(predict_folder(phantom, out=tmp_path, contrast="wat", workers=2,
                            beside=kills(True)))  # fmt: skip
    assert [*error.value.failures] == ["02"]
    assert len(error.value.done) == 3


def test_a_scan_travels_with_nothing_of_the_others(phantom):
    import pickle

    sizes = [len(pickle.dumps(scan)) for scan in find_scans(Path(phantom), None, True)]
    assert max(sizes) < 5000
    (one,) = find_scans(phantom / "01" / "01_wat.nii.gz", "wat", True)
    assert pickle.loads(pickle.dumps(one)).load().name == "01"


def test_networks_are_loaded_once_in_a_process(tmp_path, phantom, monkeypatch):
    loaded = []

    class Loads(segmenter.Segmenter):
        def __init__(self, job):
            loaded.append(job)

        def __call__(self, scan):
            return segmenter.Answer([])

    monkeypatch.setattr(many_scans, "Segmenter", Loads)
    monkeypatch.setattr(many_scans, "_opened", {})
    job = segmenter.Job((), tmp_path, None, True, None, True, None, False, None, "openvino",
                        "float32", kills(False))  # fmt: skip
    for scan in find_scans(Path(phantom), None, True):
        many_scans._do(job, scan)
    assert len(loaded) == 1


@pytest.mark.long
def test_ctrl_c_leaves_whole_masks_and_goes_on(tmp_path, phantom):
    words = [sys.executable, "-m", "ivdlib", "predict", phantom, "--out", tmp_path / "out",
             "--workers", "2", "--mask-only"]  # fmt: skip
    run = subprocess.Popen(
        [*map(str, words)], stderr=subprocess.PIPE, text=True, start_new_session=True,
        stdout=subprocess.DEVNULL,
    )  # fmt: skip
    first = tmp_path / "out" / "01_Discs.json"
    until = time.monotonic() + 120
    while not list((tmp_path / "out").glob("*_Discs.json")) and time.monotonic() < until:
        time.sleep(0.05)
    os.killpg(run.pid, signal.SIGINT)
    _, said = run.communicate(timeout=120)
    assert run.returncode in (130, 0)  # 0: all was done before it heard
    assert "Traceback" not in said
    for path in (tmp_path / "out").glob("*_Discs.nii.gz"):
        assert nib.load(path).get_fdata().any()
    assert subprocess.run([*map(str, words)], capture_output=True).returncode == 0
    assert first.is_file()


def test_a_cluster_gives_the_same(tmp_path, phantom, alone, monkeypatch):
    distributed = pytest.importorskip("distributed")
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=2, processes=True, dashboard_address=None
    ) as cluster:
        monkeypatch.chdir(phantom.parent)  # the workers stand elsewhere
        out = os.path.relpath(tmp_path)
        words = ["predict", phantom.name, "--out", out, "--contrast", "wat", "--mask-only"]
        address = cluster.scheduler_address
        assert cli.main([*map(str, words), "--scheduler", address]) == 0
    same(tmp_path, alone)


def test_nothing_at_the_address_is_said(tmp_path, phantom, capsys, monkeypatch):
    pytest.importorskip("distributed")
    monkeypatch.setattr("ivdlib.training.workers.CONNECT_SECONDS", 1)
    words = ["predict", str(phantom), "--out", str(tmp_path), "--scheduler", "tcp://127.0.0.1:9"]
    assert cli.main(words) == 1
    assert "no Dask scheduler answers at tcp://127.0.0.1:9" in capsys.readouterr().err
    assert cli.main([*words, "--workers", "2"]) == 1
    assert "leave it out" in capsys.readouterr().err
