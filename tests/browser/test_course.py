"""The lessons, profile `test`: as `reproduce` runs them, then as a student sees them.

First all in order by papermill, and the report; then in JupyterLab in Chromium by "Run All Cells",
without a network, on what the first have trained.
"""

import os
import shutil
from pathlib import Path

import nbformat
import pytest
import scripts
from bs4 import BeautifulSoup

from ivdlib import files
from ivdlib.course import lessons
from ivdlib.report import pdf
from ivdlib.report.lesson_names import lessons_in

ROOT = Path(__file__).resolve().parents[2]
LESSONS = [path.stem for path in lessons_in(ROOT / "notebooks")]

WIDGETS = {
    "01_data_loading": 2,
    "02_spine_unet": 1,
    "03_fds_cnn": 3,
    "04_gpu_training": 1,
    "06_your_own_scan": 2,
}

pytestmark = pytest.mark.slow  # in a browser: long


@pytest.fixture(scope="module")
def series(tmp_path_factory) -> Path:
    """Give the experiment that `reproduce` makes of all lessons in a copy of the checkout."""
    root = tmp_path_factory.mktemp("checkout")
    scripts.mark_checkout(root)
    (root / "notebooks").mkdir()
    for stem in LESSONS:
        shutil.copy(ROOT / "notebooks" / f"{stem}.ipynb", root / "notebooks")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(root)
        return lessons.reproduce("test", name="test")


def test_every_lesson_came_to_its_end(series):
    assert len(LESSONS) >= 8
    found = sorted(path.name for path in (series / "notebooks").iterdir())
    assert found == [f"{stem}.ipynb" for stem in LESSONS]


@pytest.mark.parametrize("stem", LESSONS)
def test_outputs_of_a_lesson(series, stem):
    cells = nbformat.read(series / "notebooks" / f"{stem}.ipynb", as_version=4).cells
    outputs = [out for cell in cells for out in cell.get("outputs", [])]
    assert not [out for out in outputs if out.output_type == "error"]
    pictures = [out for out in outputs if "image/png" in out.get("data", {})]
    assert pictures
    assert all(out.metadata["image/png"]["alt"] for out in pictures)
    text = " ".join(str(out.get("text", out.get("data", {}).get("text/plain"))) for out in outputs)
    assert str(series) not in text
    assert "absl" not in text  # TensorFlow's chatter


def test_the_experiment_is_whole(series):
    tables = sorted(path.name for path in (series / "tables").glob("*.csv"))
    others = ["exact_labels.csv", "fused_and_water.csv"]
    assert tables == [*others, "table1.csv", "table2.csv", "table3.csv"]
    record = files.read_json(series / "record.json")
    assert "ipykernel" not in " ".join(record["command"])


def test_the_report_is_whole_and_offline(series):
    page = BeautifulSoup((series / "report.html").read_text(encoding="utf-8"), "html.parser")
    assert len(page.find_all("h1")) == 1
    assert len(page.find_all("table", class_="scores")) == 3
    assert page.find_all(class_="failure") == []
    assert page.find_all(["script", "link", "iframe"]) == []
    images = page.find_all("img")
    assert len(images) >= len(LESSONS)
    assert all(image["src"].startswith("data:") for image in images)
    assert not [image["alt"] for image in images if "No description" in image["alt"]]
    assert "$" not in page.main.get_text()
    assert page.find(class_="badges").get_text().split()[0] == "PHANTOM"


def test_the_pdf_is_there(series):
    path = series / "report.pdf"
    if not path.is_file() and os.environ.get("IVDLIB_CI") != "1":
        pytest.skip(pdf.PANGO)
    assert path.read_bytes().startswith(b"%PDF-")
    assert path.stat().st_size < 10e6


def test_one_lesson_again_trains_nothing_again(series, monkeypatch):
    monkeypatch.chdir(series.parents[1])
    before = {p: p.stat().st_mtime_ns for p in series.glob("trainings/*/record.json")}
    assert len(before) >= 12
    path = lessons.lesson("05", {"profile": "test", "name": "test", "seeds": "0"})
    assert path == series / "notebooks" / "05_ablation_tables.ipynb"
    assert {p: p.stat().st_mtime_ns for p in series.glob("trainings/*/record.json")} == before


# --- in a browser ---------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def checkout(series) -> Path:
    """Set the lessons of the checkout to the profile `test`; what they train is there but for one.

    Lesson 04 trains the first network of the grid again, so that one sees it in the browser.
    """
    root = series.parents[1]
    wanted = {"target": "disc", "network": "fds_cnn", "arm": "with", "fold": 1}
    records = series.glob("trainings/*/record.json")
    (again,) = [path for path in records if wanted.items() <= files.read_json(path).items()]
    shutil.rmtree(again.parent)
    for stem in LESSONS:
        notebook = nbformat.read(ROOT / "notebooks" / f"{stem}.ipynb", as_version=4)
        (cell,) = [c for c in notebook.cells if "parameters" in c.metadata.get("tags", [])]
        assert 'profile: str = "smoke"' in cell.source
        cell.source = cell.source.replace('profile: str = "smoke"', 'profile: str = "test"')
        nbformat.write(notebook, root / "notebooks" / f"{stem}.ipynb")
    v4 = nbformat.v4
    cells = [v4.new_code_cell(line) for line in ("1", "1 / 0", "2")]
    broken = v4.new_notebook(cells=cells, metadata=notebook.metadata)
    nbformat.write(broken, root / "broken.ipynb")
    return root


@pytest.mark.long
def test_a_notebook_that_fails_is_noticed(visit, tmp_path):
    (error,) = visit("broken.ipynb").run_all(tmp_path / "broken.png")["errors"]
    assert "ZeroDivisionError" in error


# In their order, in one experiment: a lesson finds there what the one before has made.
@pytest.mark.long
@pytest.mark.parametrize("stem", LESSONS)
def test_a_lesson_runs_in_jupyterlab_without_a_network(stem, visit, checkout, tmp_path):
    lesson = visit(f"notebooks/{stem}.ipynb")
    state = lesson.run_all(tmp_path / f"{stem}.png")
    assert state["errors"] == []
    assert state["images"] >= 1
    assert lesson.page.locator(".jp-OutputArea-output .widget-vbox").count() == WIDGETS.get(stem, 0)
    assert (checkout / "reports" / "test" / "record.json").is_file()
    assert lesson.hosts == {"127.0.0.1"}
