"""How reports are told from files of one's own: a page ends with digests of itself and its PDF."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

from ivdlib import files
from ivdlib.progress import say

STAMPED = re.compile(r"(.*)<!-- made by ivdlib: page (\w+), PDF (\w*) -->(.*)", re.DOTALL)
"""A page, the two digests of its last stamp, and what stands after it."""


def stamped(html: str, document: Path) -> str:
    """A page with its stamp, for a PDF that is there or not."""
    digest = files.sha256_file(document) if document.is_file() else ""
    return f"{html}<!-- made by ivdlib: page {_digest(html)}, PDF {digest} -->\n"


def keep_others(page: Path, document: Path) -> None:
    """Move a page or PDF aside that is not as it was made: somebody's own, or with their notes.

    Ours is only what the stamp proves to be: with anything after it, it is a page that somebody
    changed, and without a stamp (any more) nobody knows.
    """
    text = page.read_text(encoding="utf-8", errors="replace") if page.is_file() else ""
    found = STAMPED.fullmatch(text)
    before, made, of_pdf, after = found.groups() if found else ("", "", "", "")
    if page.is_file() and (after != "\n" or made != _digest(before)):
        _keep(page)
    if document.is_file() and of_pdf != files.sha256_file(document):
        _keep(document)


def keep_changed(path: Path) -> None:
    """Move a table aside that somebody has written into since `note_made`."""
    note = _note(path)
    if path.is_file() and not (
        note.is_file() and note.read_text(encoding="utf-8") == files.sha256_file(path)
    ):
        _keep(path)


def note_made(path: Path) -> None:
    """Note how a table was made, in a hidden file beside it."""
    files.write_text(_note(path), files.sha256_file(path))


def note_origin(page: Path, digest: str) -> None:
    """Note beside a page what it was made of."""
    files.write_text(_note(page), digest)


def is_made_of(page: Path, document: Path, digest: str) -> bool:
    """Whether a page and its PDF are there and were made of this, see `note_origin`."""
    note = _note(page)
    there = page.is_file() and document.is_file() and note.is_file()
    return there and note.read_text(encoding="utf-8") == digest


def _keep(path: Path) -> None:
    say(f"kept: {path} was written or changed by somebody, and is now {files.set_aside(path)}")


def _note(path: Path) -> Path:
    return path.with_name(f".{path.name}.made")


def _digest(text: str) -> str:
    """Of text as it is read again, whatever ends its lines."""
    return hashlib.sha256("\n".join(text.splitlines()).encode(errors="replace")).hexdigest()
