"""Commands that people are shown: each can be typed, and each file that it names is there."""

import argparse
import re
import shlex
import subprocess
from pathlib import Path

import pytest

from ivdlib import cli

ROOT = Path(__file__).resolve().parents[2]
PLACES = (
    *("*.md", "data/*.md", "docs/*.md", "reports/*.md", "reports/reference/*.md"),
    *("benchmarks/*.md", "notebooks/*.md", "notebooks/src/*.py", "notebooks/*.py"),
    *("benchmarks/**/*.py", "benchmarks/**/*.toml", "ivdlib/**/*.py", "ivdlib/**/*.j2", "Makefile"),
)
PARSER = cli._parser()
(COMMANDS,) = (a for a in PARSER._actions if isinstance(a, argparse._SubParsersAction))
TARGETS = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
NAMED = re.compile(r"\bivdlib ([a-z]+)\b((?:[ ](?:--[a-z-]+))*)")
"""The package, the word after it, and options that follow at once."""
MEANT = re.compile(
    r"(?:`(?:\.venv/bin/|python -m )?"
    r"|\b(?:call|run|calls|runs|(?<!come )(?<!comes )with) )ivdlib ([a-z]+)"
)
"""Where that word must be a command."""
OURS = re.compile(
    r"(?<![\w/.])(?:benchmarks|ivdlib|tests|notebooks/src|reports/reference)/[\w*./-]*\w"
)
TO_BE_MADE = {
    *("ivdlib/networks/mynet.py", "tests/networks/test_mynet.py"),
    *("notebooks/src/NN_name.py", "notebooks/src/07_my_lesson.py"),
}
"""What CONTRIBUTING.md tells people to make."""


def texts():
    found = {path for pattern in PLACES for path in ROOT.glob(pattern)}
    return sorted(path for path in found if "exercises" not in path.parts)


def read(path):
    return path.read_text(encoding="utf-8")


def typed(path):
    """Lines that stand there to be typed: indented in Markdown and in the help of commands."""
    if path.suffix == ".md":
        for line in re.sub(r"\\\n\s*", "", read(path)).splitlines():
            if line.startswith("    "):
                yield line.strip()
    for line in re.findall(r'"  (ivdlib [^"\n]*?)(?:\\n)?"', read(path)):
        yield line


def words_of(line):
    """Words of a line without what is explained beside it."""
    line = re.split(r"\s{3,}|\s+[(#]|: ", line.replace("…", "X"))[0]
    return shlex.split(line)


def parse(words, line):
    try:
        PARSER.parse_args(words)
    except SystemExit:
        pytest.fail(f"cannot be typed: {line}")


def commands():
    for path in texts():
        for line in typed(path):
            if re.match(r"(\.venv/bin/|python -m |\.venv/bin/python -m )?ivdlib [a-z]|make |python "
                        r"[a-z]", line):  # fmt: skip
                yield pytest.param(line, id=f"{path.relative_to(ROOT)}: {line[:60]}")


@pytest.mark.parametrize("line", list(commands()))
def test_a_line_to_be_typed_can_be_typed(line):
    words = words_of(line)
    if words[0] == "make":
        assert words[1] in TARGETS
        for word in words[2:]:
            name, _, value = word.partition("=")
            assert name in {"ARGS", "N", "YES", "PYTHON"}
            if name == "ARGS" and words[1] in COMMANDS.choices:
                parse([words[1], *shlex.split(value)], line)
    elif any(word.endswith("ivdlib") for word in words):
        parse(words[[word.endswith("ivdlib") for word in words].index(True) + 1 :], line)
    else:
        assert (ROOT / words[1]).is_file() or words[1].startswith("-"), line
    for word in words:
        for name in OURS.findall(word):
            assert list(ROOT.glob(name)), f"{name} is not there"


def test_the_page_of_commands_has_each_of_them_once():
    rows = re.findall(r"^\| `(\w+)` \|", read(ROOT / "docs" / "commands.md"), re.MULTILINE)
    assert sorted(rows) == sorted(COMMANDS.choices)


@pytest.mark.parametrize("path", texts(), ids=lambda path: str(path.relative_to(ROOT)))
def test_commands_within_sentences_exist(path):
    text = " ".join(re.sub(r'\bf?"', " ", read(path)).replace('"', " ").split())
    assert set(MEANT.findall(text)) <= set(COMMANDS.choices)
    for name, options in NAMED.findall(text):
        if name in COMMANDS.choices:
            known = COMMANDS.choices[name]._option_string_actions
            assert set(options.split()) <= set(known), f"ivdlib {name}{options}"
    for target in re.findall(r"`make ([a-z-]+)", read(path)):
        assert target in TARGETS, target


@pytest.mark.parametrize("path", texts(), ids=lambda path: str(path.relative_to(ROOT)))
def test_files_of_the_checkout_that_are_named_are_there(path):
    """In Markdown and what programs print: a file that git has, or a pattern that finds some."""
    for name in set(OURS.findall(read(path))) - TO_BE_MADE:
        here = path.parent / name if path.suffix == ".md" else ROOT / name
        assert list(ROOT.glob(name)) or here.exists(), f"{name} is not there"


def test_what_is_named_is_in_git():
    """A file that only lies here would not be in a fresh clone."""
    if not (ROOT / ".git").exists():
        pytest.skip("this copy is no git clone: what git tracks cannot be told")
    listed = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    done = subprocess.run(listed, cwd=ROOT, capture_output=True, text=True, check=True)
    tracked = set(done.stdout.splitlines())
    for path in texts():
        for name in OURS.findall(read(path)):
            for found in ROOT.glob(name):
                relative = found.relative_to(ROOT).as_posix()
                assert found.is_dir() or relative in tracked, f"{path.name} names {relative}"
