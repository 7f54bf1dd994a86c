"""The command that makes an experiment again: it is read back as the very same experiment."""

import json
import shlex

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ivdlib import cli, files, options, profiles, provenance
from ivdlib.cli import arguments, grid
from ivdlib.evaluation import recorded
from ivdlib.profiles import EXTENDABLE
from ivdlib.training import declared, rerun_command

ROOT = provenance.root()
REFERENCE = sorted((ROOT / "reports" / "reference").glob("audit/*/record.json"))


def record(profile, **more):
    """As `recording` writes it, as far as the command goes, by way of a file."""
    fixed = {k: v for k, v in profile.to_dict().items() if k not in EXTENDABLE}
    found = {
        "name": "mine", "phantom": False, "data": "scans", "config": {"profile": fixed},
        "networks": profile.networks, "arms": profile.arms, "seeds": profile.seeds,
        "load": {}, "split": None, **more,
    }  # fmt: skip
    return json.loads(json.dumps(found))


def read(words):
    """Profile, name and arguments that a command comes to, as `ivdlib grid` reads it."""
    assert words[:4] == [*rerun_command.PROGRAM, "grid"]
    args = cli._parser().parse_args(shlex.split(shlex.join(words))[3:])
    wanted = grid._declared(args)
    return profiles.profile(wanted.profile, wanted.overrides), wanted, args


CHANGES = st.fixed_dictionaries({}, optional={
    "size": st.sampled_from(options.SIZE_NAMES), "bn_momentum": st.sampled_from([0.9, 0.5, 0]),
    "networks": st.sampled_from([("unet",), ("fds_cnn:no_aspp", "unet"), ()]),
    "arms": st.sampled_from([("with",), ("without", "quiet")]), "seeds": st.integers(1, 4),
    "folds": st.sampled_from([None, 2, 5]), "inner": st.booleans(),
    "stress": st.sampled_from([(), ("noisy", "pixels")]),
    "leak": st.sampled_from([*profiles.LEAKS]),
    "training.steps": st.integers(1, 9), "training.tile": st.sampled_from([(48, 48), (112, 128)]),
    "training.learning_rate": st.floats(1e-6, 0.1), "training.placement": st.just("clipped"),
    "training.precision": st.sampled_from(["float32", "auto"]),
    "spine.mask": st.booleans(), "spine.gap": st.sampled_from([0.0, 5.0]),
    "spine.factor": st.integers(1, 8), "phantom.slices": st.integers(1, 9),
    "references": st.booleans(), "training.neighbours": st.integers(0, 2),
})  # fmt: skip


@settings(deadline=None, max_examples=60)
@given(st.sampled_from([*profiles.PROFILES]), CHANGES)
def test_a_command_is_read_back_as_what_it_was_made_from(name, changes):
    profile = profiles.profile(name, changes)
    found, wanted, args = read(rerun_command.command(record(profile)))
    assert found == profile
    assert (wanted.name, args.data, args.split) == ("mine", "data/scans", None)


def test_how_scans_were_read_is_in_the_command():
    load = {"discs": [1, 2], "spine": [3], "derive_missing": False, "label_grid": "affine"}
    made = record(profiles.profile("test"), load=load, split="my folds.csv")
    _, _, args = read(rerun_command.command(made))
    assert arguments.load_options(args) == {**load, "discs": {1, 2}, "spine": {3}}
    assert args.split == "my folds.csv" and "my folds.csv" in rerun_command.needs(made)
    assert "put their folder, scans, into data/" in rerun_command.needs(made)
    drawn = record(profiles.profile("smoke"), phantom=True, data="phantom")
    assert rerun_command.needs(drawn) == "" and "--data" not in rerun_command.command(drawn)


def test_a_declared_file_stands_for_its_experiment_only_while_it_says_the_same(
    tmp_path, monkeypatch
):
    monkeypatch.setattr(provenance, "checkout", lambda: tmp_path)
    place = tmp_path / "benchmarks" / "mine.toml"
    text = 'data = "scans"\nprofile = "laptop"\n[set]\nseeds = 2\n"training.steps" = 7\n'
    files.write_text(place, text)
    wanted = declared.load(place)
    made = record(profiles.profile(wanted.profile, wanted.overrides))
    assert rerun_command.command(made)[4:] == ["--experiment", "benchmarks/mine.toml"]
    grown = rerun_command.command({**made, "seeds": 3, "networks": ["unet"]})
    assert grown[6:] == ["--set", "networks=unet", "--seeds", "3"]
    for other in (
        text.replace("7", "8"), text.replace("scans", "scan"), text.replace("laptop", "smoke"),
        "profile =", text.replace("steps", "stepz"),
    ):  # fmt: skip
        files.write_text(place, other)
        assert "--experiment" not in rerun_command.command(made)
    place.unlink()
    assert rerun_command.command(made)[4:8] == ["--profile", "laptop", "--name", "mine"]


def test_a_record_from_before_placement_says_what_was_done_then():
    made = record(profiles.profile("laptop"))
    del made["config"]["profile"]["training"]["placement"]
    assert "training.placement=clipped" in rerun_command.command(made)
    assert "training.placement=clipped" not in rerun_command.command({**made, "one_tile": True})


@pytest.mark.parametrize("path", REFERENCE, ids=lambda path: path.parent.name)
def test_the_reference_experiments_can_be_made_again(path):
    """From the record alone: the command comes to the same profile, on the same data."""
    made = files.read_json(path)
    if made.get("external"):
        assert rerun_command.command({"config": {}}) == []
        return
    words = rerun_command.command(made)
    profile, wanted, args = read(words)
    mine = made["config"]["profile"]
    its = {k: v for k, v in profile.to_dict().items() if k in mine}
    for told in (its, mine):  # without what decides on nothing
        if made.get("one_tile"):
            told["training"] = {k: v for k, v in told["training"].items() if k != "placement"}
        if made.get("one_tile") or told["spine"]["region"] == "none":
            told["spine"] = {k: v for k, v in told["spine"].items() if k != "tolerance"}
    said = [recorded.by_value(recorded.unusual(told)) for told in (its, mine)]
    assert said[0] == said[1]
    if args.experiment:
        assert (ROOT / args.experiment).is_file()
    data = args.data or " + ".join(wanted.data) or "phantom"
    assert data.rpartition("/")[2] == made["data"]
