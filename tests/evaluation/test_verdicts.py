"""The audit: verdicts by the stated rule, on made-up scores whose answer is known."""

import json

import numpy as np
import pandas as pd
import pytest
from made_up_scores import CLEAR, FUSED, SINGLE, scores

from ivdlib import files, profiles, provenance
from ivdlib.errors import DataError
from ivdlib.evaluation import comparisons, verdicts
from ivdlib.evaluation.comparisons import QUIET, WITH, WITHOUT
from ivdlib.profiles import EXTENDABLE
from ivdlib.report.audit import page as audit_page
from ivdlib.report.audit import sections


@pytest.fixture(scope="module")
def judged():
    metrics = scores(CLEAR)
    metrics.loc[metrics["contrast"] == "fat", "dice"] -= 0.1
    return verdicts.table({"made up": metrics}).set_index("key")


def test_verdicts_follow_the_rule(judged):
    assert judged.loc["networks", "verdict"] == "supported"
    assert judged.loc["networks", "mean"] == pytest.approx(0.05, abs=0.01)
    assert judged.loc["unet_deeplab", "verdict"] == "supported"
    assert judged.loc["fusion_training", "verdict"] == "not supported; the opposite holds"
    assert judged.loc["fusion_training", "mean"] == pytest.approx(-0.03, abs=0.01)
    assert judged.loc["fusion_unet", "verdict"] == "supported"
    assert judged.loc["fusion_random", "verdict"] == "not supported"
    assert judged.loc["fat", "mean"] == pytest.approx(0.1, abs=0.015)
    assert judged.loc["fat_opp", "verdict"] == "supported"
    assert judged.loc["fused", "mean"] == pytest.approx(0.025, abs=0.01)
    assert judged.loc["best_fused", "verdict"] == "not supported"
    tested = judged["verdict"] != "not tested on these data"
    assert (judged.loc[tested, "patients"] == 6).all() and (
        judged.loc[~tested, "patients"] == 0
    ).all()
    assert set(judged.index[judged["fixed"]]) == {"networks", "fusion_training"}


@pytest.mark.parametrize(
    ("offset", "words"),
    [(0.0, "supported"), (-0.03, "not supported; the opposite holds"), (0.05, "supported")],
)
def test_a_claim_of_no_cost_allows_a_margin(offset, words):
    metrics = scores({("fds_cnn", WITH): offset, ("fds_cnn:standard", WITH): 0.0}, spread=0.004)
    found = verdicts.table({"x": metrics}).set_index("key")
    assert found.loc["standard", "verdict"] == words
    assert found.loc["standard", "low"] < 0 or offset > 0


def test_fat_is_compared_with_the_next_hardest():
    metrics = scores(CLEAR, spread=0.002)
    metrics.loc[metrics["contrast"] == "fat", "dice"] -= 0.05
    metrics.loc[metrics["contrast"] == "inn", "dice"] -= 0.1
    found = verdicts.table({"x": metrics}).set_index("key")
    assert found.loc["fat", "mean"] == pytest.approx(-0.05, abs=0.005)
    assert found.loc["fat", "verdict"] == "not supported; the opposite holds"
    assert found.loc["fat_mean", "mean"] == pytest.approx(0.05 - 0.1 / 3, abs=0.005)


def test_each_fused_contrast_must_gain_over_both_of_its_own():
    metrics = scores(CLEAR, spread=0.002)
    fused = metrics["contrast"].isin(FUSED)
    metrics.loc[fused, "dice"] += 0.05
    found = verdicts.table({"x": metrics}).set_index("key").loc["each_fused"]
    assert found["verdict"] == "supported" and found["mean"] == pytest.approx(0.05, abs=0.005)
    metrics.loc[metrics["contrast"] == "opp", "dice"] += 0.08  # now fat+opp and others lie below
    found = verdicts.table({"x": metrics}).set_index("key").loc["each_fused"]
    assert found["verdict"] == "not supported"  # one of eight has no opposite
    assert found["difference"].endswith(": fat+opp − opp")
    assert found["mean"] == pytest.approx(-0.03, abs=0.005)


