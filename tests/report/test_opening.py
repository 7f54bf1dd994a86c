"""What a report begins with: its picture, its sentences, and what could not be told."""

import numpy as np
import pytest
from bs4 import BeautifulSoup
from hostile_report import odd_experiment
from made_up_scores import CLEAR, SINGLE, WITH, scores

from ivdlib import files
from ivdlib.report import experiment, opening, plotting, result_figures

MADE = {"phantom": True, "left": 0}


def told_of(metrics, **made) -> str:
    return "\n".join(opening.what_was_found(MADE | made, metrics))


def page_of(folder) -> BeautifulSoup:
    return BeautifulSoup(experiment.render_report(folder), "html.parser")


def test_the_report_begins_with_a_picture_and_words_before_contents_and_tables(done_page):
    first = done_page.find("section", class_="first")
    assert done_page.main.find(True) == first
    assert first.find("img")["alt"] and first.figcaption.get_text()
    assert first.find(id="found").get_text() == "What was found"
    assert first.find_next("nav") and not first.find_previous("nav")
    assert first.find_next("table", class_="scores") and not first.find("table")
    assert not done_page.header.find(class_="facts")  # machine and versions stand at the end
    assert "a processor" in done_page.find(id="again").parent.get_text()
    assert "phantom" not in done_page.header.h1.get_text().lower()
    assert "PHANTOM" in done_page.header.get_text()


def test_no_picture_stands_twice(done):
    plotting_there(done)
    sources = [image["src"] for image in page_of(done).select("section figure img")]
    assert len(sources) == len(set(sources)) == 2


def test_lessons_that_did_not_end_are_told_first_with_a_way_to_them(done_page):
    told = done_page.find("section", class_="first").find("p", class_="failure")
    assert " ".join(told.get_text().split()) == (
        "Not all lessons came to their end: 03 A lesson (failed), 04_four (missing)."
    )
    assert [link["href"] for link in told.find_all("a")] == ["#03_three-0", "#04_four"]


def test_the_sentences_are_made_from_the_numbers():
    metrics = scores(CLEAR)
    mine = metrics[(metrics["network"] == "fds_cnn") & metrics["contrast"].isin(SINGLE)]
    mean = mine[mine["trained_on"] == WITH]["dice"].mean()
    told = told_of(metrics)
    assert (
        f"FDS-CNN, trained with fusion, reaches a mean Dice of {mean:.3f} on 6 test scans, one "
        "image at a time; the paper prints 0.902 for 16 scans of patients." in told
    )
    assert "FDS-CNN finds the discs best, ahead of U-Net" in told
    assert f"Dice {mine['dice'].min():.3f}." in told
    assert "Training with fusion changes the Dice" in told
    assert "scans are made up" in told and "from 6 people and 1 seed." in told
    assert "made up" not in told_of(metrics, phantom=False)


def test_a_network_other_than_ours_has_its_dice_told():
    told = told_of(scores({("unet", WITH): 0.0}))
    assert "U-Net, trained with fusion, reaches" in told and "U-Net alone was scored" in told
    assert "FDS-CNN" not in told


def test_rows_that_need_no_network_are_no_result():
    metrics = scores({("level atlas", WITH): 0.0})
    assert opening.what_was_found(MADE, metrics) == ["No disc network was scored yet."]
    assert opening.found_besides({"remarks": ["odd"]}, metrics) == ["odd."]


def test_one_scan_has_no_interval():
    told = told_of(scores(CLEAR, patients="a"))
    assert "on 1 test scan, one" in told and "from 1 person and 1 seed" in told
    assert "nan" not in told and "chance" not in told


@pytest.mark.parametrize("lost", [1, 7, None])
def test_scores_without_dice_are_counted(lost):
    """None: all are lost."""
    metrics = scores(CLEAR)
    metrics.loc[metrics.index[:lost], "dice"] = np.nan
    told = told_of(metrics)
    count = lost or len(metrics)
    assert f"{count} of {len(metrics)} disc scores hold no Dice" in told and "nan" not in told
    assert ("No disc network was scored yet." in told) == (lost is None)


def test_an_experiment_with_nothing_in_it_says_so(tmp_path):
    folder = odd_experiment(tmp_path / "mine")
    (folder / "metrics.csv").unlink()
    for path in (folder / "tables").iterdir():
        path.unlink()
    files.write_json(
        folder / "record.json", files.read_json(folder / "record.json") | {"left": 4, "seeds": 1}
    )
    first = page_of(folder).find("section", class_="first")
    assert [item.get_text() for item in first.find_all("li")] == [
        "The experiment is unfinished: 4 of ? trainings are left.",
        "No disc network was scored yet.",
    ]
    assert first.find("img") is None


def plotting_there(folder, case="<i>01"):
    figure, _ = plotting.new_figure(1.0)
    figure.set_label("Discs of a scan.")
    plotting.save({"04_prediction": figure}, folder / "figures")
    files.write_json(folder / "figures" / "04_prediction.json", {"case": case})


def test_discs_are_shown_first_and_where_their_scan_stands(done):
    caption = page_of(done).select_one(".first figcaption").get_text()
    assert caption == result_figures.ALT["patients"]
    plotting_there(done)
    figure = page_of(done).select_one(".first figure.tall")
    assert figure.img["alt"] == "Discs of a scan."
    assert figure.figcaption.get_text() == (
        "Discs of a scan. The scan was drawn by a seed, not by its score: FDS-CNN's mean Dice on "
        "it is 0.500, the median of 1 scan is 0.500."
    )
    plotting_there(done, case="another")
    assert page_of(done).select_one(".first figcaption").get_text() == "Discs of a scan."
