"""Reports, sheets, hand-ins and pages of checks are made without a deep-learning framework."""

import json
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from dixon_cases import write_case
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
    if path.stem not in {"augmentation", "sampler", "architecture", "network_drawings", "niivue"}
    # what students write for networks: see `own.catalogue`, which loads one when it is asked for
    and not (path.parent.name == "own" and path.stem.startswith(("lesson", "places")))
]
PROGRAM = """
import importlib, json, os, sys
os.environ["IVDLIB_PROGRESS"] = "off"
steps, known = json.loads(sys.argv[1])
def loaded():
    return {name for name in known if name in sys.modules}
found = {}
for step, (modules, words, place) in steps.items():
    before, culprit, status = loaded(), [], 0
    os.chdir(place)
    for module in modules:
        importlib.import_module(f"ivdlib.{module}")
        if loaded() - before and not culprit:
            culprit = [f"ivdlib.{module}"]
    if words:
        from ivdlib import cli
        status = cli.main(words)
    found[step] = [status, culprit + sorted(loaded() - before)]
print(json.dumps(found))
"""


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


def check(folder):
    for name in ("01", "02"):
        write_case(folder / "data", name)
    return ["check", folder / "data", "--html", folder / "check.html"]


REPORTS = (copy, sheet, course, one, several)


@pytest.fixture(scope="module")
def loaded(tmp_path_factory):
    """By step the status, and the frameworks that it was the first to load, after the culprit.

    All in one process, for each would import the same for seconds; what builds a network is last.
    """
    steps = {}
    for made in (*REPORTS, check):
        folder = tmp_path_factory.mktemp(made.__name__)
        (folder / "here").mkdir()
        steps[made.__name__] = [[], [str(word) for word in made(folder)], str(folder / "here")]
    here = str(tmp_path_factory.mktemp("here"))
    steps["pages"] = [MODULES, [], here]
    steps["network"] = [["report.pages", "networks.by_name"], [], here]
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", PROGRAM, json.dumps([steps, FRAMEWORKS])],
        capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert (Path(steps["check"][2]).parent / "check.html").is_file()
    return json.loads(done.stdout.splitlines()[-1])


@pytest.mark.slow
def test_no_page_needs_a_framework(loaded):
    assert len(MODULES) > 20 and loaded["pages"] == [0, []]


@pytest.mark.slow
@pytest.mark.parametrize("made", REPORTS)
def test_no_report_loads_a_framework(made, loaded):
    assert loaded[made.__name__] == [0, []]


@pytest.mark.slow
def test_nor_does_the_page_of_a_check(loaded):
    assert loaded["check"][1] == []


@pytest.mark.slow
def test_what_builds_a_network_loads_one(loaded):
    """So that the tests above can fail."""
    status, (culprit, *frameworks) = loaded["network"]
    assert status == 0 and culprit == "ivdlib.networks.by_name" and "keras" in frameworks
