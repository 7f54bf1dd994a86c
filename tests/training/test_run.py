"""A run trains what is missing and nothing else."""

import shutil

import pandas as pd
import pytest
from quick_experiment import FUSED, SINGLE, begin, contents

from ivdlib.errors import ConfigError, DataError
from ivdlib.evaluation import metrics
from ivdlib.preprocessing import fusion
from ivdlib.preprocessing.region import region_of
from ivdlib.preprocessing.sampler import TileSampler
from ivdlib.training import hashes, inference, plan, store, trial
from ivdlib.training.run import collect, run
from ivdlib.training.weights import load_model

pytestmark = pytest.mark.usefixtures("tiny_networks")


def test_metrics_csv_is_what_the_trainings_hold(finished):
    written = pd.read_csv(finished.folder / "metrics.csv", dtype={"case": str})
    assert len(written) == len(finished.metrics())
    assert set(written["case"]) == {"01", "02", "03"}
    single = [pd.read_csv(p) for p in (finished.folder / "trainings").glob("*/metrics.csv.gz")]
    assert sum(map(len, single)) == len(written)
    assert sum(f["dice"].sum() for f in single) == pytest.approx(written["dice"].sum(), abs=1e-3)


def test_the_scores_are_those_of_the_saved_weights(finished):
    training = next(t for t in finished.trainings() if t.arm == "with")
    fold = training.fold
    folder = finished.folder / "trainings"
    disc = load_model(folder / hashes.disc_digest(finished, training) / store.WEIGHTS)
    spine = load_model(folder / hashes.spine_digest(finished, fold) / store.WEIGHTS)
    rows = finished.metrics()
    for name in fold.test:
        case = finished.cases[name]
        found = inference.predict_spine(
            spine.model, case.contrasts, spine.passport["factor"], case.spacing
        )
        region = region_of(found, case.shape, case.spacing, (32, 32), 15.0)
        images = fusion.images_of(case.contrasts, SINGLE + FUSED)
        for contrast, probability in inference.predict_images(disc, images, region).items():
            row = rows[
                (rows["case"] == name) & (rows["contrast"] == contrast)
                & (rows["scope"] == "volume") & (rows["trained_on"] == "contrasts+fused")
            ]  # fmt: skip
            dice = metrics.dice(probability >= 0.5, case.discs)
            assert row["dice"].item() == pytest.approx(dice, abs=1e-5)


def test_a_second_run_trains_nothing(again, finished, fits):
    repeated = again()
    run(repeated)
    assert fits == []
    before, after = (e.folder / "metrics.csv" for e in (finished, repeated))
    assert before.read_bytes() == after.read_bytes()


def test_more_seeds_extend_an_experiment(again, fits):
    more = again(seeds=2)
    rows = run(more)
    assert len(fits) == 4 and all("seed 1" in label for label in fits)
    assert set(rows.loc[rows["target"] == "disc", "seed"].astype(int)) == {0, 1}
    table = pd.read_csv(more.folder / "tables" / "table3.csv")
    assert table.loc[0, "scans"] == 3
    fits.clear()
    fewer = again()
    assert set(run(fewer)["seed"].astype(int)) == {0} and fits == []


def test_fewer_arms_are_a_part_of_it(again, fits):
    rows = run(again(arms=["without"]))
    assert fits == [] and "contrasts+fused" not in set(rows["trained_on"])


class PressedKeys(TileSampler):
    """A sampler at which somebody presses Ctrl-C before the second step."""

    def draw(self, step):
        if step == 1:
            raise KeyboardInterrupt
        return super().draw(step)


def test_an_interrupted_training_leaves_no_record_and_is_finished_later(
    again, finished, fits, monkeypatch
):
    stopped = again()
    training = list(stopped.trainings())[1]
    place = stopped.folder / "trainings" / hashes.disc_digest(stopped, training)
    shutil.rmtree(place)
    with monkeypatch.context() as patch:
        patch.setattr(trial, "TileSampler", PressedKeys)
        with pytest.raises(KeyboardInterrupt):
            run(stopped)
    assert not (place / "record.json").exists() and not (place / store.WEIGHTS).exists()
    assert not list(stopped.folder.rglob(".part-*"))
    run(again())
    assert len(fits) == 2 and fits[0] == fits[1]
    assert contents(stopped.folder) == contents(finished.folder)
    same = "metrics.csv"
    assert (stopped.folder / same).read_bytes() == (finished.folder / same).read_bytes()


def test_nothing_to_train(phantom, tmp_path):
    nothing = begin(tmp_path, phantom, networks=[], training__tile=[112, 128])
    assert plan.plan(nothing)["left"].sum() == 0
    with pytest.raises(ConfigError, match="nothing to train"):
        run(nothing)


def test_results_before_a_run(phantom, tmp_path):
    with pytest.raises(DataError, match="holds no results yet"):
        collect(begin(tmp_path, phantom))
