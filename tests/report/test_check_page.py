"""The page of `ivdlib check --html`: whole in itself, and safe whatever the files are called."""

import base64
import io

import numpy as np
import pytest
from bs4 import BeautifulSoup
from PIL import Image

from ivdlib.data.quality import checks
from ivdlib.data.quality.exchange import Exchange
from ivdlib.data.quality.panels import Panel
from ivdlib.errors import DataError
from ivdlib.report import check_page

HOSTILE = "<img src=x onerror=alert(1)>&'\"$^_"


def page_of(folder, path):
    check_page.write_check_page(path, folder, checks.examine(folder, pictures=True))
    return BeautifulSoup(path.read_text(encoding="utf-8"), "html.parser")


def test_findings_with_pictures_under_hostile_names(tmp_path, write_case):
    data = tmp_path / "data"
    write_case(data, "A1")
    folder = write_case(data, "B1", copy=("wat", "inn"))
    for path in folder.iterdir():
        path.rename(path.with_name(path.name.replace("B1", HOSTILE)))
    (data / "subjects.csv").write_text(
        'case,subject\nA1,a\n"' + HOSTILE.replace('"', '""') + '",<b>bold\n'
    )
    page = page_of(data, tmp_path / "deep" / "page.html")
    assert len(page.find_all("h1")) == 1
    assert not page.find_all(["script", "link", "b"])
    rows = [[c.get_text() for c in r.find_all(["th", "td"])] for r in page.tbody.find_all("tr")]
    assert [row[0] for row in rows] == [HOSTILE, "A1"] or [row[0] for row in rows] == [
        "A1",
        HOSTILE,
    ]
    assert {row[0]: row[-1] for row in rows} == {"A1": "ok", HOSTILE: "warning"}
    (image,) = page.find_all("img")
    assert HOSTILE in image["alt"] and "wat (= inn), inn (= wat), fat" in image["alt"]
    assert not [name for name in image.attrs if name.startswith("on")]
    kind, content = image["src"].split(",")
    assert kind == "data:image/png;base64"
    picture = Image.open(io.BytesIO(base64.b64decode(content)))
    assert picture.width > 500
    assert HOSTILE in picture.info["Description"]


def test_findings_and_pictures_stand_before_the_table_and_errors_before_warnings(
    tmp_path, write_case
):
    write_case(tmp_path, "A1", copy=("wat", "inn"))
    write_case(tmp_path, "B1")
    checked = checks.examine(tmp_path, pictures=True)
    (odd,) = [one for one in checked if one.panels]
    wrong = checks.Checked(odd.row | {"case": "Z1", "errors": ["cannot be"]}, odd.panels)
    path = tmp_path / "page.html"
    check_page.write_check_page(path, tmp_path, [*checked, wrong])
    page = BeautifulSoup(path.read_text(encoding="utf-8"), "html.parser")
    assert [h2["id"] for h2 in page.find_all("h2")] == ["findings", "pictures", "cases"]
    assert [h3.get_text() for h3 in page.find_all("h3")] == ["Z1: ERROR", "A1: warning"]
    assert page.find(id=page.header.a["href"].removeprefix("#")).name == "h2"


def test_a_folder_without_findings_has_no_pictures(tmp_path, write_case):
    write_case(tmp_path, "A1")
    page = page_of(tmp_path, tmp_path / "page.html")
    assert "Nothing was found." in page.get_text()
    assert not page.find_all("img")


def test_the_map_of_an_exchange_is_in_picture_and_text(tmp_path, write_case, monkeypatch):
    def find(contrasts, spacing, discs=None):
        found = np.zeros(contrasts["wat"].shape, bool)
        found[2, 3:9, 5:20] = True
        return Exchange("local", 0.1, found, {})

    monkeypatch.setattr(checks, "find_exchange", find)
    write_case(tmp_path, "A1")
    page = page_of(tmp_path, tmp_path / "page.html")
    (image,) = page.find_all("img")
    assert image["alt"].endswith("Outlined: labelled discs and water and fat exchanged.")


def test_nothing_is_left_where_the_page_cannot_be_written(tmp_path, write_case):
    write_case(tmp_path / "data", "A1")
    (tmp_path / "file").write_text("x")
    with pytest.raises(DataError, match="cannot write .*file: "):
        page_of(tmp_path / "data", tmp_path / "file" / "page.html")
    (tmp_path / "page.html").mkdir()
    with pytest.raises(DataError, match="cannot write"):
        page_of(tmp_path / "data", tmp_path / "page.html")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["data", "file", "page.html"]


def test_slices_of_several_spacings_are_drawn_to_one_scale():
    fine = Panel("fine", np.arange(80.0).reshape(8, 10), (2, 1, 1), np.eye(8, 10) > 0)
    coarse = Panel("coarse", np.arange(20.0).reshape(4, 5), (4, 2, 2))
    figure = check_page.draw_panel((fine, coarse))
    shown = [axes.images[0].get_array() for axes in figure.axes if axes.images]
    assert [image.shape for image in shown] == [(10, 8), (10, 8)]
    np.testing.assert_array_equal(shown[0], fine.plane.T[::-1, ::-1])
    doubled = np.kron(coarse.plane, np.ones((2, 2)))
    np.testing.assert_array_equal(shown[1], doubled.T[::-1, ::-1])
