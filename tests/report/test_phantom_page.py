"""The page about a phantom: whole, offline, and hiding nothing."""

import base64
import re
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from bs4 import BeautifulSoup

from ivdlib.data.discs import LEVELS
from ivdlib.errors import DataError
from ivdlib.phantom import calibration, make_phantom
from ivdlib.phantom.calibration.measure import drawn, measure_phantom
from ivdlib.report import phantom_page


@pytest.fixture(scope="module")
def page(phantom_folder) -> BeautifulSoup:
    path = phantom_page.write_phantom_page(phantom_folder)
    assert path == phantom_folder / "phantom.html"
    return BeautifulSoup(path.read_text(encoding="utf-8"), "html.parser")


def table_after(page: BeautifulSoup, section: str) -> list[list[str]]:
    body = page.find(id=section).find_parent("section").find("tbody")
    return [[cell.get_text() for cell in row.find_all(["th", "td"])] for row in body.find_all("tr")]


def test_the_page_is_whole_in_itself(page):
    assert len(page.find_all("h1")) == 1
    assert page.h1.get_text() == "How the phantom is calibrated"
    assert page.find_all(["script", "link", "iframe", "object"]) == []
    assert not re.search(r"url\(|@import|https?://", page.style.get_text())
    images = page.find_all("img")
    assert len(images) == 3 + 2
    for image in images:
        kind, _, data = image["src"].partition(",")
        assert kind == "data:image/png;base64"
        assert base64.b64decode(data)[:4] == b"\x89PNG"
        assert len(image["alt"]) > 60
    idents = [tag["id"] for tag in page.find_all(id=True)]
    assert len(set(idents)) == len(idents)


def test_tables_are_tables(page):
    for table in page.find_all("table"):
        assert table.find_all("th"), "a table has headings"
        for head in table.find_all("th"):
            assert head.get("scope") in {"row", "col", "colgroup"}
        if table.thead:
            assert all(head.get_text(strip=True) for head in table.thead.find_all("th"))


def test_every_target_has_a_row_with_its_value(page, measured):
    rows = [
        [cell.get_text() for cell in row.find_all(["th", "td"])]
        for table in page.find(id="targets").find_parent("section").find_all("tbody")
        for row in table.find_all("tr")
    ]
    wanted = calibration.targets(measured)
    word = {True: "met", False: "missed", None: "–"}
    assert rows == [
        [r.target, r.wanted, r.measured, str(r.n), word[r.met], r.source]
        for r in wanted.itertuples()
    ]
    counts = page.find(id="found").find_next("ul").get_text(" ", strip=True)
    mine = wanted[wanted["group"] == "acceptance"]["met"]
    met, missed = sum(mine == True), sum(mine == False)  # noqa: E712
    assert f"Acceptance targets: {met} met, {missed} missed" in counts


def test_it_begins_with_a_picture_and_what_is_missed(page, measured):
    first = page.main.section
    assert first.find("img")["alt"].startswith("Scan 01 of the phantom") and not first.find("table")
    rows = calibration.targets(measured)
    missed = [row["target"] for row in rows.to_dict("records") if row["met"] is False]
    told = first.get_text(" ", strip=True)
    assert missed and all(" ".join(name.split()) in told for name in missed)
    assert len(page.find_all("img")) == len({image["src"] for image in page.find_all("img")})


def test_parameters_and_seed_are_told(page):
    table = page.find(id="made").find_next("table")
    facts = {row.th.get_text(): row.td.get_text() for row in table.find_all("tr")}
    assert facts["Data"] == "2 made-up scans, 1 made-up people"
    assert (facts["seed"], facts["slices"], facts["in plane"]) == ("3", "4", "96")
    assert "{" not in "".join(facts.values()), "a mapping is spread over several lines"


def test_slices_and_exchanges_are_told(page):
    text = " ".join(page.get_text().split())
    assert "need all 36 slices" in page.find(class_="failure").get_text()
    assert "stand exchanged are left out: 1 of 2 here" in text
    assert "Scan 01: person 1, stage 1" in text
    assert "Scan 02: person 1, stage 2; water and fat stand exchanged" in text


