"""The report: whole, offline, and telling what is missing."""

import base64
import json
import re
import shlex
import subprocess
import sys
from pathlib import Path

import nbformat
import numpy as np
import pandas as pd
import pytest
from bs4 import BeautifulSoup

from ivdlib import cli, files, profiles
from ivdlib.errors import DataError
from ivdlib.evaluation import recorded, tables
from ivdlib.profiles import EXTENDABLE
from ivdlib.report import experiment, record, results

PNG = base64.b64encode(
    bytes.fromhex(
        "89504e470d0a1a0a0000000d49484452000000010000000108000000003a7e9b550000000a49444154789c63"
        "60000000020001e221bc330000000049454e44ae426082"
    )
).decode()
NAME = "<b>mine</b> & 'yours'"
PROFILE = json.loads(json.dumps(profiles.profile("test").to_dict()))
for grows in EXTENDABLE:
    del PROFILE[grows]


def stream(name: str, text: str) -> dict:
    return {"output_type": "stream", "name": name, "text": text}


def picture(alt: str | None) -> dict:
    meta = {"image/png": {"alt": alt}} if alt else {}
    return {"output_type": "display_data", "data": {"image/png": PNG}, "metadata": meta}


def write_lesson(path: Path, *results: dict, title: str = "A lesson") -> None:
    v4 = nbformat.v4
    cells = [
        v4.new_markdown_cell(f"# {title}\n\nText with <script>alert(1)</script> *stress*."),
        v4.new_code_cell("seeds: int = 0", metadata={"tags": ["parameters"]}),
        v4.new_code_cell("seeds = 7", metadata={"tags": ["injected-parameters"]}),
        v4.new_markdown_cell('## Part\n\n<img src="https://example.org/x.png" alt="far away">'),
        v4.new_code_cell(
            "work()", execution_count=5, outputs=[nbformat.from_dict(out) for out in results]
        ),
    ]
    path.parent.mkdir(parents=True, exist_ok=True)
    nbformat.write(v4.new_notebook(cells=cells), path)


@pytest.fixture
def folder(tmp_path) -> Path:
    """An experiment with tables, two lessons that ran and one that failed."""
    place = tmp_path / "mine"
    record = {
        "name": NAME,
        "command": ["python", "-m", "ivdlib", "grid"],
        "config_hash": "0123456789abcdef" * 4,
        "config": {"profile": PROFILE, "folds": [{}, {}]},
        "seeds": 3,
        "left": 0,
        "phantom": True,
        "comparable": False,
        "cases": {"<i>01": {"subject": "1", "stage": ""}},
        "derived": ["wat"],
        "deviations": [{"field": "size", "ours": "tiny", "paper": "paper", "why": "a CPU"}],
        "made": "2026-01-02T03:04:05+00:00",
        "versions": {"python": "3.11.0"},
        "device": "a processor",
    }
    files.write_json(place / "record.json", record)
    row = {"network": "fds_cnn", "trained_on": "contrasts+fused", "seed": 0, "fold": 1,
           "case": "<i>01", "subject": "1",
           "target": "disc", "scope": "volume", "level": "", "dice": 0.5,
           "asd_mm": np.nan, "centre_distance_mm": np.nan}  # fmt: skip
    rows = [{**row, "contrast": c} for c in ("wat", "fat", "inn", "opp")]
    rows.append({**row, "contrast": "all", "target": "spine", "network": "unet", "dice": 0.75})
    metrics = pd.DataFrame(rows)
    files.write_csv(place / "metrics.csv", metrics)
    tables.write(metrics, place / "tables", "phantom, NOT COMPARABLE", {"wat"})
    noise = "training: 3/10, 5 s left · loss 0.1\nI0000 00:00:1.2 7 x.cc:3] Could not find cuda\n"
    write_lesson(
        place / "notebooks" / "01_one.ipynb",
        stream("stdout", "printed <b>bold</b> ✅"),
        stream("stderr", noise + "a warning that counts\n"),
        picture('a "grey" pixel'),
    )
    write_lesson(place / "notebooks" / "02_two.ipynb", stream("stderr", noise), picture(None))
    error = {"output_type": "error", "ename": "DataError", "evalue": "no <fat> here",
             "traceback": ["\x1b[31mline\x1b[0m"]}  # fmt: skip
    write_lesson(place / "notebooks" / "03_three.failed.ipynb", error)
    return place


