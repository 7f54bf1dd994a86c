"""Plans: what is left, and for how long."""

import pytest

from ivdlib import files
from ivdlib.evaluation import recorded, scores
from ivdlib.phantom import make_phantom
from ivdlib.training import hashes, plan, recording
from ivdlib.training.experiment import Experiment


@pytest.fixture(scope="module")
def phantom(tmp_path_factory):
    folder = tmp_path_factory.mktemp("data") / "phantom"
    return make_phantom(folder, subjects=2, stages=1, slices=2, in_plane=64)


def test_finished_trainings_are_not_left_and_tell_the_time(phantom, tmp_path):
    overrides = {"networks": ["unet", "fds_cnn"], "arms": ["with", "without"], "seeds": 2}
    overrides["training.tile"] = [32, 32]  # smaller than a slice: the spine stage is used
    made = Experiment("mine", "test", phantom, overrides=overrides, reports=tmp_path)
    rows = plan.plan(made).set_index(["network", "arm"])
    assert rows.pop("trainings").tolist() == rows["left"].tolist() == [2, 4, 4, 4, 4]
    assert not rows["measured"].any() and (rows["seconds"] > 0).all()

    first = next(made.trainings())
    place = made.folder / "trainings" / hashes.disc_digest(made, first)
    files.write_json(
        place / "record.json",
        {
            "target": "disc",
            "network": "unet",
            "arm": "with",
            "seconds_training": 90,
            "seconds_scoring": 10,
            "device": "a machine",
        },
    )
    files.write_text(place / scores.METRICS, "")
    assert hashes.finished(place)
    rows = plan.plan(made).set_index(["network", "arm"])
    assert rows.loc[("U-Net", "with"), ["left", "seconds", "measured"]].tolist() == [3, 300.0, True]
    assert rows.loc[("U-Net", "without"), "seconds"] == 400
    assert not rows.loc[("FDS-CNN", "with"), "measured"]

    record = recording.begun(made)
    assert (record["planned"], record["left"]) == (16, 15)
    assert (record["spine_planned"], record["spine_left"]) == (2, 2)
    record = recording.go_on(made)
    assert record["left"] + record["spine_left"] == rows["left"].sum() == 17
    assert recorded.left(record) == (
        "15 of 16 trainings of discs, and 2 of 2 of the spine, are left"
    )

    text = plan.plan_text("mine", rows.reset_index())
    assert text.startswith("mine: 17 trainings left, ")
    assert "\n  spine U-Net: 2 of 2 trainings left, " in text
    assert "U-Net, with fusion: 3 of 4 trainings left, 5 min 00 s\n" in text
    assert "FDS-CNN, with fusion: 4 of 4 trainings left, " in text and "s (estimated)" in text
