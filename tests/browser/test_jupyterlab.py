"""A lesson as a student sees it: JupyterLab in Chromium, "Run All Cells", without a network."""

from pathlib import Path

import nbformat
import pytest

ROOT = Path(__file__).resolve().parents[2]
LESSON = "01_data_loading"


@pytest.fixture(scope="module")
def checkout(tmp_path_factory) -> Path:
    """A folder that looks like a checkout, with the lesson set to the profile `test`."""
    root = tmp_path_factory.mktemp("checkout")
    (root / "environment.yml").touch()
    (root / "notebooks").mkdir()
    notebook = nbformat.read(ROOT / "notebooks" / f"{LESSON}.ipynb", as_version=4)
    (cell,) = [c for c in notebook.cells if "parameters" in c.metadata.get("tags", [])]
    assert 'profile: str = "smoke"' in cell.source
    cell.source = cell.source.replace('profile: str = "smoke"', 'profile: str = "test"')
    nbformat.write(notebook, root / "notebooks" / f"{LESSON}.ipynb")
    return root


@pytest.mark.slow
def test_a_lesson_runs_in_jupyterlab_without_a_network(visit, checkout, tmp_path):
    lesson = visit(f"notebooks/{LESSON}.ipynb")
    state = lesson.run_all(tmp_path / "jupyterlab.png")
    assert state["errors"] == []
    assert state["images"] >= 1
    assert (checkout / "reports" / "test" / "record.json").is_file()
    assert lesson.hosts == {"127.0.0.1"}
