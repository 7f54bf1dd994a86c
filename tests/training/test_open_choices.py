"""Choices and deviations: each row is what this experiment does, and nothing else is listed."""

import dataclasses

import pytest
from told import CROP, chosen, differing, other

from ivdlib.options import OWN_RATES, TrainingOptions, spine_training
from ivdlib.profiles import keys
from ivdlib.training import deviations, hashes, open_choices, spine_stage


def test_the_spine_network_is_told_from_what_trains_it(make):
    """Its loss, rotation and random pixels are none of the disc networks'."""
    made = make(training__loss="bce", training__rotation=40.0, training__noise_probability=0.9)
    told = chosen(made)
    assert told["loss"] == "bce" and "40°" in told["rotation"]
    used = spine_training(made.profile.spine, made.profile.training.precision)
    assert used.loss == "bce_dice" and used.rotation == 15.0
    for words in ("loss bce_dice", "up to 15°", "a share of 0.5", "0.15", "600 steps of 8"):
        assert words in told["spine, training"]
    assert "above" not in told["spine, training"]


@pytest.mark.parametrize("field", [f.name for f in dataclasses.fields(TrainingOptions)])
def test_each_option_of_the_spine_network_is_in_its_row(make, monkeypatch, field):
    """But for its tile, which is a slice, its place in it, rates of others, and the precision."""
    made = make()
    before = chosen(made)["spine, training"]
    usual = spine_training(made.profile.spine)
    value = getattr(usual, field)
    other = {
        "loss": "dice", "schedule": "constant", "tiles": "thinned", "tile": (32, 32),
        "precision": "float16", "placement": "clipped", **dict.fromkeys(OWN_RATES.values(), 1.0),
    }.get(field) or value + (0.25 if isinstance(value, float) else 1)  # fmt: skip
    changed = dataclasses.replace(usual, **{field: other})
    monkeypatch.setattr(open_choices, "spine_training", lambda *_: changed)
    told = field not in {"tile", "placement", "precision", *OWN_RATES.values()}
    assert (chosen(made)["spine, training"] != before) == told


def test_what_trains_is_what_is_told(make, monkeypatch):
    """The trainer of the spine network gets those very options."""
    made, got = make(training__loss="dice", spine__steps=3), []

    class Stopped(Exception):
        pass

    def trainer(network, config, size, options, channels=1):
        got.append(options)
        raise Stopped

    monkeypatch.setattr(spine_stage.store, "trainer", trainer)
    with pytest.raises(Stopped):
        spine_stage.network(made, made.folds[0])
    expected = spine_training(made.profile.spine, made.profile.training.precision)
    assert got == [dataclasses.replace(expected, tile=spine_stage.tile(made))]


def test_scans_that_fit_one_tile_have_no_spine_stage(make):
    made = make(CROP)
    told = chosen(made)
    assert told["spine stage"] == "none: every scan fits one tile"
    assert not [what for what in told if what.startswith("spine,")]
    assert not [field for field in differing(made) if field.startswith(("spine", "phantom"))]
    assert differing(made)["training.tile"]["ours"] == "48 × 56"
    assert differing(made)["training.tile"]["why"] == "the slices are no larger"


def test_a_spine_that_is_given_or_left_out_has_no_network(make):
    given, none = make(spine__region="true"), make(spine__region="none")
    assert "spine, training" not in chosen(given) and "spine, use" in chosen(given)
    assert chosen(given)["spine, use"].startswith("true mask, widened by 15 mm; places the tiles")
    assert chosen(none)["spine stage"].startswith("none: the whole slice")
    assert "spine.steps" not in differing(given) and "spine.steps" in differing(make())
    assert differing(none)["spine.region"]["ours"] == "none"
    placed = chosen(make(spine__mask=False))["spine, use"]
    assert "nothing is set to zero" in placed and "set to zero;" in chosen(make())["spine, use"]
    assert "empty is used whole" in placed and "empty" not in chosen(given)["spine, use"]


@pytest.mark.parametrize(("spine", "words"), [
    ((True,), "the labelled spine"),
    ((False,), "a tube around the labelled discs"),
    ((True, False), "the labelled spine in 4 of 8 scans, else a tube around the labelled discs"),
])  # fmt: skip
def test_the_truth_of_the_spine_is_that_of_these_scans(make, spine, words):
    assert chosen(make(spine=spine))["spine, truth"] == words


def test_one_contrast_has_no_fusion_and_one_network(make):
    made = make(contrasts=("t2",))
    told, rows = chosen(made), differing(made)
    assert "fusion" not in told and "one network or four" not in told
    assert "mean" not in told["spine, input"]
    assert rows["arms"]["ours"] == "contrasts" and rows["arms"]["why"].endswith("nothing to fuse")
    assert chosen(make())["fusion"] and "arms" not in differing(make())


def test_contrasts_as_channels_are_told(make):
    told = chosen(make(arms=["stacked"], training__neighbours=1))
    assert told["one network or four"] == "contrasts as channels, 12 channels"
    assert "fusion" not in told
    both = chosen(make(arms=["with", "stacked"]))["one network or four"]
    assert both == "one for all contrasts, 1 channel; contrasts as channels, 4 channels"


