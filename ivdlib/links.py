"""Files whose content is not here: links that lead nowhere, pointers of git-annex and Git LFS.

A clone of a data set holds all its names; what the files hold is fetched by another command.
"""

from __future__ import annotations

import errno
import os
import re
from pathlib import Path

from ivdlib.errors import DataError

POINTERS = {
    re.compile(rb"version https?://(git-lfs|hawser|git-media)\.\S+/"): (
        "Git LFS",
        "call git lfs pull in the clone",
    ),
    re.compile(rb"[./\\\w]*annex[/\\]objects[/\\]\S+\s*\Z"): (
        "git-annex",
        "call git annex get or datalad get in the clone",
    ),
}
"""How a file begins that stands for another → what made it, how to get the other. git-annex writes
its own, and links become such files if there are none (Windows)."""

_LONGEST = 1024
"""Bytes: no pointer is longer."""


def not_fetched(path: str | os.PathLike) -> str:
    """Say what stands at a path in place of a file or folder whose content is not here.

    Parameters
    ----------
    path : path

    Returns
    -------
    str
        As it follows "PATH is", with the repair, without a full stop; "" where nothing of the kind
        is the matter.
    """
    path = Path(path)
    dead = next((place for place in (*path.parents[::-1], path) if leads_nowhere(place)), None)
    if dead is not None:
        behind = "a link" if dead == path else f"behind the link {dead}"
        if is_annexed(dead):
            repair = "its content was not fetched; call git annex get or datalad get in the clone"
        else:
            repair = f"there is no {os.path.realpath(dead)}; fetch its content, or mend the link"
        return f"{behind}{' that' if dead == path else ', which'} leads nowhere: {repair}"
    try:
        if not path.is_file():  # a pipe is read once
            return ""
        with path.open("rb") as stream:
            head = stream.read(_LONGEST)
    except (OSError, ValueError):
        return ""
    for begins, (maker, repair) in POINTERS.items():
        if begins.match(head):
            return f"a pointer of {maker}, not the file: its content was not fetched; {repair}"
    return ""


def need_content(path: str | os.PathLike) -> None:
    """Refuse a path whose content is not here, before anything else is said of it.

    Raises
    ------
    DataError
    """
    if what := not_fetched(path):
        raise DataError(f"{path} is {what}.")


def is_annexed(path: str | os.PathLike) -> bool:
    """Whether a link leads, or led, to a file that git-annex keeps."""
    return "annex" in Path(os.path.realpath(path)).parts


def leads_nowhere(path: Path) -> bool:
    """Whether it is a link to something that is not there."""
    if not os.path.islink(path):
        return False
    try:
        path.stat()
    except OSError as error:  # others: it leads to where one may not look
        return error.errno in (errno.ENOENT, errno.ENOTDIR, errno.ELOOP)
    return False
