"""Every number on page one of the audit that ships, computed anew, by other means.

Nothing of ivdlib takes part: rows come from the files of the trainings by `csv`, differences and
intervals are written out here.
"""

import csv
import gzip
import json
import math
import statistics
from collections import defaultdict
from pathlib import Path

import pytest
from scipy import stats

REFERENCE = Path(__file__).parents[3] / "reports" / "reference"
WITH, WITHOUT = "contrasts+fused", "contrasts"
SINGLE = ("wat", "fat", "inn", "opp")
FUSED = ("wat+opp", "fat+opp", "wat+inn", "inn+opp")
EVERY = None

# By key: network and images of both sides, and what they were trained on where that is fixed.
SIDES = {
    "equal_weights": (("fds_cnn", EVERY), ("unet:equal_weights", EVERY)),
    "equal_cost": (("fds_cnn", EVERY), ("unet:equal_cost", EVERY)),
    "networks": (("fds_cnn", EVERY), ("unet", EVERY)),
    "fds_deeplab": (("fds_cnn", EVERY), ("deeplabv3plus", EVERY)),
    "no_dilation": (("fds_cnn", EVERY), ("fds_cnn:no_dilation", EVERY)),
    "standard": (("fds_cnn", EVERY), ("fds_cnn:standard", EVERY)),
    "aligned_two_down": (("fds_cnn:aligned", EVERY), ("fds_cnn:aligned_two_down", EVERY)),
    "aligned_four_down": (("fds_cnn:aligned", EVERY), ("fds_cnn:aligned_four_down", EVERY)),
    "fat_mean": (("fds_cnn", ("wat", "inn", "opp")), ("fds_cnn", ("fat",))),
    "fat_opp": (("fds_cnn", ("fat+opp",)), ("fds_cnn", ("fat",))),
    "fused": (("fds_cnn", FUSED), ("fds_cnn", SINGLE)),
    "fused_pair": (("fds_cnn", ("inn+opp",)), ("fds_cnn", ("wat",))),
    "fusion_training": (("fds_cnn", EVERY, WITH), ("fds_cnn", EVERY, WITHOUT)),
}


def volumes(experiment):
    """Rows of whole scans, from the files of an experiment's trainings."""
    folder = REFERENCE / "audit" / experiment
    paths = sorted(folder.glob("trainings/*/metrics.csv.gz"))
    found = []
    for path in paths:
        with gzip.open(path, "rt", encoding="utf-8") as stream:
            found += list(csv.DictReader(stream))
    known = json.loads((folder / "record.json").read_text(encoding="utf-8"))["cases"]
    for row in found:
        row["subject"] = known.get(row["case"], row)["subject"]  # as the table of subjects has it
    return [row for row in found if (row["target"], row["scope"]) == ("disc", "volume")]


def mean(groups):
    return {key: statistics.fmean(values) for key, values in groups.items()}


def dice(rows, network, images, arm):
    """Mean Dice by patient and training: over images, then scans."""
    mine = [row for row in rows if row["network"] == network and row["trained_on"] == arm]
    wanted = images or {row["contrast"] for row in mine if "+" not in row["contrast"]}
    scans = defaultdict(list)
    for row in mine:
        if row["contrast"] in wanted:
            key = row["subject"], row["seed"], row["fold"], row["case"]
            scans[key].append(float(row["dice"]))
    patients = defaultdict(list)
    for key, value in mean(scans).items():
        patients[key[:3]].append(value)
    return mean(patients)


def half(values, level=0.95):
    if len(values) < 2:
        return 0.0
    t = stats.t.ppf((1 + level) / 2, len(values) - 1)
    return t * statistics.stdev(values) / math.sqrt(len(values))


