"""The page of the audit on made-up experiments."""

import numpy as np
import pandas as pd
import pytest
from made_up_scores import CLEAR, SINGLE, scores

from ivdlib import files, profiles, provenance
from ivdlib.errors import DataError
from ivdlib.evaluation.comparisons import WITH, WITHOUT
from ivdlib.report.audit import how_judged
from ivdlib.report.audit import page as audit_page

FOLDS = [{"number": 1, "train": ["b"], "test": ["a"]}, {"number": 2, "train": ["a"], "test": ["b"]}]


def experiment(folder, name, metrics, data=None, extra=None, **profile):
    training = {"steps": 7, "batch": 2, "learning_rate": 1e-3, "schedule": "cosine"}
    training |= extra or {}
    data = data or name
    record = {
        "data": data, "phantom": False, "seeds": 1, "seconds": 7200, "cases": {"a": {}},
        "planned": 6, "left": 0, "devices": ["a machine"],
        "config": {
            "data": data, "folds": FOLDS,
            "profile": {
                "size": "tiny", "training": training, "spine": {"region": "none", "mask": True},
                **profile,
            },
        },
    }  # fmt: skip
    files.write_json(folder / "audit" / name / "record.json", record)
    files.write_csv(folder / "audit" / name / "metrics.csv", metrics)


@pytest.mark.slow
def test_the_page_shows_every_claim_patient_and_cost(tmp_path):
    experiment(tmp_path, "one", scores(CLEAR))
    experiment(tmp_path, "two", scores(CLEAR, patients="uvwx"))
    experiment(tmp_path, "rates", scores(CLEAR), inner=True)
    page = audit_page.write_audit(tmp_path).read_text(encoding="utf-8")
    assert page.count("FDS-CNN is better than U-Net as we sized it first (Table 1)") == 1
    assert len(lines(page, "| one |", "supported")) > 5 < len(lines(page, "| two |", "supported"))
    assert "Derived, not measured" not in page
    record = files.read_json(tmp_path / "audit" / "one" / "record.json")
    files.write_json(tmp_path / "audit" / "one" / "record.json", record | {"derived": ["wat"]})
    again = audit_page.write_audit(tmp_path).read_text(encoding="utf-8")
    assert "Derived, not measured: wat in one. Claims there" in again
    for patient in "abcdefuvwx":
        assert f"| {patient} |" in page
    assert "10,446,849 parameters" in page and "65 of 70 layers" in page
    assert "cannot be tested here" in page and "2.0 h of training" in page
    assert "## rates" not in page  # they choose, not prove
    assert all("| 0.001 | 7 |" in line for line in lines(page, "| rates |", "FDS-CNN"))
    table = pd.read_csv(tmp_path / "audit.csv")
    assert set(table["experiment"]) == {"one", "two"}
    for line in page.splitlines():
        if line.startswith("|"):
            assert line.endswith("|")


def lines(page, *words):
    """Rows of the tables that hold all these words."""
    return [line for line in page.splitlines() if line[:1] == "|" and all(w in line for w in words)]


@pytest.mark.slow
def test_leaks_partitions_and_recipes_stand_apart(tmp_path):
    plain = scores(CLEAR, spread=0.0)
    both = pd.concat([plain, plain.assign(scope="best_step", dice=plain["dice"] + 0.02)])
    single = plain["contrast"].isin(SINGLE)
    mask = plain[single & (plain["contrast"] == "wat")].assign(
        scope="together", contrast="together", dice=lambda rows: rows["dice"] + 0.01
    )
    experiment(tmp_path, "one", pd.concat([plain, mask]))
    peeking = {"data": "one", "leak": "epoch"}
    experiment(tmp_path, "peek", both, **peeking)
    by_scan = plain.assign(dice=plain["dice"] + 0.05)
    experiment(tmp_path, "scans", by_scan, data="one", leak="scan", extra={"precision": "float32"})
    other = scores({**CLEAR, ("fds_cnn", WITH): 0.01}, spread=0.0)
    experiment(tmp_path, "folds", other, data="one", partition=1)
    experiment(tmp_path, "more", mask, data="one", extra={"neighbours": 1})
    page = audit_page.write_audit(tmp_path).read_text(encoding="utf-8")
    (line,) = lines(page, "best step of the learning curve", "FDS-CNN", WITH + " ") or [""]
    assert "+0.0200 | [+0.0200, +0.0200]" in line
    assert all("+0.0500" in line for line in lines(page, "folds of scans", "FDS-CNN"))
    assert len(lines(page, "folds of scans", "scans")) == len(CLEAR)
    assert "+0.0500" in lines(page, "| one |", "[+0.05")[0]
    assert any("+0.0100" in line for line in lines(page, "| folds |"))
    assert len(lines(page, "| more | U-Net |", "contrasts+fused")) == 1
    assert len(lines(page, "| more | one |", "U-Net, contrasts+fused", "one mask")) == 1
    judged = pd.read_csv(tmp_path / "audit.csv")
    assert set(judged["experiment"]) == {"one"}  # claims rest on nothing else
    assert "## peek" not in page and "## more" in page


