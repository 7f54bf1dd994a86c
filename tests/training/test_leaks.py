"""What would flatter: it can be measured, and nothing else is touched by it."""

import numpy as np
import pytest

from ivdlib import profiles
from ivdlib.errors import ConfigError
from ivdlib.evaluation.scores import BEST
from ivdlib.networks import UNetConfig, unet
from ivdlib.phantom import make_phantom
from ivdlib.training import leaks
from ivdlib.training.experiment import Experiment
from ivdlib.training.run import run
from ivdlib.training.trainer import Trainer

QUICK = {"networks": ["unet"], "arms": ["with"], "training.tile": [32, 32], "training.steps": 4,
         "spine.region": "none", "score_discs": False}  # fmt: skip


@pytest.fixture(scope="module")
def phantom(tmp_path_factory):
    folder = tmp_path_factory.mktemp("data") / "phantom"
    return make_phantom(folder, subjects=3, stages=2, slices=2, in_plane=64)


@pytest.fixture
def begin(phantom, tmp_path, monkeypatch):
    monkeypatch.setitem(unet.UNET_SIZES, "tiny", UNetConfig(base=2, levels=1))
    monkeypatch.setenv("IVDLIB_PROGRESS", "off")

    def make(leak):
        return Experiment(leak, "test", phantom, overrides=QUICK | {"leak": leak}, reports=tmp_path)

    return make


def test_the_best_step_is_found():
    scores = iter([[0.1, 0.5], [0.9, 0.2], [0.2, 0.3]])
    watched = leaks.Watched(lambda: [{"dice": d, "case": 1} for d in next(scores)])
    for step in (3, 6, 60):
        watched(step, 0.5, None)
    assert [step for step, _ in watched.seen] == [3, 6, 60]
    assert watched.best() == [
        {"dice": 0.9, "case": 1, "scope": "best_step", "step": 6},
        {"dice": 0.2, "case": 1, "scope": "best_step", "step": 6},
    ]


def test_the_best_step_stands_beside_the_last(begin):
    honest, peeking = begin("none"), begin("epoch")
    plain, rows = run(honest), run(peeking)
    assert "BEST STEP ON THE TEST SCANS" in peeking.label() and "BEST" not in honest.label()
    last = rows[rows["scope"] == "volume"].sort_values(["case", "contrast"])
    same = plain[plain["scope"] == "volume"].sort_values(["case", "contrast"])
    np.testing.assert_array_equal(last["dice"], same["dice"])  # looking changes nothing
    best = rows[rows["scope"] == BEST]
    assert sorted(best["case"]) == sorted(last["case"]) and best["step"].between(1, 4).all()
    for fold, mine in best.groupby("fold"):
        assert mine["dice"].mean() >= -1e-12 + last.loc[last["fold"] == fold, "dice"].mean()


def test_scans_in_place_of_patients(begin, monkeypatch):
    monkeypatch.setattr(Trainer, "fit", None)
    leaking = begin("scan")
    assert "SPLIT BY SCAN" in leaking.label()
    people = {name: case.subject for name, case in leaking.cases.items()}
    assert sorted(name for fold in leaking.folds for name in fold.test) == sorted(people)
    both = [
        {people[n] for n in fold.train} & {people[n] for n in fold.test} for fold in leaking.folds
    ]
    assert any(both)


def test_a_leak_of_another_name():
    with pytest.raises(ConfigError, match="leak of Profile takes one of none, scan, epoch"):
        profiles.profile("test", {"leak": "patient"})
