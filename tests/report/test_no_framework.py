"""Reports, sheets, hand-ins and pages of checks are made without a deep-learning framework."""

import json
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from hostile_report import odd_experiment
from small_course import ONE, Course, cells

import ivdlib

FRAMEWORKS = ("keras", "tensorflow", "jax", "torch")
LIBRARY = Path(ivdlib.__file__).parent
PACKAGES = ("data", "preprocessing", "evaluation", "phantom", "report", "course")
MODULES = [
    ".".join(path.relative_to(LIBRARY).with_suffix("").parts)
    for package in PACKAGES
    for path in LIBRARY.glob(f"{package}/**/[a-z]*.py")
    if path.stem not in {"augmentation", "sampler", "architecture", "niivue"}  # of Keras; an extra
]
PROGRAM = """
import json, os, sys
os.environ["IVDLIB_PROGRESS"] = "off"
modules, words, known = json.loads(sys.argv[1])
known, found = set(known), []
for module in modules:
    __import__(f"ivdlib.{module}")
    if known & set(sys.modules) and not found:
        found = [f"ivdlib.{module}"]
from ivdlib import cli
status = cli.main(words) if words else 0
print(*found, *sorted(known & set(sys.modules)), file=sys.stderr)
sys.exit(status)
"""


def loaded(modules=(), words=(), place=None):
    """Exit status, and the frameworks that imports and a command have loaded, after the culprit."""
    told = json.dumps([[*modules], [*map(str, words)], FRAMEWORKS])
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", PROGRAM, told],
        cwd=place, capture_output=True, text=True,
    )  # fmt: skip
    return done.returncode, done.stderr.splitlines()[-1]


@pytest.mark.slow
def test_no_page_needs_a_framework():
    assert len(MODULES) > 20 and loaded(MODULES) == (0, "")


def copy(folder):
    path = folder / f"{ONE}.ipynb"
    nbformat.write(nbformat.v4.new_notebook(cells=cells()), path)
    return ["report", "--lesson", path]


def sheet(folder):
    return [*copy(folder), "--blank"]


def course(folder):
    Course(folder / "course").hand_in("ann", cells())
    return ["report", "--class", folder / "course"]


def one(folder):
    return ["report", odd_experiment(folder / "mine")]


def several(folder):
    return [
        "report",
        "--compare",
        odd_experiment(folder / "mine"),
        odd_experiment(folder / "theirs"),
    ]


@pytest.mark.slow
@pytest.mark.parametrize("words", [copy, sheet, course, one, several])
def test_no_report_loads_a_framework(words, tmp_path):
    (tmp_path / "here").mkdir()
    assert loaded(words=words(tmp_path), place=tmp_path / "here") == (0, "")


@pytest.mark.slow
def test_nor_does_the_page_of_a_check(write_case, tmp_path):
    write_case(tmp_path / "data", "01")
    write_case(tmp_path / "data", "02")
    words = ["check", tmp_path / "data", "--html", tmp_path / "check.html"]
    assert loaded(words=words)[1] == "" and (tmp_path / "check.html").is_file()


def test_what_builds_a_network_loads_one():
    """So that the tests above can fail."""
    status, found = loaded(["report.pages", "networks.by_name"])
    assert status == 0 and found.startswith("ivdlib.networks.by_name ") and "keras" in found
