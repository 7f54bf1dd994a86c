"""What tests of several widgets share."""

import importlib.util

import pytest

from ivdlib.data.cases import load_case
from ivdlib.phantom import make_phantom


@pytest.fixture
def no_graphics_card(monkeypatch):
    """As if ipyniivue were not installed."""
    found = importlib.util.find_spec
    monkeypatch.setattr(
        "ivdlib.course.viewer.planes.find_spec", lambda n: None if n == "ipyniivue" else found(n)
    )


@pytest.fixture(scope="session")
def scan(tmp_path_factory):
    """Two slices of a phantom person, in which the shipped networks find discs."""
    return load_case(make_phantom(tmp_path_factory.mktemp("scan"), 1, 1, seed=7, slices=2) / "01")