@pytest.fixture
def page(folder) -> BeautifulSoup:
    return BeautifulSoup(experiment.render(folder, ["01_one", "04_four"]), "html.parser")


def test_names_are_escaped(page):
    assert page.h1.get_text() == NAME
    assert page.title.get_text().startswith(NAME)
    assert page.find(["b", "i"]) is None
    assert page.find("script") is None
    assert "printed <b>bold</b> ✓" in page.get_text()
    assert "no <fat> here" in page.get_text()


def test_one_h1_and_no_level_left_out(page):
    levels = [int(tag.name[1]) for tag in page.find_all(re.compile("^h[1-6]$"))]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(b - a <= 1 for a, b in zip(levels, levels[1:], strict=False))


def test_every_link_of_the_contents_leads_somewhere(page):
    targets = [link["href"] for link in page.nav.find_all("a")]
    ids = [tag["id"] for tag in page.find_all(id=True)]
    assert len(ids) == len(set(ids))
    assert {target.lstrip("#") for target in targets} <= set(ids)
    titles = " ".join(link.get_text() for link in page.nav.find_all("a"))
    assert all(word in titles for word in ("01 A lesson", "Part", "03", "04_four"))


def test_nothing_comes_from_elsewhere(folder, page):
    sources = [tag[name] for name in ("src", "href") for tag in page.find_all(**{name: True})]
    assert len(sources) > 10
    assert [text[:60] for text in sources if not text.startswith(("data:", "#"))] == []
    html = experiment.render(folder)
    assert re.findall(r"url\((?!data:)|@import|https?://", html) == []


def test_pictures_keep_their_alternative_text(page):
    alts = [image["alt"] for image in page.select("article img")]
    assert alts[0] == 'a "grey" pixel'
    assert len(alts) == 2  # the picture from elsewhere gave way to its text
    assert all(alts)
    assert "far away" in page.get_text()


def test_noise_is_dropped_and_warnings_stay(page):
    text = page.get_text()
    assert "a warning that counts" in text
    assert "left" not in text
    assert "cuda" not in text
    assert len(page.find_all("details", class_="messages")) == 1


def test_only_the_values_used_stand_in_the_report(page):
    assert "seeds = 7" in page.get_text()
    assert "seeds: int = 0" not in page.get_text()


def test_tables_stand_beside_the_papers_with_label_and_marks(page):
    table = page.find("table", class_="scores")
    assert "Table 1" in table.caption.get_text()
    assert "phantom, NOT COMPARABLE" in table.caption.get_text()
    head = [cell.get_text() for cell in table.thead.find_all("th")]
    assert head == ["network", "source", "wat†", "fat", "inn", "opp", "Mean", "scans"]
    rows = [[c.get_text() for c in tr.find_all(["th", "td"])] for tr in table.tbody.find_all("tr")]
    assert rows[0] == ["FDS-CNN", "ours", *["0.5000"] * 5, "1"]
    assert rows[-1] == ["FDS-CNN", "paper", "0.9111", "0.8853", "0.9055", "0.9062", "0.9021", "16"]
    assert "† derived: wat" in page.get_text()
    badges = page.find(class_="badges").get_text()
    assert all(word in badges for word in ("PHANTOM", "NOT COMPARABLE", "DERIVED"))


def test_facts_deviations_and_command(page):
    text = " ".join(page.get_text(" ").split())
    for words in (
        "mean Dice 0.750 (1 scans)",
        "2026-01-02 03:04 UTC",
        "size tiny paper a CPU",
        f"python -m ivdlib reproduce --profile test --name {shlex.quote(NAME)} --seeds 3",
        "0123456789abcdef" * 4,
    ):
        assert words in text


def test_scores_that_nothing_vouches_for_are_told(folder, page):
    told = "2026-01-02 03:04 UTC; its scores are not sealed"
    assert told in " ".join(page.get_text(" ").split())
    record = files.read_json(folder / "record.json")
    sealed = recorded.sealed(folder, ["metrics.csv"])
    files.write_json(folder / "record.json", {**record, "sha256": sealed})
    assert "not sealed" not in experiment.render(folder)
    files.write_json(folder / "record.json", record)
    (folder / "metrics.csv").unlink()
    assert "not sealed" not in experiment.render(folder)


