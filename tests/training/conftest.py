"""Networks, experiments and cases that several tests share, the costly ones once a process."""

from __future__ import annotations

import dataclasses
import random
import shutil
from contextlib import contextmanager

import keras
import numpy as np
import pytest
from answering import UNET, trained
from disc_cases import make_case
from predicting import CONFIG
from quick_experiment import begin
from tiny_network import TINY
from told import WHOLE

from ivdlib import networks
from ivdlib.data.cases import Case
from ivdlib.data.subjects import CHALLENGE_SUBJECTS
from ivdlib.networks import UNetConfig, unet
from ivdlib.phantom import make_phantom
from ivdlib.training import experiment as experiment_module
from ivdlib.training import one_scan
from ivdlib.training.experiment import Experiment
from ivdlib.training.run import run
from ivdlib.training.trainer import Trainer
from ivdlib.training.weights import save_weights

TILE = (16, 12)


@pytest.fixture(scope="module")
def model():
    keras.utils.set_random_seed(0)
    network = networks.build("unet", TINY, input_shape=(*TILE, 1))
    weights = [
        w + 0.05 * np.random.default_rng(1).normal(size=w.shape) for w in network.get_weights()
    ]
    network.set_weights(weights)  # biases and moving statistics too
    return network


@pytest.fixture
def crops():
    train = [make_case(s, c) for s in "ABCD" for c in ("1", "2", "3")]
    return train, [make_case("E", c) for c in ("1", "2", "3")]


DIXON = ("wat", "fat", "inn", "opp")


def scan(name, shape, contrasts, spine):
    rng = np.random.default_rng(int.from_bytes(name.encode()))
    labels = np.zeros(shape, np.uint8)
    labels[:, 20:30, 20:26] = 1
    labels[:, 30:36, 20:40] = 2 if spine else 0
    images = {c: (labels + rng.random(shape)).astype(np.float32) for c in contrasts}
    values = frozenset({1, 2} if spine else ())
    return Case(name, name[-1], images, np.eye(4), labels=labels, spine_values=values)


@pytest.fixture
def make(monkeypatch, tmp_path):
    """Give a function that opens an experiment on made-up scans; nothing is written."""

    def made(
        shape=WHOLE, contrasts=DIXON, spine=(True,), profile="laptop", people="ABCDEFGH",
        phantom=False, split=None, challenge=False, **overrides,
    ):  # fmt: skip
        cases = [
            scan(f"c{who}", shape, contrasts, spine[k % len(spine)]) for k, who in enumerate(people)
        ]
        if challenge:
            cases = [
                dataclasses.replace(scan(name, shape, contrasts, True), subject=who)
                for name, (who, _) in CHALLENGE_SUBJECTS.items()
            ]
        monkeypatch.setattr(experiment_module, "load_cases", lambda folder, **options: cases)
        monkeypatch.setattr(Experiment, "_phantom", lambda self: tmp_path)
        overrides = {key.replace("__", "."): value for key, value in overrides.items()}
        data = None if phantom else tmp_path
        return Experiment(
            "x", profile, data, overrides=overrides, reports=tmp_path, split=split, claim=False
        )

    return made


@pytest.fixture(scope="session")
def weights(tmp_path_factory):
    return trained("unet", UNET, TILE, tmp_path_factory.mktemp("unet") / "model.weights.h5")


@pytest.fixture
def any_mask_will_do(monkeypatch):
    """Untrained networks find specks."""
    monkeypatch.setattr(one_scan, "LEAST_ML", 0.0)


