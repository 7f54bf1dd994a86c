"""AUDIT.md as part of a report: its pictures within it, its appendices folded."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from bs4 import BeautifulSoup
from nbconvert.filters import markdown2html

from ivdlib.errors import DataError
from ivdlib.report import notebook, results

APPENDICES = "Appendices"
"""What stands behind this heading of the audit is folded on the screen."""


def _fold(soup: BeautifulSoup) -> None:
    """Fold each section behind `APPENDICES`; its own heading unfolds it."""
    heads = soup.find_all("h2")
    numbers = (n for n, head in enumerate(heads, 1) if head.get_text().startswith(APPENDICES))
    start = next(numbers, len(heads))
    for head in heads[start:]:
        rest = []
        for element in head.next_siblings:
            if getattr(element, "name", None) in ("h1", "h2"):
                break
            rest.append(element)
        fold, summary = soup.new_tag("details"), soup.new_tag("summary")
        head.insert_before(fold)
        summary.append(head)
        fold.append(summary)
        for element in rest:
            fold.append(element)


def first(path: Path) -> dict[str, Any]:
    """Page one alone, for the report of an experiment that has a part in it."""
    return _markdown(path, path.read_text(encoding="utf-8").partition("\n## ")[0])


def whole(path: Path) -> dict[str, Any]:
    """All of it, the appendices folded."""
    return _markdown(path, path.read_text(encoding="utf-8"))


def _markdown(path: Path, text: str) -> dict[str, Any]:
    soup = BeautifulSoup(markdown2html(text), "html.parser")
    for image in soup.find_all("img"):
        place = path.parent / str(image.get("src", ""))
        inside = path.parent.resolve() in place.resolve().parents  # nobody's files but its own
        if not (inside and place.suffix == ".png" and place.is_file()):
            raise DataError(
                f"{place}, a picture of {path.name}, is no PNG file within its folder; call ivdlib "
                "audit --page."
            )
        image["src"] = results.picture(place, str(image.get("alt", "")))["src"]
    _fold(soup)
    return notebook.fitted(str(soup), "audit")
