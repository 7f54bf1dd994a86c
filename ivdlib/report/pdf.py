"""From the page to the PDF: tagged (PDF/UA-1), offline."""

from __future__ import annotations

import logging
import warnings
from pathlib import Path

from ivdlib import files
from ivdlib.errors import DataWarning
from ivdlib.report import fonts

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
        import weasyprint
        from weasyprint.urls import URLFetcher
    except OSError:
        path.unlink(missing_ok=True)
        return False
    logging.getLogger("fontTools").setLevel(logging.ERROR)
    fetcher = URLFetcher(allowed_protocols=["data"])
    document = weasyprint.HTML(string=html, url_fetcher=fetcher)
    with files.atomic(path) as temporary, fonts.watched_letters() as signs:
        document.write_pdf(temporary, pdf_variant="pdf/ua-1")
    if told := fonts.missing_letters(path.name, signs):
        warnings.warn(told, DataWarning, stacklevel=2)
    return True