def test_a_failure_on_one_contrast_is_told_apart():
    metrics = scores(CLEAR)
    metrics.loc[(metrics["contrast"] == "fat") & (metrics["network"] == "unet"), "dice"] = 0.0
    metrics.loc[metrics["network"] == "unet", "dice"] += 0.1
    found = verdicts.table({"x": metrics}).set_index("key")
    assert found.loc["networks", "verdict"] == "supported"
    assert found.loc["networks_but_fat", "mean"] == pytest.approx(-0.05, abs=0.01)
    assert found.loc["networks_but_fat", "verdict"] == "not supported; the opposite holds"


def test_two_networks_are_compared_on_like_terms():
    """One that lacks the training with fusion is not compared by its training without."""
    metrics = scores(CLEAR)
    less = metrics[(metrics["network"] != "unet") | (metrics["trained_on"] != WITH)]
    found = verdicts.table({"x": less}).set_index("key")
    assert found.loc["networks", "patients"] == 0
    assert found.loc["networks_without", "mean"] == pytest.approx(0.11, abs=0.01)
    slabs = scores({("fds_cnn", WITHOUT): 0.02, ("unet", WITHOUT): 0.0}, contrasts=("t2",))
    found = verdicts.table({"x": slabs}).set_index("key")
    assert found.loc["networks", "patients"] == 6  # no fusion at all: one comparison, not two
    assert found.loc["networks_without", "patients"] == 0


def test_noise_is_judged_on_each_kind_of_image():
    offsets = {("fds_cnn", WITH): 0.05, ("fds_cnn", QUIET): 0.0}
    worse = {("fds_cnn", WITH): -0.05, ("fds_cnn", QUIET): 0.0}
    metrics = pd.concat([scores(offsets), scores(worse, scope="blurred")])
    found = verdicts.table({"x": metrics}).set_index("key")["verdict"]
    assert found["noise_volume"] == "supported"
    assert found["noise_blurred"] == "not supported; the opposite holds"
    assert found["noise_noisy"] == "not tested on these data"


def test_data_that_cannot_tell_say_so():
    slabs = scores({("fds_cnn", WITHOUT): 0.02, ("unet", WITHOUT): 0.0}, contrasts=("t2",))
    found = verdicts.table({"slabs": slabs}).set_index("key")
    assert found.loc["networks", "verdict"] == "supported"
    rest = found.drop("networks")
    assert (rest["verdict"] == "not tested on these data").all() and (rest["patients"] == 0).all()
    for patients in ("a", "abc"):
        few = verdicts.table({"few": scores(CLEAR, patients=patients)}).set_index("key")
        assert few.loc["networks", "verdict"] == "not tested: fewer than 4 patients"


def test_without_results_no_claim_is_judged():
    judged = verdicts.table({})
    assert judged.empty and "verdict" in judged
    assert sections.claims(judged).startswith("No claim is judged here")


def test_an_unfinished_experiment_is_judged_by_the_patients_of_both_sides():
    metrics = scores(CLEAR)
    half = metrics[(metrics["network"] != "unet") | metrics["subject"].isin(list("abcd"))]
    found = verdicts.table({"half": half}).set_index("key")
    assert found.loc["networks", "patients"] == 4
    none = metrics[(metrics["network"] == "unet") == metrics["subject"].isin(list("abc"))]
    assert verdicts.table({"none": none}).set_index("key").loc["networks", "patients"] == 0


def test_worse_images_and_discs_do_not_mix_with_the_scans():
    metrics = scores(CLEAR)
    worse = metrics.assign(scope="blurred", dice=0.1)
    discs = metrics.assign(scope="disc", dice=0.2)
    together = pd.concat([metrics, worse, discs])
    pd.testing.assert_frame_equal(verdicts.table({"x": metrics}), verdicts.table({"x": together}))
    blurred = comparisons.patient_dice(together, "fds_cnn", scope="blurred")
    assert blurred.to_numpy() == pytest.approx(0.1)


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
    page = audit_page.write(tmp_path).read_text(encoding="utf-8")
    assert page.count("● FDS-CNN is better than U-Net (Table 1)") == 2
    assert "Derived, not measured" not in page
    record = files.read_json(tmp_path / "audit" / "one" / "record.json")
    files.write_json(tmp_path / "audit" / "one" / "record.json", record | {"derived": ["wat"]})
    again = audit_page.write(tmp_path).read_text(encoding="utf-8")
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
    page = audit_page.write(tmp_path).read_text(encoding="utf-8")
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


