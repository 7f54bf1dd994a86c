"""Scores and tables of an experiment on its page."""

import pandas as pd
import pytest
from bs4 import BeautifulSoup
from hostile_report import odd_experiment

from ivdlib.errors import DataError
from ivdlib.evaluation import scores
from ivdlib.report import experiment as report
from ivdlib.report import results


def test_only_the_values_used_stand_in_the_report(done_page):
    assert "seeds = 7" in done_page.get_text()
    assert "seeds: int = 0" not in done_page.get_text()


def test_tables_stand_beside_the_papers_with_label_and_marks(done_page):
    table = done_page.find("table", class_="scores")
    assert "Table 1" in table.caption.get_text()
    assert "phantom, NOT COMPARABLE" in table.caption.get_text()
    head = [cell.get_text() for cell in table.thead.find_all("th")]
    assert head == ["network", "source", "wat†", "fat", "inn", "opp", "Mean", "scans"]
    rows = [[c.get_text() for c in tr.find_all(["th", "td"])] for tr in table.tbody.find_all("tr")]
    assert rows[0] == ["FDS-CNN", "ours", *["0.5000"] * 5, "1"]
    assert rows[-1] == ["FDS-CNN", "paper", "0.9111", "0.8853", "0.9055", "0.9062", "0.9021", "16"]
    assert "† derived: wat" in done_page.get_text()
    badges = done_page.find(class_="badges").get_text()
    assert all(word in badges for word in ("PHANTOM", "NOT COMPARABLE", "DERIVED"))


def test_a_long_table_keeps_the_papers_rows(done):
    path = done / "tables" / "table1.csv"
    ours = pd.read_csv(path)
    paper = ours[ours["source"] == "paper"]
    assert len(paper)
    many = pd.concat([ours[ours["source"] == "ours"]] * 80)
    pd.concat([many, paper]).to_csv(path, index=False)
    (shown, *_) = results.scores(done, {})
    assert [row["source"] for row in shown["rows"]].count("paper") == len(paper)
    assert f"{len(many) - 60} more rows stand in table1.csv." in shown["notes"]


def test_a_long_table_is_cut_and_says_so(tmp_path):
    folder = odd_experiment(tmp_path / "mine", rows=500)
    page = BeautifulSoup(report.render_report(folder), "html.parser")
    table = page.find("table", class_="scores")
    assert len(table.tbody.find_all("tr")) == 60
    assert "440 more rows stand in table1.csv." in page.get_text()


@pytest.mark.parametrize("text", ["", "network,source\n", "\0\0", "a,b\n1,2,3,4\n"])
def test_a_broken_table_is_one_sentence(tmp_path, text):
    folder = odd_experiment(tmp_path / "mine")
    (folder / "tables" / "table1.csv").write_text(text)
    try:
        page = report.render_report(folder)
    except DataError as error:
        assert str(error).count("\n") == 0
        assert "table1.csv" in str(error)
    else:
        assert "<!DOCTYPE html>" in page


def test_broken_scores_are_one_sentence(tmp_path):
    folder = odd_experiment(tmp_path / "mine")
    (folder / "metrics.csv").unlink()
    place = folder / "trainings" / "abc" / scores.METRICS
    place.parent.mkdir(parents=True)
    place.write_bytes(b"\x1f\x8b\x08\x00broken")
    with pytest.raises(DataError, match="the scores in .* cannot be read"):
        report.render_report(folder)


def test_scores_that_lack_columns_are_one_sentence(tmp_path):
    folder = odd_experiment(tmp_path / "mine")
    (folder / "metrics.csv").write_text("network,seed\nfds_cnn,0\n")
    with pytest.raises(DataError, match="lack case, contrast, dice"):
        report.render_report(folder)
