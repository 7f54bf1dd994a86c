"""What can go wrong, in one sentence each: what, where, and what to do.

Every error that a user can cause is an `IvdlibError`; the command line prints its message without a
traceback (`--debug` shows it) and exits with a non-zero status. All that it prints is `Visible`.
"""

from __future__ import annotations

import warnings
from typing import Any, TextIO


class IvdlibError(Exception):
    """Base of all errors that the package raises on purpose; the message is for the user."""


class DataError(IvdlibError):
    """A file or an image is missing, broken or inconsistent with the others."""


class CannotWrite(DataError):
    """A file or folder cannot be written: that is no fault of the case that it is made of."""


class ConfigError(IvdlibError):
    """A profile, parameter, configuration or experiment folder does not fit."""


class SomeFailed(DataError):
    """Some of several cases could not be used; what could be done with the others is done.

    Attributes
    ----------
    failures : dict of str to str
        Case name → why, one sentence.
    done : list
        What came of the others.
    """

    def __init__(self, message: str, failures: dict[str, str], done: list) -> None:
        super().__init__(message)
        self.failures, self.done = failures, done


class LeakageError(IvdlibError):
    """A patient stands on both sides of a split (paper, Sect. 3.2)."""


class DataWarning(UserWarning):
    """Something in the data was mended, derived or assumed; the message says what."""


class NothingFound(DataWarning):
    """A network found nothing: a mask is empty, or a region is the whole image."""


def memory_full(error: Exception) -> bool:
    """Whether it says that memory is full: each backend has an exception of its own."""
    if isinstance(error, MemoryError):
        return True
    kind, words = type(error).__name__, str(error)
    known = ("RESOURCE_EXHAUSTED", "OOM when allocating", "not enough memory", "out of memory")
    return "OutOfMemory" in kind or "ResourceExhausted" in kind or any(w in words for w in known)


def printable(text: str, keep: str = "") -> str:
    """Put a sign for what a name may hold and a terminal or a page must not get.

    Escape codes, line breaks, signs that turn the direction of writing; `keep` stays.
    """
    return "".join(
        letter if letter.isprintable() or letter in keep else "\N{REPLACEMENT CHARACTER}"
        for letter in text
    )


class Visible:
    """A stream, such as that of a terminal, that shows control signs and obeys line ends alone."""

    def __init__(self, stream: TextIO) -> None:
        self.behind = stream

    def write(self, text: str) -> int:
        """Write `text`, made printable."""
        return self.behind.write(printable(text, keep="\n\t"))

    def __getattr__(self, name: str) -> Any:
        return getattr(self.behind, name)


def behind(stream: TextIO) -> TextIO:
    """The stream that obeys: for progress bars and colours, whose names were made printable."""
    return getattr(stream, "behind", stream)


def why(error: Exception) -> str:
    """Say in one sentence why a case could not be used, where the others go on."""
    if isinstance(error, IvdlibError):
        return str(error)
    if memory_full(error):
        return "it does not fit into memory; close other programs, or take a machine with more."
    if isinstance(error, OSError) and error.filename:
        return f"{error.filename}: {error.strerror}."
    return (
        f"unexpected {type(error).__name__}: {error}; this is a fault of ivdlib, report it (one "
        "case alone, with --debug, says more)."
    )


def _plainly(message, category, filename, lineno, line=None) -> str:
    """Write our own warnings as a sentence, without the place in the library that gave them."""
    if issubclass(category, DataWarning):
        return f"warning: {printable(str(message))}\n"
    return _python_format(message, category, filename, lineno, line)


_python_format = warnings.formatwarning
warnings.formatwarning = _plainly
