"""The examples in docstrings do what they show."""

import doctest
import importlib

import pytest

MODULES = ("challenge", "discs", "dixon", "exercises", "fusion", "metrics", "models", "patches",
           "profiles", "splits", "statistics")  # fmt: skip


@pytest.mark.parametrize("name", MODULES)
def test_examples(name):
    module = importlib.import_module(f"ivdlib.{name}")
    result = doctest.testmod(module, optionflags=doctest.NORMALIZE_WHITESPACE)
    assert result.attempted > 0
    assert result.failed == 0
