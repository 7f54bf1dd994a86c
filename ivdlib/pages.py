"""Render the templates of pages and reports; each page is whole in itself."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import jinja2
from markupsafe import Markup

from ivdlib.files import readable

TEMPLATES = Path(__file__).parent / "templates"


POLICY = Markup("default-src 'none'; img-src data:; style-src 'unsafe-inline'")
"""What browsers let every page do: nothing runs in it, nothing is fetched for it."""

LONG = 20
"""Rows from which on a table may go on over pages."""


def render(template: str, **values: Any) -> str:
    """Fill a template of `templates/`; it gets the style sheet of the reports as `css`.

    Parameters
    ----------
    template : str
        Name of the file within `templates/`. What it shows is escaped.
    **values
        What it shows.
    """
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES), autoescape=True, trim_blocks=True
    )
    environment.globals |= {"LONG": LONG, "POLICY": POLICY}
    css = (TEMPLATES / "report.css").read_text(encoding="utf-8")
    return readable(environment.get_template(template).render(css=css, **values))
