"""The lessons as a student sees them: JupyterLab in Chromium, "Run All Cells", no network."""

from pathlib import Path

import nbformat
import pytest

ROOT = Path(__file__).resolve().parents[2]
LESSONS = sorted(path.stem for path in (ROOT / "notebooks").glob("[0-9][0-9]_*.ipynb"))
WIDGETS = {"01_data_loading": 2, "03_fds_cnn": 1, "06_your_own_scan": 1}


@pytest.fixture(scope="module")
def checkout(tmp_path_factory) -> Path:
    """A folder that looks like a checkout, with the lessons set to the profile `test`."""
    root = tmp_path_factory.mktemp("checkout")
    (root / "environment.yml").touch()
    (root / "notebooks").mkdir()
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


@pytest.mark.slow
def test_a_notebook_that_fails_is_noticed(visit, tmp_path):
    (error,) = visit("broken.ipynb").run_all(tmp_path / "broken.png")["errors"]
    assert "ZeroDivisionError" in error


# In their order, in one experiment: a lesson finds there what the one before has made.
@pytest.mark.slow
@pytest.mark.parametrize("stem", LESSONS)
def test_a_lesson_runs_in_jupyterlab_without_a_network(stem, visit, checkout, tmp_path):
    lesson = visit(f"notebooks/{stem}.ipynb")
    state = lesson.run_all(tmp_path / f"{stem}.png")
    assert state["errors"] == []
    assert state["images"] >= 1
    assert lesson.page.locator(".jp-OutputArea-output .widget-vbox").count() == WIDGETS.get(stem, 0)
    assert (checkout / "reports" / "test" / "record.json").is_file()
    assert lesson.hosts == {"127.0.0.1"}
