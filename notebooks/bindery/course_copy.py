"""The copy of the course that git holds: a site without the live page, and Markdown beside it.

A code host shows no HTML of a repository, but it shows Markdown with pictures: so each lesson lies
here twice, and both share their pictures.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

from bindery import front, in_markdown
from bindery.heads import ROOT, Head
from bindery.pages import NOTEBOOKS, page_one
from bindery.pictures import Shelf
from ivdlib import files
from ivdlib.course.lesson_versions import GLOSSARY
from ivdlib.errors import IvdlibError

COPY = ROOT / "reports" / "reference" / "course"
LARGEST = 8_000_000
"""Bytes of the copy."""
STAMP = "sources.json"
"""The file of the copy that says what it was made from."""
SUPERFLUOUS = ("*.map", "*.LICENSE.txt", ".buildinfo", "file.png")


def fingerprint() -> dict[str, str]:
    """SHA-256 of what the copy is made from: sources of lessons, glossary, looks of the site.

    Docs, results, audit and reference change more often, and lie beside the copy in git: there they
    are as they were when it was made.
    """
    paths = [
        *(NOTEBOOKS / "src").glob("*.py"),
        *(NOTEBOOKS / name for name in (GLOSSARY, "HOSTED.md", "LICENSE")),
        *(path for path in front.SITE.rglob("*") if path.is_file() and "__py" not in str(path)),
    ]
    named = {path.relative_to(NOTEBOOKS).as_posix(): path for path in paths}
    return {name: _sha256(named[name]) for name in sorted(named)}


def _sha256(path: Path) -> str:
    """Of a text, whatever ends its lines here."""
    text = path.read_text(encoding="utf-8")
    return hashlib.sha256(text.encode()).hexdigest()


def finish(site: Path, notebooks: dict[Path, Head], shelf: Shelf, stamp: dict[str, str]) -> None:
    """Make a site the copy: without what it does not need, with Markdown and its stamp.

    Raises
    ------
    IvdlibError
        If the copy is larger than `LARGEST`.
    """
    for pattern in SUPERFLUOUS:
        for path in site.rglob(pattern):
            path.unlink()
    glossary = (NOTEBOOKS / GLOSSARY).read_text(encoding="utf-8")
    texts = {f"{path.stem}.md": in_markdown.lesson_text(path, shelf) for path in notebooks}
    heads = list(notebooks.values())
    texts |= {
        "README.md": front.render("README.md", **front.words(heads, shelf, site)),
        GLOSSARY: in_markdown.linked(glossary),
        "audit.md": page_one(shelf, "markdown"),
    }
    for name, text in texts.items():
        (site / name).write_text(text, encoding="utf-8")
    files.write_json(site / STAMP, stamp)
    if (large := size(site)) > LARGEST:
        raise IvdlibError(
            f"the copy of the course has {large / 1e6:.1f} MB, more than {LARGEST / 1e6:.0f}; show "
            "fewer pictures, or smaller ones."
        )


def size(site: Path) -> int:
    """Bytes of all files of a site."""
    return sum(path.stat().st_size for path in site.rglob("*") if path.is_file())
