"""One training: its scans, scores and interruptions."""

import json
import shutil

import numpy as np
import pandas as pd
import pytest
from quick_experiment import FUSED, SINGLE, begin, contents

from ivdlib.evaluation import metrics
from ivdlib.preprocessing import fusion
from ivdlib.preprocessing.sampler import TileSampler
from ivdlib.profiles import ARMS
from ivdlib.training import baselines, hashes, inference, spine_stage, store, trial
from ivdlib.training.run import collect, run
from ivdlib.training.weights import load_model

pytestmark = pytest.mark.usefixtures("tiny_networks")


def test_every_scan_and_contrast_is_scored_once_an_arm(finished):
    rows = finished.metrics()
    volumes = rows[(rows["scope"] == "volume") & (rows["target"] == "disc")]
    keys = volumes[["trained_on", "case", "contrast"]].apply(tuple, axis=1).tolist()
    cases = ("01", "02", "03")
    arms = ("contrasts", "contrasts+fused")  # whatever was trained on, all images are tested
    expected = [(arm, k, c) for arm in arms for k in cases for c in SINGLE + FUSED]
    assert sorted(keys) == sorted(expected)
    assert volumes["dice"].between(0, 1).all()
    spine = rows[rows["target"] == "spine"]
    assert sorted(spine["case"]) == ["01", "02", "03"] and (spine["contrast"] == "all").all()
    tested = {case: fold.number for fold in finished.folds for case in fold.test}
    seen = rows["scope"] == "seen"
    assert all(tested[row.case] == row.fold for row in rows[~seen].itertuples())
    discs = rows[rows["scope"] == "disc"]
    assert len(discs) and set(discs["level"]) <= set(metrics_levels()) | {""}


def test_one_scan_that_trained_tells_whether_a_training_failed(finished):
    rows = finished.metrics()
    for training in finished.trainings():
        mine = (rows["trained_on"] == ARMS[training.arm]) & (rows["fold"] == training.fold.number)
        seen = rows[mine & (rows["scope"] == "seen")]
        assert set(seen["case"]) == {training.fold.aside()[0]} <= set(training.fold.train)
        assert sorted(seen["contrast"]) == sorted(SINGLE + FUSED)
        assert seen["dice"].between(0, 1).all()


def metrics_levels():
    from ivdlib.data.discs import LEVELS

    return LEVELS


def test_an_interruption_while_scoring_does_not_cost_the_training(again, finished, monkeypatch):
    stopped = again()
    training = next(stopped.trainings())
    place = stopped.folder / "trainings" / hashes.disc_digest(stopped, training)
    shutil.rmtree(place)

    def interrupted(*args):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(trial.metrics, "dice", interrupted)
        with pytest.raises(KeyboardInterrupt):
            run(stopped)
    assert contents(place) == ["checkpoint.h5"]
    monkeypatch.setattr(TileSampler, "draw", interrupted)
    run(again())
    assert contents(stopped.folder) == contents(finished.folder)


def test_random_mixtures_are_an_arm_of_their_own(phantom, tmp_path, fits):
    made = begin(tmp_path, phantom, arms=["random"], stress=["blurred", "noisy"])
    first, second = (made.training_images("random", case, 0) for case in ("01", "02"))
    assert first[:4] == second[:4] == SINGLE and len(set(first + second)) == 4 + 4 + 4
    rows = run(made)
    assert set(rows["trained_on"][rows["target"] == "disc"]) == {"contrasts+random"}
    assert sum("random mixtures" in label for label in fits) == 2
    # Test images made worse are scored apart, so that no table takes them for what they are not.
    for kind in ("blurred", "noisy"):
        worse = rows[rows["scope"] == kind]
        assert sorted(worse["contrast"].unique()) == sorted(SINGLE + FUSED)
        assert len(worse) == 3 * 8 and worse["dice"].between(0, 1).all()


def test_one_mask_a_scan_from_all_images(phantom, tmp_path):
    """From the mean probability of the arms' images, or from all contrasts as channels."""
    options = {"arms": ["without", "stacked"], "training.neighbours": 1, "stress": ["noisy"]}
    options["spine.region"] = "true"  # else the network of the spine is compiled between the two
    made = begin(tmp_path, phantom, **options)
    rows = run(made)
    together = rows[rows["scope"] == trial.TOGETHER]
    assert together.groupby("trained_on")["case"].nunique().to_dict() == {
        "contrasts": 3, "contrasts as channels": 3
    }  # fmt: skip
    assert set(together["contrast"]) == {trial.TOGETHER}
    stacked = rows[rows["trained_on"] == "contrasts as channels"]
    assert set(stacked["scope"]) == {trial.TOGETHER, "noisy", "seen"}
    for training in made.trainings():
        network = load_model(hashes.place_of(made, training) / store.WEIGHTS)
        assert network.passport["neighbours"] == 1
        assert network.model.input_shape[-1] == (12 if training.arm == "stacked" else 3)
        for name in training.fold.test:  # as `ivdlib predict` finds it
            case = made.cases[name]
            where = spine_stage.regions_once(made, training.fold)[name]
            names = made.trained_on(training.arm)
            found = inference.predict_images(
                network, fusion.images_of(case.contrasts, names, 1), where
            )
            mask = np.mean(list(found.values()), axis=0) >= inference.THRESHOLD
            mine = together[together["trained_on"] == ARMS[training.arm]]
            assert mine.set_index("case")["dice"][name] == pytest.approx(
                metrics.dice(mask, case.discs), abs=1e-6
            )


def test_references_are_scored_once_and_stand_in_table_1(finished, phantom, tmp_path, monkeypatch):
    made = begin(tmp_path, phantom)
    for fold in made.folds:
        trial.references(made, fold)
    rows = made.metrics()
    volumes = rows[rows["scope"] == "volume"]
    names = set(baselines.ROWS)
    assert set(volumes["network"]) == names and (volumes["size"] == "-").all()
    assert len(volumes) == len(names) * len(SINGLE) * 3
    monkeypatch.setattr(trial.baselines, "reference_predictions", None)
    for fold in made.folds:
        trial.references(made, fold)
    collect(made)
    table = pd.read_csv(made.folder / "tables" / "table1.csv")
    assert set(table.loc[table["source"] == "ours", "network"]) == names
    record = json.loads(
        (made.folder / "trainings" / hashes.reference_digest(made, made.folds[0]) / "record.json")
        .read_text()
    )  # fmt: skip
    assert record["target"] == "reference" and record["fold"] == 1


def test_who_watches_a_training_changes_nothing(finished, phantom, tmp_path):
    training = next(t for t in finished.trainings() if t.arm == "with")
    made, seen = begin(tmp_path, phantom), []
    trial.train(made, training, "watched", lambda *row: seen.append(row))
    place, there = (hashes.place_of(one, training) for one in (made, finished))
    assert place.name == there.name
    history = pd.read_csv(place / "history.csv")
    assert [row[0] for row in seen] == history["step"].tolist()
    np.testing.assert_allclose([row[1] for row in seen], history["loss"], rtol=1e-5)
    assert all(row[2].count_params() > 0 for row in seen)
    ours, theirs = (load_model(one / store.WEIGHTS).model.get_weights() for one in (place, there))
    for one, other in zip(ours, theirs, strict=True):
        np.testing.assert_array_equal(one, other)
    trial.train(made, training, "watched", lambda *row: seen.append(row))
    assert len(seen) == len(history)  # it was there already