def test_findings_stand_scan_by_scan(page, measured):
    one, two = table_after(page, "findings")
    assert two[:2] == ["02", "1, 2"]
    assert two[-3] == "Schmorl's node at L2/3 upper (5 mm), gas in the disc at L4/5, " \
        "<b>odd</b> one at L1 (9 mm)"  # fmt: skip
    assert two[-2:] == ["12°", "yes"] and one[-1] == "no"
    grades = measured.levels[measured.levels["case"] == "02"].set_index("level")["grade"]
    assert two[2:-3] == [str(grades[level]) for level in LEVELS]


def test_stages_stand_person_by_person(page, measured):
    ((person, stage, height, length, *_, volume),) = table_after(page, "stages")
    pair = measured.pairs.iloc[0]
    assert (person, stage, volume) == ("1", "2", "–")
    assert float(length.replace("−", "-")) == pytest.approx(pair["length_mm"], abs=0.051)
    median = measured.heights["height_percent"].median()
    assert float(height.replace("−", "-")) == pytest.approx(median, abs=0.051)


def test_whole_scans_have_a_table_of_sizes_and_one_stage_has_no_pairs(measured):
    first = measured.scans["stage"] == "1"
    whole = replace(
        measured,
        scans=measured.scans[first].assign(whole=True),
        levels=measured.levels[measured.levels["stage"] == "1"],
        pairs=measured.pairs[:0],
        heights=measured.heights[:0],
    )
    page = BeautifulSoup(phantom_page.render_phantom(whole), "html.parser")
    assert page.find(class_="failure") is None and page.find(id="stages") is None
    rows = table_after(page, "sizes")
    assert [row[0] for row in rows] == list(LEVELS)
    mine = whole.levels.set_index("level")["volume_ml"]
    assert rows[1][1:3] == [f"{mine['L4/5']:.1f}", "17.9 ± 5.0"]
    assert rows[-1][-2:] == ["–", "–"], "there is no labelled disc above T11/12"


def test_the_page_is_written_where_it_is_asked_for_or_not_at_all(phantom_folder, tmp_path):
    made = phantom_page.write_phantom_page(phantom_folder, tmp_path / "deep" / "page.html")
    assert made == tmp_path / "deep" / "page.html"
    assert [path.name for path in made.parent.iterdir()] == ["page.html"]
    (tmp_path / "taken").mkdir()
    with pytest.raises(DataError, match="cannot write"):
        phantom_page.write_phantom_page(phantom_folder, tmp_path / "taken")
    assert list((tmp_path / "taken").iterdir()) == []


def test_no_phantom_no_page(tmp_path, phantom_folder):
    broken = Path(shutil.copytree(phantom_folder, tmp_path / "p"))
    (broken / "phantom.html").unlink(missing_ok=True)
    (broken / "01" / "01_Tissue.nii.gz").unlink()
    with pytest.raises(DataError, match="01_Tissue"):
        phantom_page.write_phantom_page(broken)
    assert not (broken / "phantom.html").exists()


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("01/01_scan.json", "[1]", "_scan.json: it is missing or of another kind"),
        ("01/01_scan.json", '{"findings": [3]}', r"findings\[0\] is missing"),
        ("01/01_scan.json", '{"person": {"lordosis_deg": "x"}}', "person.lordosis_deg is missing"),
        ("01/01_scan.json", "[" * 100_000, "not valid JSON"),
        ("dataset.json", '{"tissues": {"x": "air"}}', "names no tissues"),
        ("dataset.json", '{"tissues": [1]}', "names no tissues"),
        ("phantom.csv", "a,b\n1,2\n", "phantom.csv cannot be read"),
        ("phantom.csv", "case,level,grade,volume_ml\n01,L5/S1,1,x\n", "phantom.csv cannot be read"),
        ("phantom.csv", "", "phantom.csv cannot be read"),
    ],
)
def test_a_phantom_with_odd_files_is_one_sentence(tmp_path, name, text, words):
    make_phantom(tmp_path / "p", subjects=1, stages=1, slices=2, in_plane=32)
    (tmp_path / "p" / name).write_text(text)
    with pytest.raises(DataError, match=words):
        measured = measure_phantom(tmp_path / "p")
        drawn(measured.folder, "01")
