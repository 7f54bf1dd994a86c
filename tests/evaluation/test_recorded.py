"""Finished experiments of reports/reference: today's code gives their trainings the same hashes.

Everything is taken from the records and from the files that declare the experiments; no scan is
read. A hash that comes out otherwise would make a finished training be done again.
"""

from functools import cached_property
from pathlib import Path

import pytest

from ivdlib import files, profiles
from ivdlib.data import json_shape
from ivdlib.errors import DataError
from ivdlib.evaluation import recorded
from ivdlib.preprocessing.folds import Fold
from ivdlib.training import declared, hashes
from ivdlib.training.experiment import Experiment

ROOT = Path(__file__).parents[2]
REFERENCE = ROOT / "reports" / "reference"
DECLARED = sorted(ROOT.glob("benchmarks/audit/*.toml")) + [ROOT / "benchmarks/momentum.toml"]


class Recorded(Experiment):
    """An experiment as its record tells it, without scans."""

    def __init__(self, toml, folder):
        what = declared.load(toml)
        self.name, self.folder, self.cases = what.name, folder, {}
        self.profile = profiles.profile(what.profile, what.overrides)
        self.record = files.read_json(folder / "record.json")
        self.records = {
            path.parent.name: files.read_json(path)
            for path in folder.glob("trainings/*/record.json")
        }
        who = {name: case["subject"] for name, case in self.record["cases"].items()}
        if self.profile.leak == "scan":
            who = {name: name for name in who}
        self.folds = [
            Fold(fold["number"], tuple(fold["train"]), tuple(fold["test"]), who)
            for fold in self.record["config"]["folds"]
        ]

    def of(self, target):
        return [record for record in self.records.values() if record["target"] == target]

    @property
    def tile(self):
        return self.record["tile"]

    @cached_property
    def one_tile(self):
        """Without a region although the profile asks for one."""
        asked = self.profile.spine.region != "none"
        return asked and not self.of("spine") and all(r["region"] is None for r in self.of("disc"))

    @cached_property
    def contrasts(self):
        images = next(record["images"] for record in self.of("spine") + self.of("disc"))
        return tuple(part for name in images if "+" not in name for part in name.split("&"))

    @cached_property
    def fingerprints(self):
        found = {}
        for record in self.records.values():
            for scans in (record["train"], record["test"]):
                assert all(found.get(name, value) == value for name, value in scans.items())
                found |= scans
        return found


@pytest.mark.parametrize("toml", DECLARED, ids=lambda path: path.stem)
def test_hashes_come_out_as_before(toml):
    folder = REFERENCE / ("audit" if toml.parent.name == "audit" else "") / toml.stem
    made = Recorded(toml, folder)
    wanted = {hashes.disc_digest(made, training) for training in made.trainings()}
    wanted |= {hashes.spine_digest(made, fold) for fold in made.folds}
    wanted |= {hashes.reference_digest(made, fold) for fold in made.folds}
    assert made.records and not set(made.records) - wanted
    assert made.digest == made.record["config_hash"]


def test_no_experiment_is_left_out():
    recorded = {path.parent for path in REFERENCE.glob("**/trainings")}
    known = {REFERENCE / "audit" / path.stem for path in DECLARED} | {REFERENCE / "momentum"}
    assert recorded <= known


@pytest.mark.parametrize("target", ["disc", "spine"])
def test_a_record_alone_gives_its_hash(target):
    """What was hashed is all that a record holds, but for what `store.finish` adds."""
    added = {"fold", "passport", "precision", "parameters", "seconds_training", "seconds_scoring",
             "made", "device", "versions", "sha256"}  # fmt: skip
    paths = [*REFERENCE.glob("**/trainings/*/record.json")]
    records = [(path.parent.name, files.read_json(path)) for path in paths]
    records = [(name, record) for name, record in records if record["target"] == target]
    assert len(records) > 30
    for name, record in records:
        hashed = {key: value for key, value in record.items() if key not in added}
        assert hashes.short_hash(hashed) == name


@pytest.mark.parametrize(
    ("value", "shape", "odd"),
    [
        (1, float, ""), (1.5, float, ""), (True, float, "it"), (float("nan"), float, "it"),
        (10**400, float, "it"), (1.0, int, "it"), (False, int, "it"), ("a", (int, str), ""),
        (None, (str, None), ""), ([1, "a"], [int], "it[1]"), ({}, {"a": int}, ""),
        ({}, {"a!": int}, "a"), ({"a": {"b": []}}, {"a": {"b": str}}, "a.b"),
        ({"a": {"x": 1}}, {"a": {...: str}}, "a.x"), ([], {}, "it"), ({}, [int], "it"),
        ({"a": [{"c": 1}]}, {"a": [{"b!": int}]}, "a[0].b"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_named(value, shape, odd):
    assert json_shape.misfit(value, shape) == odd


@pytest.mark.parametrize(
    "name",
    ["/etc/hostname", "../..", "..", ".", "", "tables/../../x", "a\\b", "C:/x", "a//b", "a/",
     "a\0b", "x" * 300, "\N{BONE}"],
)  # fmt: skip
def test_a_record_vouches_for_nothing_outside_its_folder(tmp_path, name):
    for shape, place in (("experiment", tmp_path), ("training", tmp_path / "trainings" / "0")):
        files.write_json(place / "record.json", {"config": {}, "target": "reference"})
        recorded.changed(tmp_path)
        sealed = {"config": {}, "target": "reference", "sha256": {name: "x"}}
        files.write_json(place / "record.json", sealed)
        with pytest.raises(DataError, match=rf"no record of an? {shape} \(sha256 .*; remove it"):
            recorded.changed(tmp_path)
        files.write_json(place / "record.json", {"config": {}, "target": "reference"})


@pytest.mark.parametrize("target", [None, "", "discs", 3])
def test_a_training_without_a_target_is_none(tmp_path, target):
    path = tmp_path / "trainings" / "0" / "record.json"
    files.write_json(path, {} if target is None else {"target": target})
    with pytest.raises(DataError, match=r"is no record of a training \(target missing"):
        recorded.trainings(tmp_path)


def test_records_of_before_are_records():
    paths = [*REFERENCE.glob("**/trainings/*/record.json")]
    assert len([recorded.training(path) for path in paths]) >= 275
