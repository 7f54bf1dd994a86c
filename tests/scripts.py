"""What tests of scripts outside the library share."""

import importlib.util
import os
import re
from functools import cache
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType

import jupytext
import pytest

NOTEBOOKS = Path(__file__).resolve().parents[1] / "notebooks"


def load(name: str) -> ModuleType:
    """A script of `notebooks/`, such as "build", as a module."""
    spec = spec_from_file_location(f"notebooks_{name}", NOTEBOOKS / f"{name}.py")
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@cache
def check_of(stem: str, number: int) -> str:
    """Text of an exercise's check, "" if it is a written one; LookupError if there is none."""
    cells = jupytext.read(NOTEBOOKS / "src" / f"{stem}.py").cells
    heads = [re.search(r"^## (?:Exercise (\d+) )?", cell.source, re.M) for cell in cells]
    starts = [n for n, head in enumerate(heads) if head and head[1] == str(number)]
    if not starts:
        raise LookupError(f"{stem} has no exercise {number}")
    ends = [n for n, head in enumerate(heads) if head and n > starts[0]]
    own = cells[starts[0] : ends[0] if ends else None]
    return next((cell.source for cell in own if "test" in cell.metadata.get("tags", [])), "")


def mark_checkout(folder: Path, project: str = "ivdlib") -> None:
    """Make a folder look like the checkout of a project; `notebooks` must be in it, too."""
    (folder / "pyproject.toml").write_text(f'[project]\nname = "{project}"\n', encoding="utf-8")


def one_lesson(root: Path, name: str, text: str) -> Path:
    """Make a folder a checkout with one lesson, and give the lesson's source."""
    source = root / "notebooks" / "src" / f"{name}.py"
    source.parent.mkdir(parents=True)
    mark_checkout(root)
    (root / "notebooks" / f"{name}.ipynb").write_text("{}")
    source.write_text(text, encoding="utf-8")
    return source


def need(condition: object, sentence: str) -> None:
    """Skip where a program or package is missing; fail in CI, where it must not be."""
    if not condition:
        (pytest.fail if os.environ.get("IVDLIB_CI") == "1" else pytest.skip)(sentence)


OTHER_BACKENDS = [pytest.param(name, marks=pytest.mark.long) for name in ("jax", "torch")]
"""What the same test does on these takes a process that starts them."""


def installed(package: str) -> None:
    """Skip where a backend or a peer, both extras, is missing; fail in CI."""
    need(importlib.util.find_spec(package), f"{package} is not installed: pip install {package}")
