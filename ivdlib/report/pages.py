"""Render the templates of pages and reports; each page is whole in itself."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any

import jinja2
from markupsafe import Markup

from ivdlib import files
from ivdlib.errors import ConfigError
from ivdlib.files import readable
from ivdlib.report import pdf, stamp
from ivdlib.report.pdf import PANGO

TEMPLATES = Path(__file__).parent / "templates"


POLICY = Markup("default-src 'none'; img-src data:; style-src 'unsafe-inline'")
"""What browsers let every page do: nothing runs in it, nothing is fetched for it."""

LONG = 20
"""Rows from which on a table may go on over pages."""


def fill_template(template: str, **values: Any) -> str:
    """Fill a template of `templates/`; it gets the style sheet of the reports as `css`.

    Parameters
    ----------
    template : str
        Name of the file within `templates/`. What it shows is escaped.
    **values
        What it shows.
    """
    css = (TEMPLATES / "report.css").read_text(encoding="utf-8")
    return readable(_environment().get_template(template).render(css=css, **values))


@cache
def _environment() -> jinja2.Environment:
    """The templates; each is compiled once."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES), autoescape=True, trim_blocks=True
    )
    environment.globals |= {"LONG": LONG, "POLICY": POLICY}
    return environment


SIGNS = str.maketrans("✅❌", "✓✗")
"""Coloured signs that no font of a PDF has, and plain ones that most have."""


def write_report(path: Path, html: str) -> dict[str, Any]:
    """Write a page and its PDF beside each other; `path` without ending. Returns as `build`.

    What stands there and was not made so, or was changed since, is moved aside, see `stamp`.

    Raises
    ------
    ConfigError
        If `path` is a folder.
    DataError
        If a file cannot be written.
    """
    if path.is_dir():
        raise ConfigError(f"{path} is a folder; name a file in it, without .html and .pdf.")
    page, document = path.with_name(f"{path.name}.html"), path.with_name(f"{path.name}.pdf")
    files.folder(path.parent)
    stamp.keep_others(page, document)
    with files.atomic(page) as temporary:  # first: no PDF where its page cannot be
        made = pdf.write_pdf(html, document)
        text = stamp.stamped(html, document)
        temporary.write_text(text, encoding="utf-8", errors=files.READABLE)
    return {"html": page, "pdf": document if made else None, "note": "" if made else PANGO}


def first_that_fits(versions: Iterable[str], most: int) -> tuple[int, str]:
    """Of several versions of a page the first whose PDF has at most so many pages; else the last.

    Without Pango, which nothing can be laid out without, it is the first.

    Returns
    -------
    int
        Its place among them.
    str
        It.
    """
    for place, html in enumerate(versions):  # noqa: B007  the last ones stay
        if pdf.page_count(html) <= most:
            break
    return place, html


def fill(template: str, **values: Any) -> str:
    """A page from a template of reports."""
    return fill_template(template, **values).translate(SIGNS)
