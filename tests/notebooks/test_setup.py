"""First code of a notebook: finds ivdlib, installs it from the checkout, or says what to do."""

import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from ivdlib.course import lesson_versions

ROOT = Path(__file__).resolve().parents[2]
SOURCES = sorted((ROOT / "notebooks" / "src").glob("*.py"))


@pytest.fixture(scope="module")
def setup() -> str:
    return lesson_versions.SETUP


@pytest.fixture
def without_ivdlib(monkeypatch):
    """Give what pip was called with; it answers with `code`."""
    called = SimpleNamespace(words=None, code=0)

    def run(words):
        called.words = words
        return SimpleNamespace(returncode=called.code)

    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    monkeypatch.setattr(subprocess, "run", run)
    monkeypatch.setattr(sys, "path", list(sys.path))
    return called


@pytest.mark.parametrize("version", ["lesson", "student"])
def test_every_notebook_begins_with_it(setup, version):
    for path in SOURCES:
        cells = lesson_versions.notebook(path, version).cells
        code = [cell for cell in cells if cell.cell_type == "code"]
        assert "parameters" in code[0].metadata["tags"] and code[1].source == setup.rstrip()
        assert code[1].metadata["jupyter"]["source_hidden"]


def test_where_ivdlib_is_nothing_is_done(setup, monkeypatch):
    monkeypatch.setattr(subprocess, "run", None)
    exec(setup, {})


@pytest.mark.parametrize("below", ["", "notebooks", "my_lessons"])
def test_it_is_installed_from_the_checkout(setup, without_ivdlib, tmp_path, monkeypatch, below):
    (tmp_path / "ivdlib").mkdir()
    (tmp_path / "ivdlib" / "__init__.py").touch()
    place = tmp_path / below
    place.mkdir(parents=True, exist_ok=True)
    monkeypatch.chdir(place)
    exec(setup, {})
    assert without_ivdlib.words[1:4] == ["-m", "pip", "install"]
    assert without_ivdlib.words[-2:] == ["--editable", f"{tmp_path}[lessons]"]
    assert sys.path[0] == str(tmp_path)


def test_without_a_checkout_it_says_what_to_do(setup, without_ivdlib, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit, match="kernel of the Python that has it, or put the whole"):
        exec(setup, {})
    assert without_ivdlib.words is None


def test_where_pip_fails_it_says_so(setup, without_ivdlib, monkeypatch):
    monkeypatch.chdir(ROOT)
    without_ivdlib.code = 1
    with pytest.raises(SystemExit, match="pip could not install ivdlib"):
        exec(setup, {})
