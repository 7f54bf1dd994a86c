"""The core alone makes, checks, segments and scores scans; the rest says which extra it needs."""

import ast
import json
import os
import subprocess
import sys
import tomllib
from importlib import metadata
from pathlib import Path

import pytest
from commands import is_one_sentence
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from ivdlib import extras
from ivdlib.errors import ConfigError

ROOT = Path(__file__).resolve().parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
OWN_SENTENCE = {"dicom", "viewer", "teach", "book", "cluster", "tensorboard", "jax", "torch", "cpu"}
"""Extras that say themselves what to install."""
EXTRA_MODULES = [name for names in extras.MODULES.values() for name in names]
BLOCKED = [*EXTRA_MODULES, *extras.BROUGHT_ALONG, "tensorflow", "jax", "torch"]
CALL = (
    "import json, sys; sys.modules.update(dict.fromkeys(json.loads(sys.argv[1]))); "
    "from ivdlib.cli import main; sys.exit(main(sys.argv[2:]))"
)


def in_the_core(place, *words, without=BLOCKED):
    """Run a command where no module of an extra can be imported; gives (status, output, errors)."""
    call = [sys.executable, "-c", CALL, json.dumps(without), *map(str, words)]
    env = os.environ | {"PYTHONPATH": str(ROOT), "IVDLIB_PROGRESS": "off", "KERAS_HOME": str(place)}
    env.pop("KERAS_BACKEND", None)
    done = subprocess.run(call, cwd=place, env=env, capture_output=True, text=True, timeout=300)
    return done.returncode, done.stdout, done.stderr


def distributions(lines):
    named = (Requirement(line) for line in lines)
    return {canonicalize_name(item.name) for item in named if item.name != "ivdlib"}


@pytest.fixture(scope="module")
def brought_by():
    """Canonical names of the distributions that a module comes from, by its name."""
    found = metadata.packages_distributions()  # takes a second
    return {module: {canonicalize_name(name) for name in found[module]} for module in found}


@pytest.mark.parametrize("extra", extras.MODULES)
def test_modules_are_those_that_the_extra_brings(extra, brought_by):
    wanted = distributions(PROJECT["optional-dependencies"][extra])
    found = {name for module in extras.MODULES[extra] for name in brought_by[module]}
    assert found == wanted


def test_what_is_imported_is_declared(brought_by):
    """By the core, by an extra that `extras` knows, or by one with a sentence of its own."""
    declared = distributions(PROJECT["dependencies"])
    for extra in (*extras.MODULES, *OWN_SENTENCE):
        declared |= distributions(PROJECT["optional-dependencies"][extra])
    known = {"ivdlib", *sys.stdlib_module_names, *extras.BROUGHT_ALONG, "markupsafe", "tensorflow"}
    for path in (ROOT / "ivdlib").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom):
                names = [node.module]
            for module in {name.partition(".")[0] for name in names} - known:
                if module not in brought_by:
                    continue  # of an extra that is not installed here; CI has them all
                assert brought_by[module] & declared, f"{path.name} imports {module}"


@pytest.mark.slow
def test_the_core_makes_checks_segments_and_scores_scans(tmp_path):
    commands = (
        ["phantom", "scans", "--subjects", "2", "--stages", "1", "--slices", "4"],
        ["check", "scans", "--html", "check.html"],
        ["predict", "scans", "--out", "discs"],
        ["score", "discs", "scans"],
        ["info"],
    )
    for words in commands:
        status, out, err = in_the_core(tmp_path, *words)
        assert status == 0, (words, out, err)
    assert (tmp_path / "check.html").is_file()
    assert len(list((tmp_path / "discs").glob("0?.html"))) == 2
    assert "backend   none" in out and "ivdlib[cpu]" in out


@pytest.mark.parametrize(
    ("words", "extra"),
    [
        (["start"], "cpu"),
        (["lesson", "00"], "cpu"),
        (["reproduce"], "cpu"),
        (["grid"], "cpu"),
        (["audit"], "cpu"),
        (["info", "--network", "fds_cnn"], "cpu"),
        (["predict", ".", "--engine", "keras"], "cpu"),
        (["report", "smoke"], "report"),
        (["report", "--lesson", "03"], "cpu"),
    ],
)
def test_a_command_without_its_extra_names_it(tmp_path, words, extra):
    status, out, err = in_the_core(tmp_path, *words)
    assert status == 1 and not out
    assert is_one_sentence(err) and f"pip install 'ivdlib[{extra}]'" in err
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    "words",
    [
        ["lesson", "00"],
        ["reproduce"],
        ["grid"],
        ["audit"],
        ["audit", "--plan"],
        ["audit", "--page"],
    ],
)
def test_without_a_framework_nothing_is_begun(tmp_path, words):
    """Though Keras and Jupyter are there: a phantom takes its time."""
    status, out, err = in_the_core(tmp_path, *words, without=["tensorflow", "jax", "torch"])
    assert status == 1 and not out
    assert is_one_sentence(err) and err.startswith("ivdlib: the default asks for tensorflow")
    assert not list(tmp_path.iterdir())


def test_an_extra_that_is_there_is_no_trouble(monkeypatch):
    extras.need(*extras.MODULES)
    monkeypatch.setitem(sys.modules, "papermill", None)
    with pytest.raises(ConfigError, match=r"needs papermill, .* pip install 'ivdlib\[cpu\]'"):
        extras.need("report", "lessons")


def test_only_what_an_extra_brings_is_told():
    for name, found in (("papermill.execute", True), ("IPython.display", True), ("numpy", False)):
        assert bool(extras.lacking(ModuleNotFoundError(name=name))) is found
    assert extras.lacking(ImportError()) == extras.lacking(ValueError("papermill")) == ""
