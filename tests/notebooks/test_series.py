"""The main job as a user starts it: all lessons in order, profile `test`, then the report."""

import os
import shutil
from pathlib import Path

import nbformat
import pytest
from bs4 import BeautifulSoup

from ivdlib import files, lessons, report

ROOT = Path(__file__).resolve().parents[2]
SERIES = sorted(path.stem for path in (ROOT / "notebooks").glob("[0-9][0-9]_*.ipynb"))

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """An experiment made by `reproduce`, in a folder that looks like a checkout."""
    root = tmp_path_factory.mktemp("checkout")
    (root / "environment.yml").touch()
    (root / "notebooks").mkdir()
    for stem in SERIES:
        shutil.copy(ROOT / "notebooks" / f"{stem}.ipynb", root / "notebooks")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(root)
        yield lessons.reproduce("test", name="series")


def test_every_lesson_came_to_its_end(folder):
    assert len(SERIES) >= 7
    found = sorted(path.name for path in (folder / "notebooks").iterdir())
    assert found == [f"{stem}.ipynb" for stem in SERIES]


@pytest.mark.parametrize("stem", SERIES)
def test_outputs_of_a_lesson(folder, stem):
    cells = nbformat.read(folder / "notebooks" / f"{stem}.ipynb", as_version=4).cells
    outputs = [out for cell in cells for out in cell.get("outputs", [])]
    assert not [out for out in outputs if out.output_type == "error"]
    pictures = [out for out in outputs if "image/png" in out.get("data", {})]
    assert pictures
    assert all(out.metadata["image/png"]["alt"] for out in pictures)
    text = " ".join(str(out.get("text", out.get("data", {}).get("text/plain"))) for out in outputs)
    assert str(folder) not in text
    assert "absl" not in text  # TensorFlow's chatter


def test_the_experiment_is_whole(folder):
    tables = sorted(path.name for path in (folder / "tables").glob("*.csv"))
    others = ["exact_labels.csv", "fused_and_water.csv"]
    assert tables == [*others, "table1.csv", "table2.csv", "table3.csv"]
    record = files.read_json(folder / "record.json")
    assert "ipykernel" not in " ".join(record["command"])


def test_the_report_is_whole_and_offline(folder):
    page = BeautifulSoup((folder / "report.html").read_text(encoding="utf-8"), "html.parser")
    assert len(page.find_all("h1")) == 1
    assert len(page.find_all("table", class_="scores")) == 3
    assert page.find_all(class_="failure") == []
    assert page.find_all(["script", "link", "iframe"]) == []
    images = page.find_all("img")
    assert len(images) >= len(SERIES)
    assert all(image["src"].startswith("data:") for image in images)
    assert not [image["alt"] for image in images if "No description" in image["alt"]]
    assert "$" not in page.main.get_text()
    assert page.find(class_="badges").get_text().split()[0] == "PHANTOM"


def test_the_pdf_is_there(folder):
    path = folder / "report.pdf"
    if not path.is_file() and os.environ.get("IVDLIB_CI") != "1":
        pytest.skip(report.PANGO)
    assert path.read_bytes().startswith(b"%PDF-")
    assert path.stat().st_size < 10e6


def test_one_lesson_again_trains_nothing_again(folder):
    before = {p: p.stat().st_mtime_ns for p in folder.glob("trainings/*/record.json")}
    assert len(before) >= 12
    path = lessons.lesson("05", {"profile": "test", "name": "series", "seeds": "0"})
    assert path == folder / "notebooks" / "05_ablation_tables.ipynb"
    assert {p: p.stat().st_mtime_ns for p in folder.glob("trainings/*/record.json")} == before
