"""What is printed does not steer the terminal."""

import subprocess
import sys

import pytest
from commands import HOSTILE

from ivdlib import errors


def test_what_a_terminal_must_not_get_is_replaced():
    assert errors.printable("a\x1b[31mb\nc\udc80 é†") == "a\ufffd[31mb\ufffdc\ufffd é†"


PRINTS = """
import logging, os, sys, warnings
os.environ["IVDLIB_PROGRESS"] = "plain"
from ivdlib import cli, progress
from ivdlib.data.quality import checks
from ivdlib.errors import DataError, DataWarning

name, kind, *words = sys.argv[1:]
progress.PLAIN_SECONDS = 0

def examine(*_, **__):
    warnings.warn(name + "\\nlook.", DataWarning)
    warnings.warn(name)
    logging.getLogger("other").error(name)
    print(name)
    progress.say(name + "\\n")
    with progress.Progress(2, name + "\\n") as bar:
        bar.advance(note=name)
    raise {"DataError": DataError, "OSError": OSError, "RuntimeError": RuntimeError}[kind](name)

checks.examine = examine
sys.exit(cli.main(["check", "x", *words]))
"""


@pytest.mark.parametrize("debug", [[], ["--debug"]])
@pytest.mark.parametrize("kind", ["DataError", "OSError", "RuntimeError"])
def test_nothing_that_is_printed_steers_the_terminal(kind, debug):
    """Warnings, errors, tracebacks, progress and what commands print pass one gate."""
    words = [sys.executable, "-c", PRINTS, f"{HOSTILE}\nend", kind, *debug]
    done = subprocess.run(words, capture_output=True, check=False)
    seen = (done.stdout + done.stderr).decode()
    assert done.returncode and not set(seen) & set("\x1b\x07\r\u202e"), repr(seen)
    assert seen.count("A\ufffd[2J") >= 8
    assert "\ufffdend\ufffdlook.\n" in seen
    assert [line for line in seen.splitlines() if line.startswith("ivdlib:")][0].find("end") > 0
