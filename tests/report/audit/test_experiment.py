"""The page's section on one experiment: discs by seam, the worst scans."""

import pandas as pd
import pytest

from ivdlib.report.audit import experiment

RECORD = {
    "data": "made up", "phantom": True, "seeds": 1, "seconds": 3600.0, "cases": {"a": {}, "b": {}},
    "planned": 4, "left": 0, "devices": ["one machine", "another"],
    "config": {"folds": [1, 2], "profile": {"size": "tiny", "training": {
        "steps": 5, "batch": 2, "learning_rate": 1e-3, "schedule": "cosine"}, "spine": {
        "steps": 7, "batch": 3, "learning_rate": 2e-3, "factor": 1}}},
}  # fmt: skip


def rows():
    every = []
    for case, dice in (("a", 0.9), ("b", 0.5)):
        for contrast, less in (("wat", 0.0), ("fat", 0.2), ("wat+opp", -0.05)):
            same = {"target": "disc", "network": "fds_cnn", "trained_on": "contrasts", "case": case,
                    "subject": case, "seed": 0, "fold": 1, "contrast": contrast}  # fmt: skip
            every.append({**same, "scope": "volume", "dice": dice - less})
            for disc, level in enumerate(("L5/S1", "L4/5"), start=1):
                every.append({
                    **same, "scope": "disc", "level": level, "disc": disc, "dice": dice - less,
                    "asd_mm": float(disc), "hd95_mm": 2.0 * disc, "centre_distance_mm": 0.5,
                    "seam": level == "L4/5", "missed": False,
                })  # fmt: skip
    return pd.DataFrame(every)


def test_discs_by_seam():
    page = experiment.experiment("mine", RECORD, rows())
    mean = f"{(0.9 + 0.7 + 0.5 + 0.3) / 4:.4f}"
    lines = {line.split(" | ")[0][2:]: line for line in page.splitlines() if "FDS-CNN |" in line}
    assert set(lines) == {"all discs", "cut by a seam", "not cut"}
    assert f"| 4 | {mean} | 0.0% | 1.50 | 3.00 | 0.50 |" in lines["all discs"]
    assert f"| 2 | {mean} | 0.0% | 1.00 | 2.00 | 0.50 |" in lines["not cut"]
    assert f"| 2 | {mean} | 0.0% | 2.00 |" in lines["cut by a seam"]
    assert (
        "made up (phantom), 2 scans of 2 patients scored, 1 of 2 folds" in page and "1.0 h" in page
    )


def test_the_spine_stage_alone():
    spine = rows().query("contrast == 'wat' and scope == 'volume'")
    spine = spine.assign(target="spine", discs_inside=0.999, region_share=0.3)
    page = experiment.experiment("mine", RECORD, spine)
    assert "2 scans of 2 patients scored, 1 of 2 folds; size tiny, 7 steps of 3 slices" in page
    assert "Spine network (7 steps of 3 slices, 1 × 1 pixels averaged): mean Dice" in page
    assert "mean Dice 0.7000 over 2 scans (least 0.5000); 99.900% of the disc voxels" in page
    assert "FDS-CNN" not in page


def test_seeds_are_averaged_before_discs_and_missed_ones_are_counted():
    """A scan that was trained twice weighs no more than another."""
    first = rows()
    again = first[first["case"] == "a"].assign(seed=1)
    again.loc[again["level"] == "L4/5", "dice"] = 0.0
    page = experiment.experiment("mine", RECORD, pd.concat([first, again]))
    (line,) = [line for line in page.splitlines() if line.startswith("| cut by a seam | FDS-CNN")]
    assert f"| 2 | {(0.45 + 0.35 + 0.5 + 0.3) / 4:.4f} | 0.0% |" in line
    assert "2 seeds;" in page
    some = again[again["case"] == "a"].assign(fold=2, case="c", subject="c")
    page = experiment.experiment("mine", RECORD, pd.concat([first, again, some]))
    assert "2 seeds (1 in some trainings)" in page
    lowest = first["level"] == "L5/S1"
    missed = first.assign(dice=first["dice"].where(~lowest, 0.0), missed=lowest)
    assert "| 100.0% |" in experiment.experiment("mine", RECORD, missed)


def test_derived_contrasts_are_named():
    page = experiment.experiment("mine", RECORD | {"derived": ["wat"]}, rows())
    assert "Derived, not measured: wat, computed from the other contrasts." in page


def test_the_worst_scans_are_named():
    page = experiment.experiment("mine", RECORD, rows())
    assert "b fat (contrasts) 0.300, b wat (contrasts) 0.500, a fat (contrasts) 0.700." in page


@pytest.mark.parametrize("scope", ["together", "blurred"])
def test_an_experiment_without_discs_or_scans_has_no_such_tables(scope):
    page = experiment.experiment("mine", RECORD, rows().assign(scope=scope))
    assert page.startswith("## mine") and "|" not in page and "Worst" not in page


def test_an_unfinished_experiment_says_so():
    page = experiment.experiment("mine", RECORD | {"left": 3}, rows())
    assert "**Unfinished: 3 of 4 trainings are left.** A comparison rests on" in page
    assert "nfinished" not in experiment.experiment("mine", RECORD, rows())
    assert "1.0 h of training and scoring on one machine; another." in page


def test_the_spine_stage_is_told():
    spine = pd.DataFrame(
        {"target": "spine", "network": "unet", "case": ["a", "b"], "dice": [0.9, 0.8]}
    )
    discs = rows().assign(discs_inside=0.995, region_share=0.25)
    page = experiment.experiment("mine", RECORD, pd.concat([discs, spine]))
    assert "mean Dice 0.8500 over 2 scans (least 0.8000); 99.500%" in page
    assert "is 25.0% of the image (most 25.0%)" in page
    alone = pd.concat([discs[:0], spine.assign(scope="volume", subject="a")])
    page = experiment.experiment("mine", RECORD, alone)
    assert "over 2 scans (least 0.8000).\n" in page  # no disc network is trained yet


@pytest.mark.parametrize("people", [2, 22])
def test_many_patients_stand_below_one_another(people):
    """Twenty-two columns of numbers ran off the page."""
    one = rows().query("case == 'a'")
    every = pd.concat([one.assign(case=f"p{n}", subject=f"p{n}") for n in range(people)])
    page = experiment.experiment("mine", RECORD, every)
    table = page.partition("Mean Dice of each patient")[2].strip().split("\n\n")[1].splitlines()
    assert max(line.count("|") for line in table) <= experiment.WIDE + 2
    assert sum("0.8000" in line for line in table) == (1 if people == 2 else people + 1)
