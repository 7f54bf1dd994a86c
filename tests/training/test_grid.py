"""What the grid holds: arms, contrasts, variants, and whom it leaves alone."""

import numpy as np
import pandas as pd
import pytest
from quick_experiment import FUSED, SINGLE, altered, begin, in_memory

from ivdlib import networks
from ivdlib.errors import ConfigError
from ivdlib.training import experiment as experiment_module
from ivdlib.training import hashes, store, trial
from ivdlib.training.grid import Training
from ivdlib.training.run import run
from ivdlib.training.weights import load_model

pytestmark = pytest.mark.usefixtures("tiny_networks")


def weights_of(made, training):
    """Weights and learning curves of a training and of its spine network."""
    trial.train(made, training, "training")
    found = []
    for digest in (hashes.spine_digest(made, training.fold), hashes.disc_digest(made, training)):
        place = made.folder / "trainings" / digest
        found += load_model(place / store.WEIGHTS).model.get_weights()
        found.append(pd.read_csv(place / "history.csv")["loss"].to_numpy())
    return found


def test_what_the_test_patients_look_like_changes_no_weight(finished, phantom, tmp_path):
    """And, so that this means something, what a training patient looks like does."""
    training = next(t for t in finished.trainings() if t.arm == "with")
    reference = weights_of(finished, training)
    for names, equal in ((training.fold.test, True), (training.fold.train[:1], False)):
        other = altered(phantom, tmp_path / f"data{equal}", names)
        made = begin(tmp_path / f"reports{equal}", other)
        fold = made.folds[training.fold.number - 1]
        assert fold.test == training.fold.test
        ours = weights_of(made, Training("unet", "with", fold, 0))
        same = [np.array_equal(a, b) for a, b in zip(ours, reference, strict=True)]
        assert all(same) == equal


def test_a_variant_is_the_network_without_an_idea(phantom, tmp_path):
    made = begin(tmp_path, phantom, networks=["fds_cnn:no_aspp"], arms=["without"])
    training = next(made.trainings())
    assert training.title == "FDS-CNN, no aspp, without fusion, fold 1, seed 0"
    assert hashes.disc_fields(made, training)["config"]["aspp_rates"] == []
    config = hashes.config(made, training.network, "tiny")
    options = made.options(training.arm, training.network)
    engine = store.trainer(training.network, config, made.tile, options)
    assert engine.network == "fds_cnn"  # what the weights' passport says
    whole = networks.build("fds_cnn", "tiny", (32, 32, 1))
    assert engine.model.count_params() < whole.count_params()
    with pytest.raises(ConfigError, match="no variant 'no_asp'"):
        begin(tmp_path, phantom, "b", networks=["fds_cnn:no_asp"])


def test_another_size_of_u_net_is_trained_in_every_arm(phantom, tmp_path):
    names = ["fds_cnn", "unet:equal_cost", "fds_cnn:no_aspp"]
    made = begin(tmp_path, phantom, networks=names, size="laptop")
    arms = {}
    for training in made.trainings():
        arms.setdefault(training.network, set()).add(training.arm)
    assert arms["unet:equal_cost"] == arms["fds_cnn"] == {"with", "without"}
    assert len(arms["fds_cnn:no_aspp"]) == 1


def test_each_seed_may_divide_the_patients_anew(phantom, tmp_path):
    names = dict.fromkeys(("seeds", "folds"), 2)
    first, second = (begin(tmp_path, phantom, f"p{n}", **names, partition=n) for n in (0, 1))
    both = begin(tmp_path, phantom, "both", **names, refold=True)
    assert [f.test for f in both.folds] == [f.test for one in (first, second) for f in one.folds]
    assert [f.number for f in both.folds] == [1, 2, 3, 4]
    found = {(t.seed, t.fold.test) for t in both.trainings()}
    assert found == {(n, f.test) for n, one in enumerate((first, second)) for f in one.folds}
    with pytest.raises(ConfigError, match="refold"):
        begin(tmp_path, phantom, "c", refold=True, split=tmp_path / "folds.csv")


def test_an_inner_experiment_leaves_the_test_patients_alone(phantom, tmp_path):
    outer = begin(tmp_path, phantom, "outer", folds=3)
    inner = begin(tmp_path, phantom, "inner", folds=3, inner=True)
    assert "INNER PATIENTS" in inner.label() and "INNER" not in outer.label()
    for ours, fold in zip(inner.folds, outer.folds, strict=True):
        assert sorted(ours.train + ours.test) == sorted(fold.train)
    with pytest.raises(ConfigError, match="trains on one patient"):
        begin(tmp_path, phantom, "few", inner=True)  # one of the two folds trains on one patient


def test_a_single_contrast_has_no_arm_with_fusion(tmp_path, monkeypatch):
    cases = [in_memory(f"c{s}", s) for s in "ABC"]
    monkeypatch.setattr(experiment_module, "load_cases", lambda folder, **options: cases)
    made = begin(tmp_path, tmp_path, training__tile=[112, 128])
    assert made.contrasts == ("t2",) and made.fused == () and made.tile == (20, 24)
    assert [t.arm for t in made.trainings()] == ["without", "without"]
    rows = run(made)
    assert set(rows["contrast"]) == {"t2"} and set(rows["target"]) == {"disc"}
    assert [p.name for p in sorted((made.folder / "tables").iterdir())] == [
        "in_short.txt",
        "table1.csv",
        "table1.md",
    ]


def test_contrasts_stand_in_the_order_of_the_tables(tmp_path, monkeypatch):
    cases = [in_memory(f"c{s}", s, ("t2", "opp", "inn", "wat", "fat")) for s in "AB"]
    monkeypatch.setattr(experiment_module, "load_cases", lambda folder, **options: cases)
    made = begin(tmp_path, tmp_path)
    assert made.training_images("without", "01") == (*SINGLE, "t2")
    assert made.training_images("with", "01") == made.images == (*SINGLE, "t2", *FUSED)