def test_a_record_from_before_a_field_was_added_is_alike():
    old, new = (json.loads(json.dumps(profiles.profile("laptop").to_dict())) for _ in range(2))
    del old["spine"]["gap"], old["training"]["average"]
    records = [{"config": {"data": "d", "folds": [], "profile": p}} for p in (old, new)]
    assert verdicts.likeness(records[0]) == verdicts.likeness(records[1])
    new["spine"]["gap"] = 5.0
    assert verdicts.likeness(records[0]) != verdicts.likeness(records[1])
    assert verdicts.likeness(records[0], "spine") == verdicts.likeness(records[1], "spine")


def test_likeness_hangs_on_values_alone():
    profile = json.loads(json.dumps(profiles.profile("laptop", {"spine.gap": 5.0}).to_dict()))
    one = {"config": {"data": "d", "folds": FOLDS, "profile": profile}}
    other = json.loads(json.dumps(one))
    other["config"]["profile"]["spine"] |= {"gap": 5, "margin": 15}  # as a tool may write 5.0
    other["config"]["folds"] = [
        {key: fold[key] for key in sorted(fold, reverse=True)} for fold in FOLDS[::-1]
    ]
    assert verdicts.likeness(one) == verdicts.likeness(other)
    assert hash(verdicts.likeness(one)) == hash(verdicts.likeness(other))
    other["config"]["folds"][0] = {"number": 2, "train": ["b"], "test": ["b"]}
    assert verdicts.likeness(one) != verdicts.likeness(other)
    assert verdicts.likeness(one, "folds") == verdicts.likeness(other, "folds")
    for key, value in (("spine", {"mask": False}), ("training", {"placement": "clipped"})):
        other = json.loads(json.dumps(one))
        other["config"]["profile"][key] |= value
        assert verdicts.likeness(one) != verdicts.likeness(other)


def test_a_record_without_placement_is_like_one_that_names_what_was_done_then():
    profile = json.loads(json.dumps(profiles.profile("laptop").to_dict()))
    even = {"config": {"data": "d", "folds": FOLDS, "profile": profile}}
    old, named = json.loads(json.dumps(even)), json.loads(json.dumps(even))
    del old["config"]["profile"]["training"]["placement"]
    named["config"]["profile"]["training"]["placement"] = "clipped"
    assert verdicts.likeness(old) == verdicts.likeness(named) != verdicts.likeness(even)


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
    page = audit_page.write(tmp_path).read_text(encoding="utf-8")
    assert "Pre-segmentation of the spine" in page and lines(page, "folds of scans", "| one |")
    for seed in range(3):
        rng = np.random.default_rng(seed)
        for path in (tmp_path / "audit").glob("*/record.json"):
            record = shuffled(files.read_json(path), rng)
            files.write_json(path, record)
        assert audit_page.write(tmp_path).read_text(encoding="utf-8") == page


def test_rules_say_what_is_so_here(tmp_path):
    experiment(tmp_path, "one", scores(CLEAR))
    page = " ".join(audit_page.write(tmp_path).read_text(encoding="utf-8").split())
    assert "Primary are the 2 comparisons" in page and "The last weights count. " in page
    assert "inner patients (below)" not in page and "README" not in page
    assert "At the paper's size none were compared." in page
    files.write_text(tmp_path / "README.md", "The comparisons that AUDIT.md calls primary …")
    experiment(tmp_path, "two", scores(CLEAR), inner=True, extra={"average": 0.9})
    experiment(tmp_path, "three", scores(CLEAR), size="paper")
    page = " ".join(audit_page.write(tmp_path).read_text(encoding="utf-8").split())
    assert "the README beside this page says what had been seen" in page
    assert "(in two their moving average)" in page and "inner patients (below)" in page
    assert "none were compared" not in page
    reference = provenance.root() / "reports" / "reference" / "README.md"
    assert audit_page.SEEN in " ".join(reference.read_text(encoding="utf-8").split())


def test_an_experiment_that_was_stopped_says_so(tmp_path):
    experiment(tmp_path, "one", scores(CLEAR))
    path = tmp_path / "audit" / "one" / "record.json"
    record = files.read_json(path)
    for key in ("left", "planned", "devices", "seconds"):  # written at the end in former times
        del record[key]
    files.write_json(path, record)
    assert "**Unfinished.**" in audit_page.write(tmp_path).read_text(encoding="utf-8")
    files.write_json(path, record | {"left": 2, "planned": 6})
    page = audit_page.write(tmp_path).read_text(encoding="utf-8")
    assert "**Unfinished: 2 of 6 trainings are left.**" in page


