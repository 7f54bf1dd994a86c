"""Weights by name: those that come with the package."""

from pathlib import Path

import pytest

from ivdlib.errors import DataError
from ivdlib.training import shipped
from ivdlib.training.shipped import WEIGHTS


@pytest.fixture
def folder(tmp_path, monkeypatch):
    for name in ("unet", "fds_cnn", "spine"):
        (tmp_path / name).mkdir()
        (tmp_path / name / WEIGHTS).write_bytes(b"")
    (tmp_path / "half_made").mkdir()
    monkeypatch.setattr(shipped, "FOLDER", tmp_path)
    return tmp_path


def test_names_and_files(folder, tmp_path, monkeypatch):
    assert shipped.names() == ("fds_cnn", "unet")
    assert shipped.find() == folder / "fds_cnn" / WEIGHTS
    assert shipped.find("unet") == folder / "unet" / WEIGHTS
    assert shipped.find("no/such/file") == Path("no/such/file")
    assert shipped.find("model.weights.h5") == Path("model.weights.h5")
    monkeypatch.chdir(tmp_path)
    Path("unet").mkdir(exist_ok=True)  # a folder hides no name
    assert shipped.find("unet") == folder / "unet" / WEIGHTS
    Path("mine").write_bytes(b"")
    assert shipped.find("mine") == Path("mine")  # a file goes before a name


@pytest.mark.parametrize("name", ["fds-cnn", "half_made", "U-Net"])
def test_names_that_are_none(folder, name, tmp_path, monkeypatch):
    (elsewhere := tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(elsewhere)
    with pytest.raises(DataError, match=f"no weights '{name}'.*: fds_cnn, unet"):
        shipped.find(name)


def test_a_copy_without_weights(tmp_path, monkeypatch):
    monkeypatch.setattr(shipped, "FOLDER", tmp_path)
    with pytest.raises(DataError, match="none in this copy"):
        shipped.find()
