"""What can go wrong, in one sentence each: what, where, and what to do.

Every error that a user can cause is an `IvdlibError`; the command line prints its message without a
traceback (`--debug` shows it) and exits with a non-zero status. All that it prints is `Visible`.
"""

from __future__ import annotations

import dataclasses
import functools
import os
import sys
import typing
import warnings
from typing import TYPE_CHECKING, Any, TextIO

if TYPE_CHECKING:
    from pydantic import ValidationError

_T = typing.TypeVar("_T")


class IvdlibError(Exception):
    """Base of all errors that the package raises on purpose; the message is for the user."""


class DataError(IvdlibError):
    """A file or an image is missing, broken or inconsistent with the others."""


class CannotWrite(DataError):
    """A file or folder cannot be written: that is no fault of the case that it is made of."""


class ConfigError(IvdlibError):
    """A profile, parameter, configuration or experiment folder does not fit."""


@typing.dataclass_transform(frozen_default=True)
def checked(cls: type[_T]) -> type[_T]:
    """Make a frozen dataclass of `cls`; a value that its annotations refuse is a `ConfigError`."""
    from pydantic import ConfigDict, ValidationError, dataclasses  # not at `import ivdlib`

    made: Any = dataclasses.dataclass(frozen=True, config=ConfigDict(extra="forbid"))(cls)
    fill = made.__init__

    @functools.wraps(fill)
    def told(self: Any, *args: Any, **values: Any) -> None:
        try:
            fill(self, *args, **values)
        except ValidationError as error:
            raise ConfigError(_refusal(error, cls)) from error

    made.__init__ = told
    return made


def _refusal(error: ValidationError, cls: Any) -> str:
    """The first fault in one sentence: which field, what it may be, what was given."""
    fault = error.errors()[0]
    kind, bounds, note, names = cls, (), None, []
    for name in fault["loc"]:
        known = getattr(kind, "__pydantic_fields__", {})
        if name in known:
            field = known[name]
            kind, bounds, note = field.annotation, field.metadata, field.description
        elif typing.get_origin(kind) is dict:
            kind, bounds = typing.get_args(kind)["[key]" not in fault["loc"]], ()
        elif not known:  # within a list
            break
        names.append(str(name))
    where = f"field {'.'.join(names)} of {cls.__name__}"
    if fault["type"] == "unexpected_keyword_argument":
        return f"{cls.__name__} has no field {'.'.join(names)}; known are {', '.join(known)}."
    if "error" in fault.get("ctx", {}):
        return f"{where} {fault['ctx']['error']}."
    value = fault["input"]
    text = " (a text)" if isinstance(value, str) and fault["type"].endswith("_type") else ""
    words = _words(kind, bounds) + (f" ({note})" if note else "")
    return f"{where} takes {words}, not {value!r:.60}{text}."


_KINDS = {int: "a whole number", float: "a number", str: "a text", bool: "true or false"}
_LIMITS = {"ge": "at least", "gt": "above", "le": "at most", "lt": "below",
           "min_length": "of length at least", "multiple_of": "a multiple of"}  # fmt: skip


def _words(kind: Any, bounds: typing.Iterable[Any] = ()) -> str:
    """What a field takes, in the words of a declared file."""
    origin, inner = typing.get_origin(kind), typing.get_args(kind)
    if origin is typing.Annotated:
        return _words(inner[0], inner[1:])
    if origin is typing.Literal:
        return f"one of {', '.join(map(str, inner))}"
    if type(None) in inner:
        return _words(inner[0], bounds)
    limits: dict[str, Any] = {}
    for bound in bounds:
        for one in getattr(bound, "metadata", [bound]):
            made = dataclasses.is_dataclass(one) and not isinstance(one, type)
            limits |= dataclasses.asdict(one) if made else {}
    said = " and ".join(f"{w} {limits[n]:g}" for n, w in _LIMITS.items() if n in limits)
    if origin is tuple:
        length = f" of {len(inner)}" if ... not in inner else f" {said}" * bool(said)
        return f"a list{length}, each {_words(inner[0])}"
    return _KINDS.get(kind, "a table of fields") + f", {said}" * bool(said)


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


class AsUsual(DataWarning):
    """Something was done with a scan as with most others, and nothing about it is odd."""


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
        kind = "note" if issubclass(category, AsUsual) else "warning"
        return f"{kind}: {printable(str(message))}\n"
    return _python_format(message, category, filename, lineno, line)


def in_kernel() -> bool:
    """Whether this is the process of a notebook."""
    shell = getattr(sys.modules.get("IPython"), "get_ipython", lambda: None)()
    return hasattr(shell, "kernel")


def in_lab() -> bool:
    """Whether somebody sits before a live notebook, where stderr stands in a red box."""
    return in_kernel() and os.environ.get("IVDLIB_PROGRESS") != "plain"


def _shown(message, category, filename, lineno, file=None, line=None) -> None:
    """Show our own warnings where they do not look like errors."""
    if file is None and issubclass(category, DataWarning) and in_lab():
        file = sys.stdout
    _python_show(message, category, filename, lineno, file, line)


_python_show, warnings.showwarning = warnings.showwarning, _shown
_python_format = warnings.formatwarning
warnings.formatwarning = _plainly
