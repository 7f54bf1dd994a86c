"""The examples in docstrings do what they show."""

import doctest
import importlib
from pathlib import Path

import pytest

import ivdlib

ROOT = Path(ivdlib.__file__).parents[1]
MODULES = [
    ".".join(path.relative_to(ROOT).with_suffix("").parts)
    for path in sorted(Path(ivdlib.__file__).parent.rglob("*.py"))
    if path.name[0] != "_" and ">>> " in path.read_text(encoding="utf-8")
]


def test_there_are_examples():
    assert len(MODULES) > 10


@pytest.mark.parametrize("name", MODULES)
def test_examples(name):
    result = doctest.testmod(
        importlib.import_module(name), optionflags=doctest.NORMALIZE_WHITESPACE
    )
    assert result.attempted > 0 and result.failed == 0
