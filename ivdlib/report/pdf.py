"""From the page to the PDF: tagged (PDF/UA-1), offline."""

from __future__ import annotations

import logging
import warnings
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from ivdlib import files
from ivdlib.errors import DataWarning
from ivdlib.report import fonts

if TYPE_CHECKING:
    from weasyprint.document import Document

PANGO = (
    "There is no PDF, because WeasyPrint does not find Pango: install it "
    "(Debian: apt-get install libpango-1.0-0 libpangoft2-1.0-0; conda: environment.yml has it)."
)


def write_pdf(html: str, path: Path) -> bool:
    """Write the PDF of a page.

    Parameters
    ----------
    html : str
        A page that is whole in itself.
    path : Path

    Returns
    -------
    bool
        False if the libraries of the system are missing; an older PDF is removed then, since it
        would not belong to the page. See `PANGO` for what to tell.

    Raises
    ------
    DataError
        If the file cannot be written.

    Warns
    -----
    DataWarning
        If there are signs that no font has; the PDF shows boxes in their place.
    """
    try:
        document = _laid_out(html)
    except OSError:
        path.unlink(missing_ok=True)
        return False
    with files.atomic(path) as temporary, fonts.watched_letters() as signs:
        document.write_pdf(temporary, pdf_variant="pdf/ua-1")
    if told := fonts.missing_letters(path.name, signs):
        warnings.warn(told, DataWarning, stacklevel=2)
    return True


def page_count(html: str) -> int:
    """Pages of the PDF of a page; 0 if the libraries of the system are missing."""
    try:
        return len(_laid_out(html).pages)
    except OSError:
        return 0


@lru_cache(maxsize=1)
def _laid_out(html: str) -> Document:
    """The pages of a PDF before it is written; the last ones are kept, for who counts them first.

    Raises
    ------
    OSError
        If the libraries of the system are missing.
    """
    import weasyprint
    from weasyprint.urls import URLFetcher

    logging.getLogger("fontTools").setLevel(logging.ERROR)
    fetcher = URLFetcher(allowed_protocols=["data"])
    with fonts.watched_letters():
        return weasyprint.HTML(string=html, url_fetcher=fetcher).render(pdf_variant="pdf/ua-1")
