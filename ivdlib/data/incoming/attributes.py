"""Attributes of one frame of a DICOM file, wherever they stand in it."""

from __future__ import annotations

from collections.abc import MutableSequence
from typing import Any


class Attributes:
    """Attributes of a frame: its own, else those of all frames, else those of the file.

    Parameters
    ----------
    ds : pydicom Dataset
        The file.
    shared, own : pydicom Dataset or None
        Functional groups of all frames, and of this one.
    """

    def __init__(self, ds: Any, shared: Any, own: Any) -> None:
        self.ds, self.groups = ds, [g for g in (own, shared) if g is not None]

    def __call__(self, name: str, group: str = "", default: Any = None) -> Any:
        """Value as it stands, in a sequence of the functional groups if `group` names one."""
        for functional in self.groups if group else ():
            for item in functional.get(group) or ():
                if (value := item.get(name)) not in (None, ""):
                    return value
        value = self.ds.get(name)
        return default if value in (None, "") else value

    def number(self, name: str, group: str = "") -> float | None:
        """Give a number, of several the first; None if it is none."""
        try:  # a value that is as the standard does not have it is told where it is asked for
            value = self(name, group)
            return float(value[0] if isinstance(value, MutableSequence) else value)
        except (TypeError, ValueError, IndexError, OverflowError):
            return None

    def numbers(self, name: str, group: str, count: int) -> tuple[float, ...] | None:
        """Give `count` numbers; None if they are not so many numbers."""
        try:
            found = tuple(float(v) for v in self(name, group))
        except (TypeError, ValueError):
            return None
        return found if len(found) == count else None

    def text(self, name: str, group: str = "") -> str:
        """Text without blanks around it; empty if there is none."""
        return str(self(name, group, "")).strip()

    def texts(self, name: str, group: str = "") -> tuple[str, ...]:
        """Texts in capitals."""
        value = self(name, group, ())
        several = isinstance(value, MutableSequence | tuple)  # a name is none, but iterates
        return tuple(str(v).strip().upper() for v in (value if several else [value]))
