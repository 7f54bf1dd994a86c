"""Letters that the font of figures does not have: from another font of the machine, or said."""

from __future__ import annotations

import io
import os
import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

from matplotlib.figure import Figure
from matplotlib.text import Text

from ivdlib.errors import DataWarning

_MISSING = re.compile(r"Glyph (\d+) .* missing from font", re.DOTALL)
"""What matplotlib warns of each letter that no font of a text has."""

NO_FONT = ("Last Resort", "Noto Color Emoji")
"""Fonts of boxes alone, and of pictures, which matplotlib cannot draw."""


def save_figure(figure: Figure, target: str | os.PathLike | io.BytesIO, **how) -> None:
    """Save a figure, with every letter that some font of this machine has.

    Parameters
    ----------
    figure : Figure
        Its texts get further font families if they need them.
    target, **how
        As for `Figure.savefig`.

    Warns
    -----
    DataWarning
        If there are letters that no font has; boxes stand in their place.
    """
    with _heard() as letters:
        figure.savefig(target, **how)
    if letters and (families := _families(letters)):
        for text in figure.findobj(Text):
            text.set_fontfamily([*text.get_fontfamily(), *families])
        if isinstance(target, io.BytesIO):
            target.seek(0)
            target.truncate()
        with _heard() as letters:
            figure.savefig(target, **how)
    if letters:
        from ivdlib.report import fonts  # which draws figures itself

        warnings.warn(fonts.missing_letters("a figure", letters), DataWarning, stacklevel=4)


@contextmanager
def _heard() -> Iterator[set[str]]:
    """Collect the letters without a font; other warnings are passed on."""
    letters: set[str] = set()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        yield letters
    for one in caught:
        if found := _MISSING.match(str(one.message)):
            letters.add(chr(int(found[1])))
        else:
            warnings.warn_explicit(one.message, one.category, one.filename, one.lineno)


def _families(letters: set[str]) -> list[str]:
    """Fonts of this machine that have some of the letters, the one with most of them first."""
    from matplotlib.font_manager import findSystemFonts, fontManager
    from matplotlib.ft2font import FT2Font

    known: dict[str, tuple[int, str]] = {}
    for path in sorted(findSystemFonts()):  # matplotlib's own list is of the day it was made
        try:
            font = FT2Font(path)
            signs = font.get_charmap()
        except RuntimeError:  # of a kind that it does not read
            continue
        count = sum(ord(letter) in signs for letter in letters)
        if count and not font.family_name.startswith(NO_FONT):
            known.setdefault(font.family_name, (-count, path))
    useful = sorted(known, key=lambda name: (known[name][0], name))[:3]
    for name in useful:
        fontManager.addfont(known[name][1])
    return useful
