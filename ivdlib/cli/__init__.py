"""The command `ivdlib`: arguments in, one clear sentence out when something is wrong."""

from __future__ import annotations

import argparse
import difflib
import io
import os
import re
import sys
import traceback
from collections.abc import Sequence
from contextlib import redirect_stderr, redirect_stdout
from typing import Any, NoReturn

from ivdlib import __version__, extras
from ivdlib.cli import (
    audit,
    check,
    grid,
    import_,
    info,
    lesson,
    phantom,
    predict,
    report,
    reproduce,
    score,
    start,
)
from ivdlib.errors import IvdlibError, Visible, memory_full, printable
from ivdlib.files import cause, readable
from ivdlib.links import not_fetched
from ivdlib.networks import quiet

WRONG_CALL = 2
"""Exit status where the command line is not understood, as argparse has it."""

INTERRUPTED = 130
"""Exit status after Ctrl-C, as of every program that a signal ended."""


PIPED = 141
"""Exit status where the reader of a pipe has gone, likewise."""


def _no_text(error: Exception) -> str:
    """The name within an error that says that it cannot be written; "" for other errors."""
    if not isinstance(error, UnicodeEncodeError) or "surrogates" not in error.reason:
        return ""
    before = re.split(r"[\"'<>\s/\\]", error.object[: error.start])[-1]
    after = re.split(r"[\"'<>\s/\\]", error.object[error.start :])[0]
    return readable(before + after)


class _Help(argparse.ArgumentDefaultsHelpFormatter, argparse.RawDescriptionHelpFormatter):
    """Keep the line breaks of descriptions and show defaults."""

    def _get_help_string(self, action: argparse.Action) -> str | None:
        if action.default in (None, False, "", argparse.SUPPRESS, (), []):
            return action.help
        if "default" in (action.help or ""):
            return action.help
        return super()._get_help_string(action)


class _Parser(argparse.ArgumentParser):
    """Say what is wrong in one sentence; the usage, a screen of options, is `--help`'s."""

    def error(self, message: str) -> NoReturn:
        self.exit(WRONG_CALL, f"{self.prog}: {message}; {self.prog} --help lists what there is.\n")

    def _check_value(self, action: argparse.Action, value: Any) -> None:
        """Of a misspelt word, name the one that is like it in place of all that there are."""
        try:
            super()._check_value(action, value)
        except argparse.ArgumentError as error:
            if near := difflib.get_close_matches(str(value), map(str, action.choices or ()), n=1):
                error.message = f"invalid choice: {value!r} (did you mean {near[0]}?)"
            raise


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="ivdlib",
        description="Find the discs of the spine in MR images with FDS-CNN, a fully dilated "
        "separable network: a paper to reproduce, a course to take, scans to segment.",
    )
    parser.add_argument("--version", action="version", version=f"ivdlib {__version__}")
    parser.add_argument("--debug", action="store_true", help="show the traceback of an error")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")

    def add(name: str, text: str, more: str = "") -> argparse.ArgumentParser:
        sub = commands.add_parser(
            name,
            help=text,
            description=f"{text[0].upper()}{text[1:]}.\n\n{more}".rstrip(),
            formatter_class=_Help,
        )
        sub.add_argument(
            "--debug",
            action="store_true",
            default=argparse.SUPPRESS,
            help="show the traceback of an error",
        )
        return sub

    for define in (
        phantom.add_phantom,
        import_.add_import,
        check.add_check,
        grid.add_grid,
        reproduce.add_reproduce,
        audit.add_audit,
        start.add_start,
        lesson.add_lesson,
        report.add_report,
        predict.add_predict,
        score.add_score,
        info.add_info,
    ):
        define(add)
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line.

    Parameters
    ----------
    arguments : sequence of str, optional
        Default: those of the process.

    Returns
    -------
    int
        0; 1 where something is wrong with data or configuration, though it be one of many scans
        and the others were done; 2 for a wrong call; 3 after `predict` where a network found
        nothing, but no scan failed; 130 after Ctrl-C, 141 where the reader of a pipe
        has gone.
    """
    for stream in (sys.stdout, sys.stderr):  # a file on Windows may not know an arrow or a dash
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")
    quiet.lean = True
    with redirect_stdout(Visible(sys.stdout)), redirect_stderr(Visible(sys.stderr)):
        return _run(arguments)


def _run(arguments: Sequence[str] | None) -> int:
    """Do what `main` does, with streams that are safe."""
    parser = _parser()
    if not (sys.argv[1:] if arguments is None else arguments):
        parser.print_help(sys.stderr)
        return WRONG_CALL
    args = parser.parse_args(arguments)
    try:
        try:
            return args.run(args)
        except (Exception, KeyboardInterrupt):
            if args.debug:
                traceback.print_exc()
            raise
    except IvdlibError as error:
        _say(str(error))
        return 1
    except KeyboardInterrupt:
        print(
            "\nivdlib: interrupted; nothing is half-written, and the same command goes on "
            "where it stopped.",
            file=sys.stderr,
        )
        return INTERRUPTED
    except BrokenPipeError:  # as in `ivdlib score … | head`: who reads has enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return PIPED
    except OSError as error:
        place, known = error.filename or "a file", isinstance(error.filename, str | os.PathLike)
        why = (known and not_fetched(place)) or cause(error)
        _say(f"{place}: {why}.")
        return 1
    except Exception as error:  # a fault of ours: say so in a sentence, the traceback on request
        if memory_full(error):
            _say(
                "out of memory; use a smaller batch (--set training.batch=N), fewer or smaller "
                "scans, or a smaller profile."
            )
            return 1
        if sentence := extras.lacking(error):
            _say(sentence)
            return 1
        if name := _no_text(error):
            _say(f"the name {name} is no UTF-8; give it another.")
            return 1
        _say(
            f"unexpected {type(error).__name__}: {error}. This is a fault of ivdlib; run the same "
            "command with --debug and report it."
        )
        return 70


def _say(sentence: str) -> None:
    """Print an error: one line, whatever the names in it hold."""
    print(f"ivdlib: {printable(sentence)}", file=sys.stderr)
