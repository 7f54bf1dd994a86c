"""What tests of several widgets share."""

import importlib.util

import pytest

from ivdlib.data.cases import load_case
from ivdlib.phantom import make_phantom


def missing(monkeypatch, package: str, module: str) -> None:
    """As if a package were not installed for one module of the viewer."""
    found = importlib.util.find_spec
    monkeypatch.setattr(
        f"ivdlib.course.viewer.{module}.find_spec", lambda n: None if n == package else found(n)
    )


@pytest.fixture
def no_graphics_card(monkeypatch):
    """As if ipyniivue were not installed."""
    missing(monkeypatch, "ipyniivue", "planes")


@pytest.fixture(scope="session")
def scan(tmp_path_factory):
    """Two slices of a phantom person, in which the shipped networks find discs."""
    return load_case(make_phantom(tmp_path_factory.mktemp("scan"), 1, 1, seed=7, slices=2) / "01")
