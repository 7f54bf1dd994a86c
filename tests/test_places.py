"""Data and reports lie beside the checkout, wherever in it one stands."""

from pathlib import Path

import pytest
import scripts

from ivdlib import places
from ivdlib.course import lesson_source, lessons
from ivdlib.errors import ConfigError, DataError


@pytest.fixture
def checkout(tmp_path):
    (tmp_path / "notebooks" / "src").mkdir(parents=True)
    scripts.mark_checkout(tmp_path)
    return tmp_path


@pytest.mark.parametrize("where", [".", "notebooks", "notebooks/src"])
def test_the_checkout_is_found_from_within(checkout, where, monkeypatch):
    monkeypatch.chdir(checkout / where)
    assert places.root() == checkout
    assert places.data_folder() == checkout / "data" and (checkout / "data").is_dir()
    assert places.reports_folder() == checkout / "reports" and (checkout / "reports").is_dir()


def test_a_copy_of_the_lessons_is_one(checkout, monkeypatch):
    (checkout / "pyproject.toml").unlink()
    (checkout / "environment.yml").write_text("name: ivdlib\n")
    (checkout / "notebooks" / "src" / places.FIRST).write_text("")
    monkeypatch.chdir(checkout / "notebooks")
    assert places.root() == checkout


def test_elsewhere_it_is_the_present_folder(tmp_path, monkeypatch):
    (tmp_path / "a").mkdir()
    (tmp_path / "environment.yml").write_text("of something else")
    monkeypatch.chdir(tmp_path / "a")
    assert places.root() == tmp_path / "a"


@pytest.mark.parametrize(
    "about",
    [
        None,
        "",
        "[project]\nname = 'theirs'\ndependencies = ['ivdlib']\n",
        "project = 'ivdlib'\n",
        "[tool.ivdlib]\nname = 'ivdlib'\n",
        "[project\nname = 'ivdlib'\n",
        b"\xff\xfe",
    ],
)
def test_a_checkout_of_another_project_is_none(tmp_path, monkeypatch, about):
    place = tmp_path / "notebooks" / "exercises"
    place.mkdir(parents=True)
    (tmp_path / "notebooks" / "01_theirs.ipynb").write_text("{}")
    (tmp_path / "environment.yml").write_text("name: ivdlib\n")
    if about is not None:
        write = Path.write_bytes if isinstance(about, bytes) else Path.write_text
        write(tmp_path / "pyproject.toml", about)
    monkeypatch.chdir(place)
    assert places.checkout() is None and places.root() == place
    monkeypatch.chdir(tmp_path)
    assert lesson_source.source_of("01") is None
    with pytest.raises(ConfigError, match=r"no checkout of ivdlib.* call this inside one\."):
        lessons.series()


def test_ours_is_found_from_within_that_of_another(checkout, monkeypatch):
    scripts.mark_checkout(checkout, "theirs")
    inner = checkout / "vendor"
    (inner / "notebooks").mkdir(parents=True)
    scripts.mark_checkout(inner)
    monkeypatch.chdir(inner / "notebooks")
    assert places.root() == inner


def test_a_file_in_the_way(checkout, monkeypatch):
    (checkout / "data").write_text("")
    monkeypatch.chdir(checkout)
    with pytest.raises(DataError, match="data"):
        places.data_folder()
