"""One image of one slice, as its DICOM header describes it; and whose it is."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path

HIDDEN = "…"
"""What stands in our messages where a name, number or date of a patient stood."""

_DIGITS = 5
"""Digits in a row that tell somebody apart from most others."""

_SHORTEST = 3
"""Letters of a name that are worth hiding: fewer stand in any word."""


@dataclass(frozen=True, slots=True)
class Patient:
    """Who was scanned, as the header says it; only the key file and `hider` see it.

    Attributes
    ----------
    number, name, born : str
        Patient ID, name (``MUELLER^HANS``) and date of birth; any may be empty.
    others : tuple of str
        Further identifiers: other numbers and names, accession number, address.
    """

    number: str = ""
    name: str = ""
    born: str = ""
    others: tuple[str, ...] = ()

    def secrets(self) -> set[str]:
        """Words by which somebody could tell who it is, in all their spellings."""
        whole = {self.number, self.name, self.born, *self.others}
        pieces = {piece for text in (self.name, *self.others) for piece in re.split(r"\W+", text)}
        pieces |= {*re.findall(rf"\d{{{_DIGITS},}}", self.number)}
        found = {text.strip() for text in whole | pieces}
        found |= {spelt for text in found for spelt in _spellings(text)}
        return {text for text in found if len(text) >= _SHORTEST}


def _spellings(text: str) -> set[str]:
    """`Strößner` is `STRÖSSNER`, `Stroessner` and `Strossner`, too."""
    small = text.casefold()
    written = small.translate({ord("ä"): "ae", ord("ö"): "oe", ord("ü"): "ue"})
    bare = "".join(c for c in unicodedata.normalize("NFKD", small) if not unicodedata.combining(c))
    return {small, written, bare, unicodedata.normalize("NFD", text)}


def _like(secret: str) -> str:
    """Pattern of a secret, however its parts are joined; of a date, however it is written."""
    if date := re.fullmatch(r"(\d\d(\d\d))(\d\d)(\d\d)", secret):
        whole, short, month, day = date.groups()
        tight = [(whole, month, day), (day, month, whole), (month, day, whole)]
        year = f"(?:{whole}|{short})"
        month, day = (f"0?{n[1]}" if n[0] == "0" else n for n in (month, day))
        loose = [(year, month, day), (day, month, year), (month, day, year)]
        likes = [r"[\W_]*".join(order) for order in tight]
        likes += [rf"(?<!\d){r'[^0-9A-Za-z]+'.join(order)}(?!\d)" for order in loose]
        return "|".join(likes)
    parts = secret if secret.isdigit() else re.split(r"[\W_]+", secret)
    return r"[\W_]*".join(re.escape(piece) for piece in parts if piece)


def hider(secrets: Iterable[str]) -> Callable[[str], str]:
    """Make what puts `HIDDEN` in place of each secret in a text, however it is spelt and joined.

    `MUELLER^HANS` is found in `Mueller_Hans_T1.dcm`, too.
    """
    likes = [like for s in sorted(secrets, key=len, reverse=True) if (like := _like(s))]
    if not likes:
        return lambda text: text
    pattern = re.compile("|".join(likes), re.IGNORECASE)
    return lambda text: pattern.sub(HIDDEN, text)


@dataclass(frozen=True, slots=True)
class Frame:
    """One slice of a DICOM file: a classic file holds one, an enhanced one many.

    Attributes
    ----------
    file : Path
    index : int
        Number of the frame in its file, from 0.
    patient : Patient
    study, series : str
        UIDs.
    number : int
        Of the series.
    description : str
        What people and scanners call the series; without it the protocol.
    maker : str
        Manufacturer.
    words : tuple of str
        Values of FrameType, else of ImageType, in capitals.
    component : str
        ``MAGNITUDE``, ``PHASE``, ``REAL``, ``IMAGINARY``, or empty.
    sequence : str
        ``gradient echo``, ``spin echo``, ``echo planar``, or empty.
    suppressed : bool
        Whether fat was suppressed: such an image is none of the four.
    te_ms, mhz, tesla : float or None
        Echo time, frequency of water, field.
    place : tuple of 3 float, or None
        Centre of the first pixel, mm, DICOM's axes (left, posterior, superior).
    turn : tuple of 6 float, or None
        Directions of row and column.
    pixel : tuple of 2 float, or None
        Distance of rows and of columns in mm.
    thick : float or None
        Thickness of the slice in mm.
    size : (rows, columns)
    when : str
        Date and time of the acquisition, as text that sorts.
    study_when : str
        The same of the study.
    repeats : tuple
        What tells repetitions of one slice apart: numbers of acquisition and time point.
    uid : str
        Of the image: copies of a file have the same.
    plain : bool
        Whether frames can be read one by one: not of deflated files, nor without a file header.
    slope, intercept, philips : float
        Of rescaling; the last is the scale slope of Philips, 0 if there is none.
    """

    file: Path
    index: int = 0
    patient: Patient = field(default_factory=Patient)
    study: str = ""
    series: str = ""
    number: int = 0
    description: str = ""
    maker: str = ""
    words: tuple[str, ...] = ()
    component: str = ""
    sequence: str = ""
    suppressed: bool = False
    te_ms: float | None = None
    mhz: float | None = None
    tesla: float | None = None
    place: tuple[float, ...] | None = None
    turn: tuple[float, ...] | None = None
    pixel: tuple[float, ...] | None = None
    thick: float | None = None
    size: tuple[int, int] = (0, 0)
    when: str = ""
    study_when: str = ""
    repeats: tuple = ()
    uid: str = ""
    plain: bool = True
    slope: float = 1.0
    intercept: float = 0.0
    philips: float = 0.0