def test_seeds_are_those_of_networks_and_not_of_references(tmp_path):
    both = pd.concat([scores(CLEAR), scores(CLEAR).assign(seed=1)])
    atlas = scores({("level atlas", WITHOUT): 0.0})
    experiment(tmp_path, "one", pd.concat([both, atlas]))
    page = audit_page.write(tmp_path).read_text(encoding="utf-8")
    assert "; 2 seeds; " in page


def test_a_spine_network_alone_is_shown_as_it_was_trained(tmp_path):
    rows = scores({("unet", WITHOUT): 0.0}, "abcd", ("all",)).assign(target="spine", size="laptop")
    spine = {"region": "predicted", "mask": True, "factor": 2, "steps": 9, "batch": 3}
    spine |= {"learning_rate": 0.01, "size": "laptop"}
    experiment(tmp_path, "alone", rows, spine=spine)
    page = audit_page.write(tmp_path).read_text(encoding="utf-8")
    assert "size laptop, 9 steps of 3 slices, rate 0.01 (cosine)" in page


def test_choices_for_the_spine_network_have_a_table_of_their_own(tmp_path):
    """As an experiment writes it: a record without the fields that may grow."""
    profile = profiles.profile("laptop", {"inner": True, "networks": [], "spine.factor": 1})
    kept = {k: v for k, v in profile.to_dict().items() if k not in EXTENDABLE}
    rows = scores({("unet", WITHOUT): 0.0}, "ab", ("all",), spread=0.0).assign(target="spine")
    found = {"fine": ({"config": {"profile": kept}}, rows)}
    page = sections.choices(found)
    (line,) = [line for line in page.splitlines() if line.startswith("| fine |")]
    assert line == f"| fine | 1 × 1 | 0.001 | 600 | 8 | a, b | {rows['dice'].mean():.4f} |"
    assert "one mask a scan" not in page  # no disc network


def test_a_page_needs_something_finished(tmp_path):
    with pytest.raises(DataError, match="no finished experiment"):
        audit_page.write(tmp_path)


def test_choices_alone_make_a_page(tmp_path):
    profile = profiles.profile("laptop", {"inner": True, "networks": []})
    place = tmp_path / audit_page.FOLDER / "inner"
    files.write_json(place / "record.json", {"config": {"profile": profile.to_dict()}})
    rows = scores({("unet", WITHOUT): 0.0}, "ab", ("all",)).assign(target="spine")
    files.write_csv(place / "metrics.csv", rows)
    page = audit_page.write(tmp_path).read_text(encoding="utf-8")
    assert "No claim is judged here" in page and "| inner |" in page


def test_uses_of_the_spine_are_compared_with_none():
    def made(region, mask, offset, data="slabs"):
        metrics = scores({("fds_cnn", WITHOUT): offset}, contrasts=("t2",), spread=0.002)
        metrics = metrics.assign(discs_inside=0.99, region_share=0.3)
        spine = {"region": region, "mask": mask}
        profile = {"spine": spine, "training": {"steps": 7}}
        return {"data": data, "config": {"data": data, "folds": [], "profile": profile}}, metrics

    found = verdicts.spine({
        "a": made("none", True, 0.0), "b": made("predicted", True, 0.04),
        "c": made("predicted", False, -0.04), "d": made("true", True, 0.1, data="other"),
    }).set_index("use")  # fmt: skip
    assert set(found.index) == {"none", "predicted, zero outside", "predicted, places the tiles"}
    better = found.loc["predicted, zero outside"]
    assert better["mean"] == pytest.approx(0.04, abs=0.003) and better["low"] > 0
    assert found.loc["predicted, places the tiles", "high"] < 0
    assert np.isfinite(found["p"].drop("none")).all()
    record, whole = made("predicted", True, 0.04)
    part = {"a": made("none", True, 0.0), "b": (record, whole[whole["subject"] < "c"])}
    unfinished = verdicts.spine(part).set_index("use")  # judged by the patients of both
    assert unfinished.loc["predicted, zero outside", "patients"] == 2
    longer = record | {"config": {**record["config"], "profile": {
        **record["config"]["profile"], "bn_momentum": 0.5}}}  # fmt: skip
    assert verdicts.spine({**part, "b": (longer, whole)}).empty  # something else differs, too
    assert better["patients"] == 6 and better["discs_inside"] == pytest.approx(0.99)
    assert verdicts.spine({}).empty