def test_a_failed_and_a_missing_lesson_are_told(page):
    told = [" ".join(p.get_text().split()) for p in page.find_all("p", class_="failure")]
    assert told == [
        "Lesson 03_three stopped in cell [5] (DataError: no <fat> here); "
        "what follows it was not run.",
        "Lesson 04_four was not run: 04_four.ipynb is not in notebooks/.",
    ]


def test_an_experiment_without_results_has_a_report(folder):
    for path in [*(folder / "tables").iterdir(), *(folder / "notebooks").iterdir()]:
        path.unlink()
    (folder / "metrics.csv").unlink()
    assert "There are no tables yet" in experiment.render(folder)


def test_a_folder_without_record_is_refused(tmp_path):
    with pytest.raises(DataError, match=r"record\.json"):
        experiment.build(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_both_files_are_made(folder):
    made = experiment.build(folder)
    assert made["html"].read_text(encoding="utf-8").startswith("<!DOCTYPE html>")
    if made["pdf"] is None:
        pytest.skip(made["note"])
    data = made["pdf"].read_bytes()
    assert data.startswith(b"%PDF-")
    assert not list(folder.glob(".part-*"))


def test_without_pango_there_is_html_and_a_sentence(folder):
    (folder / "report.pdf").write_text("of yesterday")
    call = (
        "import sys, json; from ivdlib.report import experiment\n"
        "class Broken:\n"
        "    def find_spec(self, name, *_):\n"
        "        if name == 'weasyprint': raise OSError('cannot load library')\n"
        "sys.meta_path.insert(0, Broken())\n"
        "made = experiment.build(sys.argv[1])\n"
        "print(json.dumps({k: str(v) for k, v in made.items()}))"
    )
    done = subprocess.run(
        [sys.executable, "-c", call, str(folder)], capture_output=True, text=True, check=True
    )
    made = json.loads(done.stdout)
    assert made["pdf"] == "None"
    assert "apt-get install libpango-1.0-0 libpangoft2-1.0-0" in made["note"]
    assert (folder / "report.html").is_file()
    assert not (folder / "report.pdf").exists()


def test_a_subject_on_both_sides_is_told():
    cases = {name: {"subject": name[0]} for name in ("A1", "A2", "B1")}
    apart = [{"train": ["A1", "A2"], "test": ["B1"]}]
    assert record._folds(apart, cases) == "1; in none a subject both trains and tests"
    leaking = [*apart, {"train": ["A1", "B1"], "test": ["A2"]}]
    assert record._folds(leaking, cases) == "2; in 1 of them a SUBJECT BOTH TRAINS AND TESTS"
    made = {"config": {"profile": {"leak": "scan", "inner": True}}}
    assert [badge for badge, _ in record.badges(made)] == ["LEAK", "INNER PATIENTS"]


def test_the_command_is_one_that_makes_the_experiment(folder):
    """From its record, and with the lessons only if they were run and take what was set."""
    made = files.read_json(folder / "record.json")
    assert "reproduce" in record.command(folder, made)
    assert " grid --profile test " in record.command(folder.parent / "elsewhere", made)
    longer = json.loads(json.dumps(made))
    longer["config"]["profile"]["training"]["steps"] = 7
    told = record.command(folder, longer)
    assert " grid " in told and told.endswith("--set training.steps=7 --seeds 3")
    crops = {**made, "name": "crops", "command": ["__main__.py", "audit", "--page"]}
    assert "benchmarks/audit/crops.toml" not in record.command(folder.parent / "audit", crops)


def test_scans_that_are_not_in_a_checkout_are_named(folder):
    made = files.read_json(folder / "record.json") | {"phantom": False, "data": "my scans"}
    files.write_json(folder / "record.json", made)
    text = " ".join(BeautifulSoup(experiment.render(folder), "html.parser").get_text().split())
    assert "put their folder, my scans, into data/" in text and "'data/my scans'" in text
    files.write_json(folder / "record.json", made | {"config": {}})
    assert "no command can be given" in experiment.render(folder)


def test_length_and_seeds_are_those_of_what_was_trained(folder):
    made, metrics = files.read_json(folder / "record.json"), results.metrics_of(folder)
    facts = dict(record.facts(folder, made, metrics))
    assert facts["Length"] == "2 optimiser steps for discs" and facts["Seeds"] == 1
    spine = metrics[metrics["target"] == "spine"]
    times = {"seconds_training": 1.0, "seconds_scoring": 1.0, "device": "a processor"}
    files.write_json(folder / "trainings" / "a" / "record.json", {"target": "spine", **times})
    facts = dict(record.facts(folder, made, spine))
    assert facts["Length"] == "2 optimiser steps for the spine"
    assert facts["Seeds"] == "no disc network is scored"
    del made["left"]  # an older record of what was stopped before its end
    assert "UNFINISHED" in dict(record.facts(folder, made, spine))["Trained"]
    assert "left" not in dict(record.facts(folder, made | {"left": 0}, spine))["Trained"]
    assert "unfinished: 2 of" in dict(record.facts(folder, made | {"left": 2}, spine))["Trained"]


def test_length_and_seeds_of_what_is_not_trained_yet_are_planned(folder):
    made, metrics = files.read_json(folder / "record.json"), results.metrics_of(folder)
    made |= {"networks": ["unet"], "left": 4, "planned": 4, "spine_left": 2, "spine_planned": 2}
    nothing = metrics.iloc[:0]
    facts = dict(record.facts(folder, made, nothing))
    assert facts["Length"] == (
        f"2 optimiser steps for discs, {PROFILE['spine']['steps']} optimiser steps for the spine"
    )
    assert facts["Seeds"] == "3 planned, none scored yet"
    assert dict(record.facts(folder, made, metrics))["Seeds"] == "3 planned, 1 scored yet"
    assert facts["Trained"].endswith(
        "; unfinished: 4 of 4 trainings of discs, and 2 of 2 of the spine, are left"
    )
    alone = made | {"networks": [], "left": 2, "planned": 2, "spine_left": 0, "spine_planned": 0}
    facts = dict(record.facts(folder, alone, nothing))
    assert facts["Length"] == f"{PROFILE['spine']['steps']} optimiser steps for the spine"
    assert facts["Seeds"] == "no disc network is scored"
    assert facts["Trained"].endswith("; unfinished: 2 of 2 trainings are left")


@pytest.mark.parametrize("key", ["short_of", "remarks"])
def test_a_recipe_that_falls_short_and_what_is_odd_about_scans_is_told(folder, key):
    told = "spine.steps is 80, less than the 800 that the recipe better was chosen with"
    made = files.read_json(folder / "record.json") | {key: [told]}
    files.write_json(folder / "record.json", made)
    assert f"{told}." in BeautifulSoup(experiment.render(folder), "html.parser").get_text()


def test_an_ending_of_out_is_taken_off(folder):
    for name in ("a.pdf", "b.HTML", "c.d"):
        assert cli.main(["report", str(folder), "--out", str(folder / "new" / name)]) == 0
    made = sorted(path.name for path in (folder / "new").glob("*.html"))
    assert made == ["a.html", "b.html", "c.d.html"]


def test_a_long_table_keeps_the_papers_rows(folder):
    path = folder / "tables" / "table1.csv"
    ours = pd.read_csv(path)
    paper = ours[ours["source"] == "paper"]
    assert len(paper)
    many = pd.concat([ours[ours["source"] == "ours"]] * 80)
    pd.concat([many, paper]).to_csv(path, index=False)
    (shown, *_) = results.scores(folder, {})
    assert [row["source"] for row in shown["rows"]].count("paper") == len(paper)
    assert f"{len(many) - 60} more rows stand in table1.csv." in shown["notes"]


@pytest.mark.parametrize(
    "source", ["../secret.png", "secret.txt", "gone.png", "link.png", "no.png"]
)
def test_an_audit_shows_no_file_but_its_own_pictures(tmp_path, source):
    folder = tmp_path / "audit"
    folder.mkdir()
    for place in (tmp_path / "secret.png", folder / "secret.txt"):
        place.write_bytes(base64.b64decode(PNG))
    (folder / "link.png").symlink_to(tmp_path / "secret.png")
    (folder / "no.png").write_text("no picture", encoding="utf-8")
    files.write_text(folder / "AUDIT.md", f"# The audit\n\n![it]({source})\n")
    with pytest.raises(DataError, match=r"no PNG file within its folder|no\.png is no picture"):
        experiment.render(folder)
    (folder / "own.png").write_bytes(base64.b64decode(PNG))
    files.write_text(folder / "AUDIT.md", "# The audit\n\n![it](own.png)\n")
    assert f"data:image/png;base64,{PNG}" in experiment.render(folder)
