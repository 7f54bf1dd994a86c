"""What tests of several widgets share."""

import importlib.util

import pytest


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


@pytest.fixture
def no_board(monkeypatch):
    """As if anywidget were not installed."""
    missing(monkeypatch, "anywidget", "drawing")
