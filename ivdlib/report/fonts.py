"""Signs that no font of this machine has: a PDF shows boxes in their place."""

from __future__ import annotations

import logging
import re
import unicodedata
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

_MISSING = re.compile(r"^\.notdef glyph .*\(U\+([0-9A-F]{4,6})\)$", re.DOTALL)
"""What WeasyPrint logs of each sign that Pango finds no font for."""

CJK = re.compile(
    "[\u1100-\u11ff\u2e80-\ua4cf\ua960-\ua97f\uac00-\ud7ff\uf900-\ufaff\ufe30-\ufe4f\uff00-\uffef"
    "\U00020000-\U0003ffff]"
)
EMOJI = re.compile("[\U0001f000-\U0001faff]")
IGNORED = re.compile("[\u034f\u180b-\u180f\ufe00-\ufe0f\U000e0100-\U000e01ef]")
"""Marks that only say how others look."""

UNSEEN = {"Cc", "Cf", "Cs", "Zs", "Zl", "Zp"}
"""Categories of signs that show nothing, with a font or without."""

PRIVATE = "private use"

_SHOWN = 8
"""Signs of a group that are named; the rest is counted."""


@contextmanager
def watched_letters() -> Iterator[set[str]]:
    """Collect the signs without a font while WeasyPrint writes; its other warnings are dropped."""
    logger, signs = logging.getLogger("weasyprint"), set()

    def keep(record: logging.LogRecord) -> bool:
        if found := _MISSING.match(record.getMessage()):
            signs.add(chr(int(found[1], 16)))
        return record.levelno >= logging.ERROR

    level = logger.level
    logger.setLevel(logging.WARNING)
    logger.addFilter(keep)
    try:
        yield signs
    finally:
        logger.removeFilter(keep)
        logger.setLevel(level)


def missing_letters(name: str, signs: Iterable[str]) -> str:
    """Say which signs have no font, and what brings one; "" if there are none.

    Parameters
    ----------
    name : str
        Of the PDF.
    signs : iterable of str
        One letter each.
    """
    groups: dict[tuple[str, str], list[str]] = {}
    for sign in sorted(signs):
        if unicodedata.category(sign) not in UNSEEN and not IGNORED.match(sign):
            groups.setdefault(_group(sign), []).append(sign)
    if not groups:
        return ""
    packages = sorted({package for _, package in groups} - {""})
    repair = "install one and make it again" if packages else "leave them out"
    debian = f" (Debian: apt-get install {' '.join(packages)})" if packages else ""
    listed = ", ".join(_listed(found, group) for (group, _), found in groups.items())
    return (
        f"{name} shows boxes in place of {listed}: no font of this machine has these signs; "
        f"{repair}{debian}."
    )


def _group(sign: str) -> tuple[str, str]:
    """What a sign belongs to, by the first word of its name, and Debian's package of its font."""
    if unicodedata.category(sign) == "Co":
        return PRIVATE, ""
    if EMOJI.match(sign):
        return "emoji", "fonts-noto-color-emoji"
    word = unicodedata.name(sign, "unknown").split()[0].capitalize()
    if not CJK.match(sign):
        return word, "fonts-noto-core"
    return word if word in ("Hangul", "Hiragana", "Katakana") else "CJK", "fonts-noto-cjk"


def _listed(signs: list[str], group: str) -> str:
    letters = [sign for sign in signs if unicodedata.category(sign)[0] != "M"]
    signs = letters or signs  # a mark alone cannot be read
    shown = [f"U+{ord(sign):04X}" if group == PRIVATE else sign for sign in signs[:_SHOWN]]
    more = f" and {len(signs) - _SHOWN} more" if len(signs) > _SHOWN else ""
    return f"{', '.join(shown)}{more} ({group})"