def test_random_pixels_are_told_for_each_kind_of_training(make):
    what = "images that get random pixels"
    assert chosen(make())[what] == "a share of 0.5 of the tiles"
    assert chosen(make(arms=["with", "quiet"]))[what].endswith("; none in the training without "
                                                               "random pixels")  # fmt: skip
    quiet = chosen(make(training__noise_probability=0.0))
    assert quiet[what] == "none" and "random pixels" not in quiet


def test_the_spine_network_alone_has_no_rows_of_the_others(make):
    made = make(networks=[])
    told, rows = chosen(made), differing(made)
    assert not {"loss", "length", "tiles to train on", "fusion", "batch on several GPUs"} & set(
        told
    )
    assert told["spine, use"].endswith("how much of the discs lies in it is scored")
    assert "spine, training" in told and rows["networks"]["ours"].startswith("none: the spine")
    assert [key for key in rows if key.startswith(("training", "size", "arms"))] == []
    assert "training.precision" in differing(make(networks=[], training__precision="float32"))


def test_baselines_have_a_width_only_if_there_are_any(make):
    assert "width of the baselines" not in chosen(make(networks=["fds_cnn", "fds_cnn:no_aspp"]))
    assert chosen(make())["width of the baselines"] == "U-Net, DeepLabv3+: size tiny"
    only = chosen(make(CROP, networks=["deeplabv3plus"]))
    assert "U-Net, up-convolutions" not in only


def test_averaged_weights_and_the_best_step_are_told(make):
    what = "weights that count"
    assert chosen(make())[what] == "the last"
    assert chosen(make(training__average=0.9))[what] == "a moving average, momentum 0.9"
    assert "A LEAK" in chosen(make(leak="epoch"))[what] and differing(make(leak="epoch"))["leak"]


def test_who_is_in_which_fold_is_told_as_it_is(make, tmp_path):
    def row(**settings):
        rows = open_choices.open_choices(make(CROP, **settings))
        (found,) = [row for row in rows if row["what"] == "who is in which fold"]
        return found["ours"], found["why"]

    assert row() == ("patients shuffled by seed 0", "each patient is tested once")
    assert row(partition=3)[0].endswith("seed 3")
    ours, why = row(inner=True)
    assert "one training patient" in ours and why == "no patient is on both sides of a fold"
    assert row(leak="scan")[0] == "SCANS shuffled by seed 0"
    table = tmp_path / "mine.csv"
    table.write_text("case,fold\n" + "".join(f"c{w},{k % 2}\n" for k, w in enumerate("ABCDEFGH")))
    assert row(split=table)[0] == "as the table mine.csv says"
    assert differing(make(CROP, split=table))["folds"]["why"] == "as the table of folds says"
    assert differing(make(CROP, people="ABCDEF"))["folds"]["why"] == "too few patients for 4"
    assert differing(make(CROP, folds=3))["folds"]["why"] == "set for this experiment"


KINDS = {
    "whole": {}, "crops": {"shape": CROP}, "one contrast": {"contrasts": ("t2",)},
    "true spine": {"spine__region": "true"}, "no spine": {"spine__region": "none"},
    "spine alone": {"networks": []}, "phantom": {"phantom": True, "profile": "smoke"},
    "stacked": {"arms": ["stacked"]}, "channels": {"training__neighbours": 1},
}  # fmt: skip
HASHED_ONLY = {("true spine", "spine.gap"), ("true spine", "spine.factor")}
"""In the hash of old, though without a network they decide on nothing."""
TOLD_ANYWAY = {
    ("spine alone", "training.precision"), ("spine alone", "spine.gap"),
    ("spine alone", "spine.margin"), ("spine alone", "spine.mask"),
    ("spine alone", "spine.tolerance"),
}  # fmt: skip
"""In no hash: what is said of the mask, and what precision the spine network was trained in."""


def digests(experiment):
    found = {hashes.disc_digest(experiment, training) for training in experiment.trainings()}
    if experiment.uses_spine_network:
        found |= {hashes.spine_digest(experiment, fold) for fold in experiment.folds}
    return found


@pytest.mark.parametrize("kind", KINDS)
def test_a_field_is_told_if_and_only_if_it_takes_part(make, kind):
    base = make(**KINDS[kind])
    told, trained = (open_choices.open_choices(base), deviations.deviations(base)), digests(base)
    aside = {"seeds", "references", "comparable", "score_discs", "stress", "partition", "refold"}
    aside |= {"spine.region"} if kind == "spine alone" else set()  # there it must be predicted
    for key in set(keys()) - aside:
        changed = make(**KINDS[kind] | {key.replace(".", "__"): other(base, key)})
        now = open_choices.open_choices(changed), deviations.deviations(changed)
        takes_part = digests(changed) != trained and (kind, key) not in HASHED_ONLY
        takes_part |= (kind, key) in TOLD_ANYWAY
        takes_part |= kind == "phantom" and key.startswith("phantom.")  # other scans
        assert (now != told) == takes_part, f"{kind}, {key}"


def test_a_choice_that_was_asked_for_gives_no_reason_of_ours(make):
    rows = {row["what"]: row for row in open_choices.open_choices(make(training__loss="bce"))}
    assert rows["loss"]["why"] == "set for this experiment"
    assert "Dice" in {r["what"]: r for r in open_choices.open_choices(make())}["loss"]["why"]


def test_the_label_below_tables_counts_the_steps_that_are_trained(make):
    assert make().label().endswith("1200 steps")
    assert make(networks=[]).label().endswith("600 steps of the spine network")
