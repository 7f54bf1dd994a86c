"""What Sphinx reads: settings, contents, lessons, glossary, audit, documents, reference."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

from bindery import documents, reference, terms
from bindery.front import SITE
from bindery.heads import ROOT, Head
from bindery.lesson_pages import lesson_page
from bindery.pictures import Shelf
from ivdlib.course.lesson_versions import GLOSSARY

NOTEBOOKS = ROOT / "notebooks"
AUDIT = ROOT / "reports" / "reference" / "AUDIT.md"
SET_ASIDE = "## How we judged"
"""What follows the first page of the audit."""
REST = "How we judged, and every claim, patient and level: `reports/reference/AUDIT.md`."


def write_source(folder: Path, notebooks: dict[Path, Head], shelf: Shelf) -> None:
    """Write all that Sphinx reads into a folder; the pictures of lessons go onto the shelf."""
    shutil.copytree(SITE, folder, dirs_exist_ok=True)
    glossary = (NOTEBOOKS / GLOSSARY).read_text(encoding="utf-8")
    for path, head in notebooks.items():
        text = lesson_page(path, head, shelf, glossary)
        (folder / path.name).write_text(text, encoding="utf-8")
    written = {
        GLOSSARY: terms.page(glossary),
        "audit.md": page_one(shelf, "html"),
        **{f"{name}.md": documents.page(path, shelf) for path, name in documents.PAGES.items()},
        "index.md": (SITE / "index.md")
        .read_text(encoding="utf-8")
        .replace("LESSONS", "\n".join(path.stem for path in notebooks))
        .replace("CHAPTERS", "\n".join(reference.write_chapters(folder))),
    }
    for name, text in written.items():
        (folder / name).write_text(text, encoding="utf-8")


def page_one(shelf: Shelf, kind: str) -> str:
    """The first page of the audit as Markdown, its picture as HTML or as Markdown."""
    text, _, _ = AUDIT.read_text(encoding="utf-8").partition(SET_ASIDE)

    def shown(found: re.Match) -> str:
        picture = shelf.put(AUDIT.parent / found[2], found[1])
        return picture.tag() if kind == "html" else f"![{found[1]}]({picture.source})"

    return re.sub(r"!\[(.*?)\]\((\S+?)\)", shown, text) + REST + "\n"
