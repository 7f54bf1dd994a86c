"""What the record of an experiment says on its page."""

import json
import shlex

import pytest
from bs4 import BeautifulSoup
from hostile_report import odd_experiment
from report_folder import NAME, PROFILE

from ivdlib import files
from ivdlib.errors import DataError
from ivdlib.report import experiment as report
from ivdlib.report import record, results


def test_facts_deviations_and_command(done_page):
    text = " ".join(done_page.get_text(" ").split())
    for words in (
        "mean Dice 0.750 (1 scan)",
        "2026-01-02 03:04 UTC",
        "size tiny paper a CPU",
        f"python -m ivdlib reproduce --profile test --name {shlex.quote(NAME)} --seeds 3",
        "0123456789abcdef" * 4,
    ):
        assert words in text


def test_a_subject_on_both_sides_is_told():
    cases = {name: {"subject": name[0]} for name in ("A1", "A2", "B1")}
    apart = [{"train": ["A1", "A2"], "test": ["B1"]}]
    assert record._folds(apart, cases) == "1; in none a subject both trains and tests"
    leaking = [*apart, {"train": ["A1", "B1"], "test": ["A2"]}]
    assert record._folds(leaking, cases) == "2; in 1 of them a SUBJECT BOTH TRAINS AND TESTS"
    made = {"config": {"profile": {"leak": "scan", "inner": True}}}
    assert [badge for badge, _ in record.badges(made)] == ["LEAK", "INNER PATIENTS"]


def test_the_command_is_one_that_makes_the_experiment(done):
    """From its record, and with the lessons only if they were run and take what was set."""
    made = files.read_json(done / "record.json")
    assert "reproduce" in record.shown_command(done, made)
    assert " grid --profile test " in record.shown_command(done.parent / "elsewhere", made)
    longer = json.loads(json.dumps(made))
    longer["config"]["profile"]["training"]["steps"] = 7
    told = record.shown_command(done, longer)
    assert " grid " in told and told.endswith("--set training.steps=7 --seeds 3")
    crops = {**made, "name": "crops", "command": ["__main__.py", "audit", "--page"]}
    assert "benchmarks/audit/crops.toml" not in record.shown_command(done.parent / "audit", crops)


def test_length_and_seeds_are_those_of_what_was_trained(done):
    made, metrics = files.read_json(done / "record.json"), results.metrics_of(done)
    facts = dict(record.facts(done, made, metrics))
    assert facts["Length"] == "2 optimiser steps for discs" and facts["Seeds"] == 1
    spine = metrics[metrics["target"] == "spine"]
    times = {"seconds_training": 1.0, "seconds_scoring": 1.0, "device": "a processor"}
    files.write_json(done / "trainings" / "a" / "record.json", {"target": "spine", **times})
    facts = dict(record.facts(done, made, spine))
    assert facts["Length"] == "2 optimiser steps for the spine"
    assert facts["Seeds"] == "no disc network is scored"
    del made["left"]  # an older record of what was stopped before its end
    assert "UNFINISHED" in dict(record.facts(done, made, spine))["Trained"]
    assert "left" not in dict(record.facts(done, made | {"left": 0}, spine))["Trained"]
    assert "unfinished: 2 of" in dict(record.facts(done, made | {"left": 2}, spine))["Trained"]


def test_length_and_seeds_of_what_is_not_trained_yet_are_planned(done):
    made, metrics = files.read_json(done / "record.json"), results.metrics_of(done)
    made |= {"networks": ["unet"], "left": 4, "planned": 4, "spine_left": 2, "spine_planned": 2}
    nothing = metrics.iloc[:0]
    facts = dict(record.facts(done, made, nothing))
    assert facts["Length"] == (
        f"2 optimiser steps for discs, {PROFILE['spine']['steps']} optimiser steps for the spine"
    )
    assert facts["Seeds"] == "3 planned, none scored yet"
    assert dict(record.facts(done, made, metrics))["Seeds"] == "3 planned, 1 scored yet"
    assert facts["Trained"].endswith(
        "; unfinished: 4 of 4 trainings of discs, and 2 of 2 of the spine, are left"
    )
    alone = made | {"networks": [], "left": 2, "planned": 2, "spine_left": 0, "spine_planned": 0}
    facts = dict(record.facts(done, alone, nothing))
    assert facts["Length"] == f"{PROFILE['spine']['steps']} optimiser steps for the spine"
    assert facts["Seeds"] == "no disc network is scored"
    assert facts["Trained"].endswith("; unfinished: 2 of 2 trainings are left")


def test_empty_fields_of_an_author_are_left_out(tmp_path):
    folder = odd_experiment(tmp_path / "mine")
    head = BeautifulSoup(
        report.render_report(folder, author=report.Author(" ", "B")), "html.parser"
    )
    assert "Author" not in head.header.get_text()
    assert "Course" in head.header.get_text()


@pytest.mark.parametrize(
    "text",
    ["[1, 2]", "{}", '{"made": 3, "config": {}, "cases": {}}',
     '{"made": "2026-01-02T03:04:05+00:00", "config": {}, "cases": null}'],
)  # fmt: skip
def test_an_odd_record_is_one_sentence(tmp_path, text):
    folder = odd_experiment(tmp_path / "mine")
    (folder / "record.json").write_text(text)
    with pytest.raises(DataError, match=r"record\.json is no record of an experiment"):
        report.render_report(folder)


def test_a_very_long_author(tmp_path):
    folder = odd_experiment(tmp_path / "mine")
    assert "Ab " * 999 in report.render_report(folder, author=report.Author("Ab " * 1000))
    made = report.build_report(folder, author=report.Author("Ab " * 100))
    assert made["html"].stat().st_size > 3000
