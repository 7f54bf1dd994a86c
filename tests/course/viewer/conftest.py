"""What tests of several widgets share."""

import importlib.util

import pytest


@pytest.fixture
def no_graphics_card(monkeypatch):
    """As if ipyniivue were not installed."""
    found = importlib.util.find_spec
    monkeypatch.setattr(
        "ivdlib.course.viewer.planes.find_spec", lambda n: None if n == "ipyniivue" else found(n)
    )
