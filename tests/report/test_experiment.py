"""The report: whole, offline, and telling what is missing."""

import re

import pytest
from bs4 import BeautifulSoup
from report_folder import NAME

from ivdlib import cli, files
from ivdlib.errors import DataError
from ivdlib.evaluation import recorded
from ivdlib.report import experiment


def test_names_are_escaped(done_page):
    assert done_page.h1.get_text() == NAME
    assert done_page.title.get_text().startswith(NAME)
    assert done_page.find(["b", "i"]) is None
    assert done_page.find("script") is None
    assert "printed <b>bold</b> ✓" in done_page.get_text()
    assert "no <fat> here" in done_page.get_text()


def test_one_h1_and_no_level_left_out(done_page):
    levels = [int(tag.name[1]) for tag in done_page.find_all(re.compile("^h[1-6]$"))]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(b - a <= 1 for a, b in zip(levels, levels[1:], strict=False))


def test_every_link_of_the_contents_leads_somewhere(done_page):
    targets = [link["href"] for link in done_page.nav.find_all("a")]
    ids = [tag["id"] for tag in done_page.find_all(id=True)]
    assert len(ids) == len(set(ids))
    assert {target.lstrip("#") for target in targets} <= set(ids)
    titles = " ".join(link.get_text() for link in done_page.nav.find_all("a"))
    assert all(word in titles for word in ("01 A lesson", "Part", "03", "04_four"))


def test_nothing_comes_from_elsewhere(done, done_page):
    sources = [tag[name] for name in ("src", "href") for tag in done_page.find_all(**{name: True})]
    assert len(sources) > 10
    assert [text[:60] for text in sources if not text.startswith(("data:", "#"))] == []
    html = experiment.render_report(done)
    assert re.findall(r"url\((?!data:)|@import|https?://", html) == []


def test_pictures_keep_their_alternative_text(done_page):
    alts = [image["alt"] for image in done_page.select("article img")]
    assert alts[0] == 'a "grey" pixel'
    assert len(alts) == 2  # the picture from elsewhere gave way to its text
    assert all(alts)
    assert "far away" in done_page.get_text()


def test_noise_is_dropped_and_warnings_stay(done_page):
    text = done_page.get_text()
    assert "a warning that counts" in text
    assert "left" not in text
    assert "cuda" not in text
    assert len(done_page.find_all("details", class_="messages")) == 1


def test_scores_that_nothing_vouches_for_are_told(done, done_page):
    told = "2026-01-02 03:04 UTC; its scores are not sealed"
    assert told in " ".join(done_page.get_text(" ").split())
    record = files.read_json(done / "record.json")
    sealed = recorded.sealed(done, ["metrics.csv"])
    files.write_json(done / "record.json", {**record, "sha256": sealed})
    assert "not sealed" not in experiment.render_report(done)
    files.write_json(done / "record.json", record)
    (done / "metrics.csv").unlink()
    assert "not sealed" not in experiment.render_report(done)


def test_a_failed_and_a_missing_lesson_are_told(done_page):
    told = [" ".join(p.get_text().split()) for p in done_page.select("article p.failure")]
    assert told == [
        "Lesson 03_three stopped in cell [5] (DataError: no <fat> here); "
        "what follows it was not run.",
        "Lesson 04_four was not run: 04_four.ipynb is not in notebooks/.",
    ]


def test_an_experiment_without_results_has_a_report(done):
    for path in [*(done / "tables").iterdir(), *(done / "notebooks").iterdir()]:
        path.unlink()
    (done / "metrics.csv").unlink()
    assert "There are no tables yet" in experiment.render_report(done)


def test_a_folder_without_record_is_refused(tmp_path):
    with pytest.raises(DataError, match=r"record\.json"):
        experiment.build_report(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_scans_that_are_not_in_a_checkout_are_named(done):
    made = files.read_json(done / "record.json") | {"phantom": False, "data": "my scans"}
    files.write_json(done / "record.json", made)
    text = " ".join(BeautifulSoup(experiment.render_report(done), "html.parser").get_text().split())
    assert "put their folder, my scans, into data/" in text and "'data/my scans'" in text
    files.write_json(done / "record.json", made | {"config": {}})
    assert "no command can be given" in experiment.render_report(done)


@pytest.mark.parametrize("key", ["short_of", "remarks"])
def test_a_recipe_that_falls_short_and_what_is_odd_about_scans_is_told(done, key):
    told = "spine.steps is 80, less than the 800 that the recipe better was chosen with"
    made = files.read_json(done / "record.json") | {key: [told]}
    files.write_json(done / "record.json", made)
    assert f"{told}." in BeautifulSoup(experiment.render_report(done), "html.parser").get_text()


def test_an_ending_of_out_is_taken_off(done):
    for name in ("a.pdf", "b.HTML", "c.d"):
        assert cli.main(["report", str(done), "--out", str(done / "new" / name)]) == 0
    made = sorted(path.name for path in (done / "new").glob("*.html"))
    assert made == ["a.html", "b.html", "c.d.html"]
