"""The front page: what the course is, on one screen."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import jinja2

from bindery.heads import Head
from bindery.pictures import Picture, Shelf

SITE = Path(__file__).resolve().parent / "site"
HERO = ("00_start_here", "front")
"""The lesson and the tag of its cell whose picture stands largest; `card` marks those of cards."""
LIVE, STILL, ENGINE = "live/index.html", "live/still.png", "live/engine.js"
"""The page that runs the network in the reader's browser, its picture, and what it needs to run."""
INSTALL = ("git clone ADDRESS ivdlib && cd ivdlib", "make lab")
"""ADDRESS is that of this repository, wherever it lies."""


def hours(heads: Iterable[Head]) -> int:
    """Study time of all lessons, in whole hours."""
    return round(sum(head.minutes for head in heads) / 60)


def cards(heads: Iterable[Head], shelf: Shelf) -> list[tuple[Head, Picture | None]]:
    """Each lesson and the picture of its card; none for a lesson without results."""
    return [(head, shelf.tagged.get((head.stem, "card"))) for head in heads]


def words(heads: list[Head], shelf: Shelf, site: Path) -> dict:
    """What the templates of the front page are filled with."""
    return {
        "cards": cards(heads, shelf),
        "hero": shelf.tagged.get(HERO),
        "hours": hours(heads),
        "install": INSTALL,
        "live": LIVE if (site / LIVE).is_file() else "",
        "still": STILL if (site / STILL).is_file() else "",
        "runs": (site / ENGINE).is_file(),
    }


def render(template: str, **filled: object) -> str:
    """A template of the site, filled."""
    loader = jinja2.FileSystemLoader(SITE / "templates")
    environment = jinja2.Environment(
        loader=loader, autoescape=jinja2.select_autoescape(["html"]),
        trim_blocks=True, lstrip_blocks=True, undefined=jinja2.StrictUndefined,
        keep_trailing_newline=True,
    )  # fmt: skip
    return environment.get_template(template).render(**filled)


def write_front(site: Path, heads: list[Head], shelf: Shelf) -> None:
    """Write `index.html` in place of Sphinx' page of contents; what the site has is linked."""
    page = render("front.html", **words(heads, shelf, site))
    (site / "index.html").write_text(page, encoding="utf-8")
