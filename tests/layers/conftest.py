"""The ways in which a normalised convolution is computed, each one forced."""

import pytest

from ivdlib.layers import kernels

WAYS = ("folded", "apart", "plain")


def choose(monkeypatch, way):
    monkeypatch.setenv("IVDLIB_KERNELS", "plain" if way == "plain" else "fast")
    if way != "plain":
        monkeypatch.setattr(kernels, "folds", lambda *_: way == "folded")


@pytest.fixture(params=WAYS)
def way(request, monkeypatch):
    """Normalisations folded into the product; apart from it, by fast kernels; by those of Keras."""
    choose(monkeypatch, request.param)
    return request.param


@pytest.fixture
def take(monkeypatch):
    """Give the function `take(way)`, for a test that compares the ways."""
    return lambda way: choose(monkeypatch, way)