@pytest.fixture(scope="session")
def tiny_experiment(tmp_path_factory):
    """Folder of trainings with a spine network and a disc network, both untrained."""
    random.seed(1)  # first weights are drawn from Python's numbers
    place = tmp_path_factory.mktemp("trainings")
    card = {"network": "unet", "config": CONFIG.to_dict(), "spacing": [[0.5, 6]] * 3}
    spine = networks.build("unet", CONFIG, input_shape=(12, 16, 1))
    save_weights(
        spine,
        place / "spine" / "model.weights.h5",
        card | {"target": "spine", "tile": (12, 16), "images": ["wat", "fat"], "factor": 2},
    )
    disc = networks.build("unet", CONFIG, input_shape=(16, 16, 1))
    known = ["wat", "fat", "inn", "opp", "wat+opp"]
    more = {"target": "disc", "tile": (16, 16), "images": known, "spine": "spine", "margin": 5.0}
    save_weights(disc, place / "disc" / "model.weights.h5", card | more)
    return place


@pytest.fixture(scope="module")
def silent(tmp_path_factory):
    """Folder of trainings whose two networks find nothing, whatever they see."""
    place = tmp_path_factory.mktemp("silent")
    card = {"network": "unet", "config": CONFIG.to_dict(), "spacing": [[0.5, 6]] * 3}
    for target, tile, more in (
        ("spine", (12, 16), {"images": ["wat", "fat"], "factor": 2}),
        ("disc", (16, 16), {"images": ["wat", "fat", "wat+opp"], "spine": "spine"}),
    ):
        model = networks.build("unet", CONFIG, input_shape=(*tile, 1))
        logits = model.get_layer("logits")
        logits.set_weights([0 * logits.get_weights()[0], logits.get_weights()[1] - 9])
        path = place / target / "model.weights.h5"
        save_weights(model, path, card | more | {"target": target, "tile": tile})
    return place


@pytest.fixture
def three(tmp_path, write_case):
    for name in ("01", "02", "03"):
        write_case(tmp_path / "in", name)
    return tmp_path / "in"


@pytest.fixture
def call(tmp_path, tiny_experiment):
    return ("--weights", tiny_experiment / "disc" / "model.weights.h5", "--out", tmp_path / "out")


@contextmanager
def tiny():
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(unet.UNET_SIZES, "tiny", UNetConfig(base=2, levels=1))
        for bases in (unet._EQUAL_WEIGHTS, unet._EQUAL_COST):
            patch.setitem(bases, 2, 2)
        patch.setenv("IVDLIB_PROGRESS", "off")
        yield


@pytest.fixture(scope="module")
def tiny_networks():
    with tiny():
        yield


@pytest.fixture(scope="session")
def phantom(tmp_path_factory):
    return make_phantom(
        tmp_path_factory.mktemp("data") / "phantom", subjects=3, stages=1, slices=2, in_plane=64
    )


@pytest.fixture(scope="session")
def first_run(tmp_path_factory, phantom):
    """An experiment that has run once, and of each of its trainings label and images."""
    fed, fit = [], Trainer.fit

    def spied(self, sampler, seed, label, checkpoint=None, watch=None):
        fed.append((label, sampler.images))
        return fit(self, sampler, seed, label, checkpoint, watch)

    with tiny(), pytest.MonkeyPatch.context() as patch:
        patch.setattr(Trainer, "fit", spied)
        done = begin(tmp_path_factory.mktemp("reports"), phantom)
        run(done)
    return done, fed


@pytest.fixture(scope="session")
def finished(first_run):
    """An experiment that has run once; not to be changed."""
    return first_run[0]


@pytest.fixture
def again(finished, phantom, tmp_path):
    """Open a copy of the finished experiment anew, with other values where wanted."""
    shutil.copytree(finished.folder, tmp_path / "grid")
    return lambda **overrides: begin(tmp_path, phantom, **overrides)


@pytest.fixture
def fits(monkeypatch):
    """Labels of the trainings that are done."""
    labels = []
    fit = Trainer.fit

    def counted(self, sampler, seed, label, checkpoint=None, watch=None):
        labels.append(label)
        return fit(self, sampler, seed, label, checkpoint, watch)

    monkeypatch.setattr(Trainer, "fit", counted)
    return labels
