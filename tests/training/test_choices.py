"""Choices and deviations: each row is what this experiment does, and nothing else is listed."""

import dataclasses

import numpy as np
import pytest

from ivdlib.data.cases import Case
from ivdlib.data.subjects import CHALLENGE_SUBJECTS
from ivdlib.options import TrainingOptions, spine_training
from ivdlib.profiles import PROFILES, current, keys
from ivdlib.training import choices, deviations, hashes, recipes, recording, spine_stage
from ivdlib.training import experiment as experiment_module
from ivdlib.training.experiment import Experiment

DIXON = ("wat", "fat", "inn", "opp")
CROP, WHOLE = (2, 48, 56), (2, 130, 140)


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


def chosen(experiment):
    rows = choices.open_choices(experiment)
    assert all(all(row.values()) for row in rows)
    assert len({row["what"] for row in rows}) == len(rows)
    return {row["what"]: row["ours"] for row in rows}


def differing(experiment):
    return {row["field"]: row for row in deviations.deviations(experiment)}


# --- the spine network is told from the options that train it --------------------------------


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
    """But for its tile, which is a slice, its place in it, and the precision, which has a row."""
    made = make()
    before = chosen(made)["spine, training"]
    usual = spine_training(made.profile.spine)
    value = getattr(usual, field)
    other = {
        "loss": "dice", "schedule": "constant", "tiles": "thinned", "tile": (32, 32),
        "precision": "float16", "placement": "clipped",
    }.get(field) or value + (0.25 if isinstance(value, float) else 1)  # fmt: skip
    changed = dataclasses.replace(usual, **{field: other})
    monkeypatch.setattr(choices, "spine_training", lambda *_: changed)
    told = field not in {"tile", "placement", "precision"}
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


# --- rows are right, or not there -------------------------------------------------------------


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


def test_the_recipe_better_is_told_as_it_is(make):
    told = chosen(make(**{k.replace(".", "__"): v for k, v in recipes.recipe("better").items()}))
    assert told["spine, input"].startswith("slices as they are; mean")
    assert told["spine, parts of the mask"].endswith("and others up to 5 mm away")
    assert told["one network or four"] == "one for all contrasts, 3 channels"
    assert chosen(make())["spine, parts of the mask"] == "the largest connected part"


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
        rows = choices.open_choices(make(CROP, **settings))
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


# --- nothing is left out, nothing else is listed ------------------------------------------------

KINDS = {
    "whole": {}, "crops": {"shape": CROP}, "one contrast": {"contrasts": ("t2",)},
    "true spine": {"spine__region": "true"}, "no spine": {"spine__region": "none"},
    "spine alone": {"networks": []}, "phantom": {"phantom": True, "profile": "smoke"},
    "stacked": {"arms": ["stacked"]}, "channels": {"training__neighbours": 1},
}  # fmt: skip
OTHER = {
    "size": "laptop", "networks": ["fds_cnn"], "arms": ["with"], "folds": 3, "leak": "epoch",
    "bn_momentum": 0.5, "training.schedule": "constant", "training.loss": "bce",
    "training.tile": [64, 64], "training.tiles": "all", "training.placement": "clipped",
    "training.precision": "float16", "training.learning_rate": 0.5, "training.average": 0.5,
    "training.noise_probability": 0.25, "training.noise_max_share": 0.1, "spine.region": "none",
    "spine.size": "laptop", "spine.learning_rate": 0.5, "spine.tolerance": 0.0,
}  # fmt: skip
HASHED_ONLY = {("true spine", "spine.gap"), ("true spine", "spine.factor")}
"""In the hash of old, though without a network they decide on nothing."""
TOLD_ANYWAY = {
    ("spine alone", "training.precision"), ("spine alone", "spine.gap"),
    ("spine alone", "spine.margin"), ("spine alone", "spine.mask"),
    ("spine alone", "spine.tolerance"),
}  # fmt: skip
"""In no hash: what is said of the mask, and what precision the spine network was trained in."""


def other(experiment, key):
    """Another value of a field, one that a profile takes."""
    value = current(experiment.profile, key)
    found = OTHER.get(key, not value if isinstance(value, bool) else None)
    return value + 1 if found is None else found


def digests(experiment):
    found = {hashes.disc_digest(experiment, training) for training in experiment.trainings()}
    if experiment.uses_spine_network:
        found |= {hashes.spine_digest(experiment, fold) for fold in experiment.folds}
    return found


