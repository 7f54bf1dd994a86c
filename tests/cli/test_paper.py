"""Where the paper is: every module of the table is there, and the README shows the same table."""

import importlib
from pathlib import Path

import pytest

from ivdlib import cli
from ivdlib.cli import paper

ROOT = Path(paper.__file__).parents[2]
MODULES = sorted({name for *_, names in paper.SECTIONS for name in names.split()})


@pytest.mark.parametrize("name", MODULES)
def test_every_module_is_there_and_has_its_lines(name):
    path = Path(importlib.import_module(f"ivdlib.{name}").__file__)
    files = path.parent.glob("*.py") if path.name == "__init__.py" else [path]
    assert paper.lines(name) == sum(len(one.read_text().splitlines()) for one in files)


@pytest.mark.parametrize("lesson", sorted({lesson for _, _, lesson, _ in paper.SECTIONS}))
def test_every_lesson_is_there(lesson):
    assert len(list((ROOT / "notebooks" / "src").glob(f"{lesson}_*.py"))) == 1


def test_every_section_with_a_method_or_a_result_is_in_it():
    found = " ".join(section for section, *_ in paper.SECTIONS)
    for part in (
        "2.1",
        "2.2",
        "2.3",
        "3.1",
        "3.2",
        "4",
        "Tables 1–3",
        *map("Fig. {}".format, "1234"),
    ):
        assert part in found, part


def test_the_readme_shows_the_table():
    assert paper.markdown() in (ROOT / "README.md").read_text(encoding="utf-8")


def test_the_command_prints_it(capsys):
    assert cli.main(["info", "--paper"]) == 0
    told = capsys.readouterr().out
    assert "ivdlib/networks/fds_cnn.py" in told and "Sect. 2.3" in told
