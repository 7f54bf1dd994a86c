"""Experiments side by side: same patients are subtracted, others are not."""

import numpy as np
import pandas as pd
import pytest
from bs4 import BeautifulSoup

from ivdlib import files
from ivdlib.errors import ConfigError, DataError
from ivdlib.report import compare


def experiment(folder, shift=0.0, people="ABCD", network="fds_cnn", data="one"):
    profile = {"name": "test", "training": {"steps": 9}}
    record = {
        "name": folder.name, "config": {"profile": profile, "data": data},
        "cases": {p: {"subject": p} for p in people}, "made": "2026-01-02T03:04:05+00:00",
        "phantom": True, "data": "phantom",
    }  # fmt: skip
    files.write_json(folder / "record.json", record)
    rows = [
        {"network": network, "trained_on": "contrasts+fused", "seed": 0, "fold": 1,
         "case": p, "subject": p, "target": "disc", "scope": "volume", "level": "",
         "contrast": contrast, "dice": 0.5 + 0.1 * k + shift + (0.05 if "+" in contrast else 0.0)}
        for k, p in enumerate(people) for contrast in ("wat", "fat", "fat+opp")
    ]  # fmt: skip
    files.write_csv(folder / "metrics.csv", pd.DataFrame(rows))
    place = folder / "trainings" / "abc"
    curve = pd.DataFrame({"step": [1, 2], "loss": [1.0, 0.5]})
    files.write_csv(place / "history.csv", curve)
    made = {"target": "disc", "network": network, "arm": "with", "device": "a processor",
            "seconds_training": 1.0, "seconds_scoring": 1.0}  # fmt: skip
    files.write_json(place / "record.json", made)
    return folder


def page_of(folders, out) -> BeautifulSoup:
    made = compare.build_comparison(folders, out)
    return BeautifulSoup(made["html"].read_text(encoding="utf-8"), "html.parser")


def rows_below(page, ident) -> list[list[str]]:
    table = page.find(id=ident).parent.find("table")
    return [[c.get_text() for c in tr.find_all(["th", "td"])] for tr in table.tbody.find_all("tr")]


def test_means_differences_and_curves(tmp_path):
    folders = [experiment(tmp_path / "one"), experiment(tmp_path / "two", shift=0.02)]
    page = page_of(folders, tmp_path / "out")
    assert page.h1.get_text() == "one · two"
    mean = np.mean([0.5, 0.6, 0.7, 0.8])
    assert rows_below(page, "dice") == [
        ["FDS-CNN", "contrasts+fused", "single", f"{mean:.4f} (n 4)", f"{mean + 0.02:.4f} (n 4)"],
        ["FDS-CNN", "contrasts+fused", "fused", f"{mean + 0.05:.4f} (n 4)",
         f"{mean + 0.07:.4f} (n 4)"],
    ]  # fmt: skip
    ((what, network, _, difference, p, n),) = rows_below(page, "differences")
    assert (what, network, p, n) == ("two − one", "FDS-CNN", "0.125", "4")
    assert difference == "+0.0200 [+0.0200, +0.0200]"
    first, curves = page.find_all("img")
    assert "a line for each experiment" in curves["alt"] and "interval" in first["alt"]
    assert "PHANTOM" in page.header.get_text()
    assert [row[0] for row in rows_below(page, "what")][0] == "Data"


@pytest.mark.parametrize(
    ("shift", "told"),
    [
        (
            0.02,
            "better in two than in one: Dice differs by +0.020 (+0.020 to +0.020, 4 people: more",
        ),
        (-0.02, "worse in two than in one: Dice differs by -0.020"),
        (
            0.0,
            "as well in two as in one: Dice differs by +0.000 (+0.000 to +0.000, 4 people: may be",
        ),
    ],
)
def test_it_begins_with_which_is_better_and_a_picture_of_it(tmp_path, shift, told):
    folders = [experiment(tmp_path / "one"), experiment(tmp_path / "two", shift=shift)]
    page = page_of(folders, tmp_path / "out")
    first = page.find("section", class_="first")
    (line,) = first.find_all("li")
    assert f"FDS-CNN, trained on contrasts+fused, finds the discs {told}" in line.get_text()
    assert first.find("img") and first.find_next("nav") and not first.find_previous("table")
    assert [link["href"] for link in page.nav.find_all("a")][-1] == "#what"


def test_other_patients_are_not_subtracted(tmp_path):
    folders = [experiment(tmp_path / "one"), experiment(tmp_path / "two", people="WXYZ")]
    page = page_of(folders, tmp_path / "out")
    assert "No patient was scored in both" in page.get_text()
    assert "Which is better cannot be told" in page.find(class_="first").get_text()
    folders = [folders[0], experiment(tmp_path / "three", people="CDEF", shift=0.2)]
    assert rows_below(page_of(folders, tmp_path / "out"), "differences")[0][-1] == "2"


def test_patients_of_other_data_are_other_people(tmp_path):
    folders = [experiment(tmp_path / "one"), experiment(tmp_path / "two", data="another")]
    text = page_of(folders, tmp_path / "out").get_text()
    assert "No patient was scored in both" in text
    assert "Left out, because other scans than those of one were used: two." in text


def test_a_label_says_whose_it_is(tmp_path):
    folders = [experiment(tmp_path / "one"), experiment(tmp_path / "two")]
    record = files.read_json(folders[1] / "record.json")
    files.write_json(folders[1] / "record.json", record | {"derived": ["wat"]})
    badges = page_of(folders, tmp_path / "out").find(class_="badges").get_text(" ", strip=True)
    assert "PHANTOM made-up scans" in badges and "two: wat computed from other" in badges


def test_networks_that_only_one_has(tmp_path):
    folders = [experiment(tmp_path / "one"), experiment(tmp_path / "two", network="unet")]
    rows = rows_below(page_of(folders, tmp_path / "out"), "dice")
    assert [row[0] for row in rows] == ["FDS-CNN", "FDS-CNN", "U-Net", "U-Net"]
    assert rows[0][4] == "–" and rows[2][3] == "–"


def test_what_cannot_be_compared(tmp_path):
    one = experiment(tmp_path / "one")
    for folders in ([one], [one, one], [one, tmp_path / "one"]):
        with pytest.raises(ConfigError, match="two or more different experiments"):
            compare.build_comparison(folders, tmp_path / "out")
    with pytest.raises(DataError, match=r"record\.json"):
        compare.build_comparison([one, tmp_path / "nowhere"], tmp_path / "out")
    empty = experiment(tmp_path / "empty")
    (empty / "metrics.csv").unlink()
    with pytest.raises(DataError, match="has been scored"):
        compare.build_comparison([one, empty], tmp_path / "out")
    assert not list(tmp_path.glob("out*"))
