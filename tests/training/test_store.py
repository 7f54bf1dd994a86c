"""What a training leaves in its folder."""

import numpy as np
import pandas as pd
import pytest
from quick_experiment import FUSED, SINGLE

from ivdlib import files
from ivdlib.networks import UNetConfig, unet
from ivdlib.training import hashes, store
from ivdlib.training.run import run
from ivdlib.training.weights import load_model

pytestmark = pytest.mark.usefixtures("tiny_networks")


def test_the_record_of_a_training_says_what_made_it(finished):
    for training in finished.trainings():
        digest = hashes.disc_digest(finished, training)
        place = finished.folder / "trainings" / digest
        record = files.read_json(place / "record.json")
        fold = training.fold
        assert record["target"] == "disc" and record["fold"] == fold.number
        assert tuple(record["train"]) == fold.train and tuple(record["test"]) == fold.test
        assert record["images"] == list(SINGLE + (FUSED if training.arm == "with" else ()))
        assert record["options"]["steps"] == 3
        assert record["region"]["spine"] == hashes.spine_digest(finished, fold)
        network = load_model(place / "model.weights.h5")
        assert network.passport == record["passport"]
        assert network.passport["trained_by"] == f"grid/{digest}"
        assert network.passport["spine"] == record["region"]["spine"]
        weights = network.model.trainable_weights
        assert record["parameters"] == sum(int(np.prod(w.shape)) for w in weights)
        assert pd.read_csv(place / "history.csv")["step"].tolist() == [1, 2, 3]


def test_a_training_without_a_record_is_done_again_and_gives_the_same(again, finished, fits):
    repeated = again()
    training = list(repeated.trainings())[2]
    place = repeated.folder / "trainings" / hashes.disc_digest(repeated, training)
    (place / "record.json").unlink()
    run(repeated)
    assert len(fits) == 1 and training.title in fits[0]
    same = "metrics.csv"
    assert (repeated.folder / same).read_bytes() == (finished.folder / same).read_bytes()
    ours, theirs = (
        load_model(folder / "trainings" / place.name / store.WEIGHTS).model.get_weights()
        for folder in (repeated.folder, finished.folder)
    )
    assert all(np.array_equal(a, b) for a, b in zip(ours, theirs, strict=True))


def test_trainers_are_kept_for_the_next_training(finished):
    options = finished.profile.training
    config = unet.UNET_SIZES["tiny"]
    one = store.trainer("unet", config, (32, 32), options)
    assert store.trainer("unet", config, (32, 32), options) is one
    other = UNetConfig(base=1, levels=1)
    two = store.trainer("unet", other, (32, 32), options)
    assert store.trainer("unet", config, (32, 32), options) is one
    assert store.trainer("unet", other, (32, 32), options) is two
    assert store.trainer.cache_info().currsize == 2