def compared(first, second):
    """Mean over patients, and the wider of the intervals over patients and over trainings."""
    by_patient = [defaultdict(list), defaultdict(list)]
    for groups, one in zip(by_patient, (first, second), strict=True):
        for (patient, *_), value in one.items():
            groups[patient].append(value)
    a, b = map(mean, by_patient)
    differences = [a[patient] - b[patient] for patient in sorted(a.keys() & b.keys())]
    trainings = defaultdict(list)
    for key in first.keys() & second.keys():
        trainings[key[1:]].append(first[key] - second[key])
    wide = max(half(differences), half([*mean(trainings).values()]))
    middle = statistics.fmean(differences)
    return middle, middle - wide, middle + wide


def of_gaps(row):
    """Sides of a comparison on scans without disc labels: shares of gaps found."""
    name = row["experiment"].replace(" on ", "_on_")
    with gzip.open(REFERENCE / "full_fields" / f"{name}.csv.gz", "rt", encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    arm = WITH if any(line["trained_on"] == WITH for line in rows) else WITHOUT
    return [
        {(line["subject"], line["seed"], line["fold"]): int(line["found"]) / int(line["gaps"])
         for line in rows if (line["network"], line["trained_on"]) == (network, arm)}
        for network, _ in SIDES[row["key"]]
    ]  # fmt: skip


def of_fds_cnn(training):
    """What FDS-CNN's training was told: rates of the other networks are none of its own."""
    return {key: value for key, value in training.items()
            if not key.endswith("_rate") or key == "learning_rate"}  # fmt: skip


def of_spine(row):
    """FDS-CNN with the region of the spine, and in the experiment without one."""
    folder = REFERENCE / "audit"
    record = json.loads((folder / row["experiment"] / "record.json").read_text())
    kept = []
    for path in folder.glob("*/record.json"):
        other = json.loads(path.read_text(encoding="utf-8"))
        profile = other["config"].get("profile", {})
        same = other["config"].get("data") == record["config"]["data"]
        mine = of_fds_cnn(record["config"]["profile"]["training"])
        alike = same and of_fds_cnn(profile.get("training", {})) == mine
        if alike and profile["spine"]["region"] == "none":
            kept.append(path.parent.name)
    (without,) = kept
    return [dice(volumes(name), "fds_cnn", EVERY, WITHOUT) for name in (row["experiment"], without)]


def sides(row):
    if " on " in row["experiment"]:
        return of_gaps(row)
    if row["key"] == "spine":
        return of_spine(row)
    rows = volumes(row["experiment"])
    usual = WITH if any(line["trained_on"] == WITH for line in rows) else WITHOUT
    derived = {line["contrast"] for line in rows if line["derived"] == "True"}
    found = []
    for network, images, *arm in SIDES[row["key"]]:
        if row["key"] == "fused":
            images = [image for image in images if image not in derived]
        found.append(dice(rows, network, images, *(arm or [usual])))
    return found


def page_one():
    with open(REFERENCE / "page_one.csv", encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    return [row for row in rows if row["key"] in SIDES or row["key"] == "spine"]


@pytest.mark.parametrize("row", page_one(), ids=lambda row: f"{row['key']}-{row['kind']}")
def test_a_number_of_page_one(row):
    found = compared(*sides(row))
    assert found == pytest.approx([float(row[k]) for k in ("mean", "low", "high")], abs=1e-6)
    page = (REFERENCE / "AUDIT.md").read_text(encoding="utf-8").partition("\n## ")[0]
    digits = 2 if found[2] - found[1] > 0.2 else 3
    shown = [f"{value:+.{digits}f}".replace("-", "−") for value in found]
    assert f"\u00a0{shown[0]}" in page and f"[{shown[1]},\u00a0{shown[2]}]" in page


def test_no_number_stands_on_page_one_that_was_not_computed_here():
    page = (REFERENCE / "AUDIT.md").read_text(encoding="utf-8").partition("\n## ")[0]
    cells = [line for line in page.splitlines() if line.startswith("| ")]
    shown = sum(line.count(",\u00a0") for line in cells)
    assert shown == len({(row["key"], row["kind"]) for row in page_one()})