def shuffled(value, rng):
    """The same value with the keys of its mappings in another order."""
    if isinstance(value, list):
        return [shuffled(inner, rng) for inner in value]
    if not isinstance(value, dict):
        return value
    keys = list(value)
    rng.shuffle(keys)
    return {key: shuffled(value[key], rng) for key in keys}


def test_the_order_of_keys_changes_no_line_of_the_page(tmp_path):
    """Of each kind one experiment, whose likeness decides with which it is compared."""
    region = {"discs_inside": 0.99, "region_share": 0.3}
    plain = scores(CLEAR, spread=0.0).assign(**region)
    both = pd.concat([plain, plain.assign(scope="best_step", dice=plain["dice"] + 0.02)])
    more = {"precision": "float32", "intensity": 0.0, "noise_probability": 0.25}
    experiment(tmp_path, "one", plain, extra=more)
    spine = {"region": "predicted", "mask": True, "gap": 5.0, "margin": 9.0, "steps": 3}
    spine |= {"factor": 2, "batch": 8}
    experiment(tmp_path, "spine", plain, data="one", extra=more, spine=spine, bn_momentum=0.99)
    experiment(tmp_path, "peek", both, data="one", leak="epoch", extra=more)
    experiment(tmp_path, "scans", plain, data="one", leak="scan", extra=more)
    page = audit_page.write_audit(tmp_path).read_text(encoding="utf-8")
    assert "Pre-segmentation of the spine" in page and lines(page, "folds of scans", "| one |")
    for seed in range(3):
        rng = np.random.default_rng(seed)
        for path in (tmp_path / "audit").glob("*/record.json"):
            record = shuffled(files.read_json(path), rng)
            files.write_json(path, record)
        assert audit_page.write_audit(tmp_path).read_text(encoding="utf-8") == page


def test_rules_say_what_is_so_here(tmp_path):
    experiment(tmp_path, "one", scores(CLEAR))
    page = " ".join(audit_page.write_audit(tmp_path).read_text(encoding="utf-8").split())
    assert "Primary are two questions" in page and "The last weights count." in page
    assert "learning rate" not in page and "README" not in page
    assert "at the paper's size none were compared" in page
    files.write_text(tmp_path / "README.md", "The comparisons that AUDIT.md calls primary …")
    experiment(tmp_path, "two", scores(CLEAR), inner=True, extra={"average": 0.9})
    experiment(tmp_path, "three", scores(CLEAR), size="paper")
    page = " ".join(audit_page.write_audit(tmp_path).read_text(encoding="utf-8").split())
    assert "the README beside this page says what had been seen" in page
    assert "(in two their moving average)" in page
    assert "none were compared" not in page
    reference = provenance.root() / "reports" / "reference" / "README.md"
    assert how_judged.SEEN_BEFORE in " ".join(reference.read_text(encoding="utf-8").split())


def test_an_experiment_that_was_stopped_says_so(tmp_path):
    experiment(tmp_path, "one", scores(CLEAR))
    path = tmp_path / "audit" / "one" / "record.json"
    record = files.read_json(path)
    for key in ("left", "planned", "devices", "seconds"):  # written at the end in former times
        del record[key]
    files.write_json(path, record)
    assert "**Unfinished.**" in audit_page.write_audit(tmp_path).read_text(encoding="utf-8")
    files.write_json(path, record | {"left": 2, "planned": 6})
    page = audit_page.write_audit(tmp_path).read_text(encoding="utf-8")
    assert "**Unfinished: 2 of 6 trainings are left.**" in page


def test_seeds_are_those_of_networks_and_not_of_references(tmp_path):
    both = pd.concat([scores(CLEAR), scores(CLEAR).assign(seed=1)])
    atlas = scores({("level atlas", WITHOUT): 0.0})
    experiment(tmp_path, "one", pd.concat([both, atlas]))
    page = audit_page.write_audit(tmp_path).read_text(encoding="utf-8")
    assert "; 2 seeds; " in page


def test_a_spine_network_alone_is_shown_as_it_was_trained(tmp_path):
    rows = scores({("unet", WITHOUT): 0.0}, "abcd", ("all",)).assign(target="spine", size="laptop")
    spine = {"region": "predicted", "mask": True, "factor": 2, "steps": 9, "batch": 3}
    spine |= {"learning_rate": 0.01, "size": "laptop"}
    experiment(tmp_path, "alone", rows, spine=spine)
    page = audit_page.write_audit(tmp_path).read_text(encoding="utf-8")
    assert "size laptop, 9 steps of 3 slices, rate 0.01 (cosine)" in page


def test_a_page_needs_something_finished(tmp_path):
    with pytest.raises(DataError, match="no finished experiment"):
        audit_page.write_audit(tmp_path)


def test_choices_alone_make_a_page(tmp_path):
    profile = profiles.profile("laptop", {"inner": True, "networks": []})
    place = tmp_path / audit_page.FOLDER / "inner"
    files.write_json(place / "record.json", {"config": {"profile": profile.to_dict()}})
    rows = scores({("unet", WITHOUT): 0.0}, "ab", ("all",)).assign(target="spine")
    files.write_csv(place / "metrics.csv", rows)
    page = audit_page.write_audit(tmp_path).read_text(encoding="utf-8")
    assert "No claim is judged here" in page and "| inner |" in page