@pytest.mark.parametrize("kind", KINDS)
def test_a_field_is_told_if_and_only_if_it_takes_part(make, kind):
    base = make(**KINDS[kind])
    told, trained = (choices.open_choices(base), deviations.deviations(base)), digests(base)
    aside = {"seeds", "references", "comparable", "score_discs", "stress", "partition"}
    aside |= {"spine.region"} if kind == "spine alone" else set()  # there it must be predicted
    for key in set(keys()) - aside:
        changed = make(**KINDS[kind] | {key.replace(".", "__"): other(base, key)})
        now = choices.open_choices(changed), deviations.deviations(changed)
        takes_part = digests(changed) != trained and (kind, key) not in HASHED_ONLY
        takes_part |= (kind, key) in TOLD_ANYWAY
        takes_part |= kind == "phantom" and key.startswith("phantom.")  # other scans
        assert (now != told) == takes_part, f"{kind}, {key}"


@pytest.mark.parametrize("name", PROFILES)
def test_reasons_of_the_profiles_point_the_right_way(make, name):
    words = {"smaller": -1, "fewer": -1, "higher": 1}
    for row in deviations.deviations(make(profile=name, phantom=True)):
        for word, sign in words.items():
            if word in row["why"].split() and row["field"] not in {"size", "data", "folds"}:
                ours, paper = float(row["ours"]), float(row["paper"])
                assert np.sign(ours - paper) == sign, row


def test_a_reason_is_that_of_the_profile_only_for_its_own_value(make):
    why = {k: row["why"] for k, row in differing(make(spine__steps=2000, size="laptop")).items()}
    assert why["spine.steps"] == why["size"] == "set for this experiment"  # not "fewer", "smaller"
    assert why["training.steps"].endswith("fits the time of the profile")
    better = {k.replace(".", "__"): v for k, v in recipes.recipe("better", "laptop").items()}
    why = {k: row["why"] for k, row in differing(make(**better)).items()}
    assert why["training.neighbours"] == "the recipe better sets it"
    assert why["spine.steps"] == "the recipe better needs as many"


def test_a_choice_that_was_asked_for_gives_no_reason_of_ours(make):
    rows = {row["what"]: row for row in choices.open_choices(make(training__loss="bce"))}
    assert rows["loss"]["why"] == "set for this experiment"
    assert "Dice" in {r["what"]: r for r in choices.open_choices(make())}["loss"]["why"]


def test_the_paper_deviates_in_nothing_from_itself(make):
    assert deviations.deviations(make(profile="paper", challenge=True)) == []
    assert deviations.deviations(make(profile="paper", challenge=True, seeds=1)) == []


@pytest.mark.parametrize(
    "other",
    [
        {"challenge": False},
        {"shape": CROP},  # crops of those scans
        {"contrasts": ("wat", "fat")},
        {"contrasts": ("t2",)},
    ],
)
def test_other_scans_than_the_papers_are_a_deviation(make, tmp_path, other):
    made = make(**{"profile": "paper", "challenge": True} | other)
    row = differing(made)["data"]
    assert row["paper"] == "IVDM3Seg, 16 scans of 8 subjects"
    assert row["ours"].startswith(f"{tmp_path.name}, {len(made.cases)} scans of 8 people; contr")
    assert row["ours"].endswith(", ".join(made.contrasts))
    assert row["why"] == "these scans were given (--data)"


def test_contrasts_that_were_computed_are_told(make):
    made = make(profile="paper", challenge=True)
    first = next(iter(made.cases.values()))
    made.cases[first.name] = dataclasses.replace(first, derived=frozenset({"fat", "wat"}))
    assert differing(made)["data"]["ours"].endswith("; computed from others: fat, wat")


def test_deviations_say_what_and_why(make):
    rows = differing(make(training__batch=4))
    assert rows["size"]["ours"] == "tiny" and rows["size"]["paper"] == "paper"
    assert rows["training.batch"]["ours"] == "4" and rows["training.batch"]["paper"] == "16"
    assert rows["training.steps"]["paper"] == "20000" and "seeds" not in rows
    assert not [field for field in rows if field.startswith("phantom")]
    drawn = differing(make(profile="smoke", phantom=True))
    assert drawn["data"]["ours"].startswith("phantom, 8 scans of 8 people")
    assert drawn["phantom.subjects"]["ours"] == "4"


def test_every_reason_belongs_to_a_field():
    assert set(deviations.REASONS) <= set(keys())


def test_the_label_below_tables_counts_the_steps_that_are_trained(make):
    assert make().label().endswith("1200 steps")
    assert make(networks=[]).label().endswith("600 steps of the spine network")


@pytest.mark.parametrize(("steps", "shape"), [(80, WHOLE), (800, WHOLE), (80, CROP)])
def test_a_record_says_what_is_short_of_its_recipe(make, steps, shape):
    """As the terminal does; not where no spine network is trained, nor without the recipe."""
    better = {k.replace(".", "__"): v for k, v in recipes.recipe("better", "laptop").items()}
    made = make(shape, **{**better, "spine__steps": steps})
    told = recipes.short_of("better", made.profile) if shape == WHOLE else []
    assert recording.begun(made)["short_of"] == told
    assert bool(told) == (steps == 80 and shape == WHOLE)
    assert recording.begun(make(shape, spine__steps=steps))["short_of"] == []
