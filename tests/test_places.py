"""Data and reports lie beside the checkout, wherever in it one stands."""

import pytest

from ivdlib import places
from ivdlib.errors import DataError


@pytest.fixture
def checkout(tmp_path):
    (tmp_path / "notebooks" / "src").mkdir(parents=True)
    (tmp_path / "environment.yml").write_text("")
    return tmp_path


@pytest.mark.parametrize("where", [".", "notebooks", "notebooks/src"])
def test_the_checkout_is_found_from_within(checkout, where, monkeypatch):
    monkeypatch.chdir(checkout / where)
    assert places.root() == checkout
    assert places.data_folder() == checkout / "data" and (checkout / "data").is_dir()
    assert places.reports_folder() == checkout / "reports" and (checkout / "reports").is_dir()


def test_elsewhere_it_is_the_present_folder(tmp_path, monkeypatch):
    (tmp_path / "a").mkdir()
    (tmp_path / "environment.yml").write_text("of something else")
    monkeypatch.chdir(tmp_path / "a")
    assert places.root() == tmp_path / "a"


def test_a_file_in_the_way(checkout, monkeypatch):
    (checkout / "data").write_text("")
    monkeypatch.chdir(checkout)
    with pytest.raises(DataError, match="data"):
        places.data_folder()
