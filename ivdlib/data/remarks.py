"""What is said about cases: collected while they are read, grouped after."""

from __future__ import annotations

import traceback
import warnings
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TypeVar

from ivdlib.errors import CannotWrite, DataWarning, SomeFailed, why

NAMED = 5
"""A remark lists this many cases by name and counts the rest."""


_Text = TypeVar("_Text", bound=str)


class Remark(str):
    """One sentence, "what is so; what to do about it", that knows its two parts.

    Parameters
    ----------
    what : str
    repair : str, default ""
        "" where nothing is to be done.
    """

    what: str
    repair: str

    def __new__(cls, what: str, repair: str = "") -> Remark:  # noqa: D102
        made = super().__new__(cls, f"{what}; {repair}" if repair else what)
        made.what, made.repair = what, repair
        return made

    def __getnewargs__(self) -> tuple[str, str]:
        return self.what, self.repair

    def about(self, what: str) -> Remark:
        """The same, with what it is about in front: "header of wat: …"."""
        return Remark(f"{what}: {self.what}", self.repair)


@dataclass(frozen=True)
class Finding:
    """What `ivdlib check` tells.

    Attributes
    ----------
    level : str
        "ERROR", "warning", "declared" (a correction) or "left out" (a file that is not read).
    where : str
        The cases that it concerns ("2 cases (A1, B1)"), or the files.
    what, repair : str
        As of `Remark`.
    """

    level: str
    where: str
    what: str
    repair: str = ""

    def __str__(self) -> str:
        return f"{self.where}: {Remark(self.what, self.repair)}"


@dataclass(frozen=True)
class Remarks:
    """Collects the `notes` and `corrections` of a case while it is put together."""

    notes: list[Remark] = field(default_factory=list)
    corrections: list[str] = field(default_factory=list)

    def note(self, what: str, repair: str) -> None:
        """Add one to the notes."""
        self.notes.append(Remark(what, repair))


def grouped(remarks: Iterable[tuple[str, _Text]]) -> list[tuple[str, _Text]]:
    """Each different remark once, with the cases that it concerns.

    Parameters
    ----------
    remarks : iterable of (str, str or Remark)
        Case and remark.

    Returns
    -------
    list of (str, str or Remark)
        Where ("case A1", "2 cases (A1, B1)") and remark, in the order of their first appearance.
    """
    by_text: dict[_Text, list[str]] = {}
    for case, text in remarks:
        by_text.setdefault(text, []).append(case)
    return [(_where(names, text), text) for text, names in by_text.items()]


def _where(names: list[str], text: str) -> str:
    if len(names) == 1:
        return f"case {names[0]}"
    said = text.startswith(f"{listed(names)} ")
    return f"{len(names)} cases{'' if said else f' ({listed(names)})'}"


class Told:
    """Tells each remark with the first case that it concerns, and once more with all others.

    For cases that are read one at a time, where `grouped` would have to wait for the last.
    """

    def __init__(self) -> None:
        self._first: set[str] = set()
        self._more: list[tuple[str, str]] = []

    def tell(self, case: str, text: str, kind: type[DataWarning] = DataWarning) -> None:
        """Warn, or keep it for `tell_rest`; what is of a `kind` of its own is never kept."""
        text = text.removeprefix(f"case {case}: ")
        if kind is DataWarning and text in self._first:
            self._more.append((case, text))
        else:
            self._first.add(text)
            warnings.warn(f"case {case}: {text}", kind, stacklevel=3)

    def tell_rest(self) -> None:
        """Warn of what was kept."""
        for where, text in grouped(sorted(self._more)):
            warnings.warn(f"{where}, too: {text}", DataWarning, stacklevel=3)


class Failures(dict[str, str]):
    """Why cases cannot be used: told at once, while the others go on, and raised at the end.

    Parameters
    ----------
    total : int
        Number of cases; the error of a single one is raised as it is.
    """

    def __init__(self, total: int) -> None:
        super().__init__()
        self.total = total
        self._first: Exception | None = None

    @contextmanager
    def of(self, case: str) -> Iterator[None]:
        """Note what goes wrong in the block as a failure of that case; a full disk is none."""
        try:
            yield
        except CannotWrite:
            raise
        except Exception as error:
            if self.total == 1:
                raise
            self._first = self._first or error
            traceback.clear_frames(error.__traceback__)  # they hold the scan
            text = why(error)
            self[case] = text if text.startswith(f"case {case}") else f"case {case}: {text}"
            warnings.warn(f"left out: {self[case]}", DataWarning, stacklevel=4)

    def raise_any(self, done: list, what: str, repair: str) -> None:
        """Raise `SomeFailed` if there are any: N of M scans could not be `what`; `repair`."""
        if self:
            of = "none" if not done else len(self)
            raise SomeFailed(
                f"{of} of {self.total} scans could {'' if not done else 'not '}be {what} "
                f"({listed([*self])}), as was said of each; {repair}.",
                dict(self),
                done,
            ) from self._first


def listed(names: list[str]) -> str:
    """Names in a row: "A1, B1, C1, D1, E1 and 3 more"."""
    more = len(names) - NAMED
    return ", ".join(names[:NAMED]) + (f" and {more} more" if more > 0 else "")
