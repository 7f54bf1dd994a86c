"""Show progress: a bar in a terminal or a live notebook, plain lines with an ETA in logs.

A bar that redraws itself fills a log or an executed notebook with rubbish, so where the output is
not a terminal (papermill, CI, a file) one plain line is printed at most every `PLAIN_SECONDS`.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterable, Iterator
from typing import TypeVar

from ivdlib.errors import behind, in_kernel, in_lab, printable

_T = TypeVar("T")

PLAIN_SECONDS = 15.0
"""Seconds between two plain lines."""


def _style() -> str:
    """`bar`, `plain` or `off`; the environment variable IVDLIB_PROGRESS overrides the guess."""
    wish = os.environ.get("IVDLIB_PROGRESS", "")
    if wish in {"bar", "plain", "off"}:
        return wish
    return "bar" if in_kernel() or sys.stderr.isatty() else "plain"


def duration(seconds: float) -> str:
    """Write seconds for people: `45 s`, `3 min 05 s`, `2 h 10 min`."""
    seconds = round(seconds)
    if seconds < 60:
        return f"{seconds} s"
    if seconds < 3600:
        return f"{seconds // 60} min {seconds % 60:02d} s"
    return f"{seconds // 3600} h {seconds % 3600 // 60:02d} min"


class Progress:
    """A task of `total` steps under a `label`; use as a context manager.

    Parameters
    ----------
    total : int
        Number of steps.
    label : str
        What is being done, in a few words.
    start : int, default 0
        Steps that an earlier, interrupted run has done already; they do not count for the ETA.
    """

    def __init__(self, total: int, label: str, start: int = 0) -> None:
        self.total, self.label, self.start, self.done = total, printable(label), start, start
        self._begin = time.monotonic()
        self._last = self._begin
        self._note = ""
        self._bar = None
        if _style() == "bar":
            from tqdm.auto import tqdm

            self._bar = tqdm(
                total=total, desc=self.label, initial=start, leave=False, file=behind(sys.stderr)
            )

    def __enter__(self) -> Progress:
        return self

    def __exit__(self, *exc) -> None:
        if self._bar is not None:
            self._bar.close()

    def advance(self, n: int = 1, note: str = "") -> None:
        """Count `n` steps as done; `note`, such as the loss, stands until there is another."""
        self.done += n
        self._note = printable(note) or self._note
        if self._bar is not None:
            if note:
                self._bar.set_postfix_str(self._note, refresh=False)
            self._bar.update(n)
        elif _style() == "plain" and time.monotonic() - self._last >= PLAIN_SECONDS:
            self._last = time.monotonic()
            print(self._line(), flush=True, file=sys.stderr)

    def _line(self) -> str:
        spent = time.monotonic() - self._begin
        left = spent / max(self.done - self.start, 1) * (self.total - self.done)
        tail = f" · {self._note}" if self._note else ""
        return f"{self.label}: {self.done}/{self.total}, {duration(left)} left{tail}"


def track(iterable: Iterable[_T], label: str, total: int | None = None) -> Iterator[_T]:
    """Go through `iterable` and show how far one is."""
    total = len(iterable) if total is None else total  # type: ignore[arg-type]
    with Progress(total, label) as progress:
        for item in iterable:
            yield item
            progress.advance()


def say(text: str) -> None:
    """Print a line without tearing a progress bar apart."""
    if _style() == "off":
        return
    from tqdm import tqdm

    tqdm.write(printable(text, keep="\t"), file=behind(sys.stdout if in_lab() else sys.stderr))
