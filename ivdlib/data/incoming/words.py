"""What scanners write into image types and names of series, and what each word means."""

from __future__ import annotations

import re
from collections.abc import Sequence

TYPE_WORDS = {
    "wat": "WATER W WAT WATER_ONLY DIXON_WATER WATERONLY",
    "fat": "FAT F FAT_ONLY DIXON_FAT FATONLY",
    "inn": "IN_PHASE INPHASE IP IN DIXON_IN_PHASE",
    "opp": "OUT_PHASE OPP_PHASE OUT_OF_PHASE OPPOSED_PHASE OUTPHASE OPPHASE OP OOP OUT OPP "
    "DIXON_OUT_PHASE DIXON_OPP_PHASE",
}
"""Values of ImageType and FrameType beyond the first two: Siemens, Philips, GE, and the standard
(PS3.3 C.8.13.3.1.1)."""

OTHER_TYPES = {
    "a localiser": "LOCALIZER LOCALISER SCOUT SURVEY",
    "a phase image": "PHASE P PHASE_MAP MAP P_FFE P_SE VELOCITY_MAP",
    "a real or imaginary part": "REAL R IMAGINARY I_FFE R_FFE R_SE I_SE",
    "a subtraction": "SUBTRACTION SUBTRACT SUB SUBTRACTED",
    "filtered": "FILTERED FILTER",
    "reformatted": "MPR MIP MINIP PROJECTION_IMAGE RESAMPLED REFORMATTED CSA_REFORMAT CPR MNR "
    "MAX_IP MIN_IP VOLREN 3D_RENDERING CURVED_REFORMAT",
    "a map": "FAT_FRACTION WATER_FRACTION FF FATFRACTION FAT_FRAC WATER_FRAC R2STAR R2_STAR T2STAR "
    "T2_STAR T2_STAR_MAP R2_STAR_MAP FIELD_MAP B0_MAP B0 T1_MAP T2_MAP ADC MASK PDFF",
    "a picture of a screen": "SCREEN_SAVE SCREENSAVE SCREENSHOT",
}
"""Values that say that an image is none of the four."""

OTHER_NAMES = {
    "a localiser": r"locali[sz]er|scout|survey|3-?plane",
    "a subtraction": r"subtr\w*|sub(?![\W_]*\d)",
    "filtered": r"filtered",
    "a map": r"(?:fat|water)[\W_]*(?:frac\w*|percent)|ff|pdff|r2\*|r2[\W_]?star|t2[\W_]?star|"
    r"b0[\W_]*map",
    "reformatted": r"mpr|mip|reformat\w*",
    "a phase image": r"phase[\W_]*(?:image|map)s?|pha",
}
"""The same in names of series, between signs that are no letters."""

NAME_WORDS = {
    "inn": r"in[\W_]*ph(?:ase)?",
    "opp": r"(?:out|opp|opposed)(?:[\W_]*of)?[\W_]*ph(?:ase)?|oop",
    "wat": r"water|wasser|eau|wat",
    "fat": r"fat|fett|graisse",
}
LAST_WORDS = {"wat": r"w", "fat": r"f", "inn": r"in|inn|ip", "opp": r"opp|out"}
"""What says it at the end of a name only: Siemens' `t1_vibe_dixon_sag_W`, `_F`, `_in`, `_opp`."""

_NO_CONTRAST = r"(?<!t1)(?<!t2)(?<!t2\*)(?<!t2star)(?<!pd)(?<!swi)(?<!breath)(?<!hold)"
"""What `T1-W` and `breath out` end in is none."""

_TISSUE = r"(?:fat|water|fett|wasser|graisse|eau)"
_AWAY = r"(?:sat\w*|sup\w*|s[aä]tt\w*|excit\w*|anreg\w*|free|null\w*)"
_WITHOUT = r"(?<![^\W_])(?:w/?o|without|no|non|ohne|sans)[\W_]*"
_SATURATED = rf"{_TISSUE}[\W_]*{_AWAY}|{_AWAY}[\W_]*{_TISSUE}"
_NOT_SATURATED = re.compile(rf"{_WITHOUT}(?:{_SATURATED})", re.I)
_SUPPRESSED = re.compile(rf"{_SATURATED}|{_WITHOUT}{_TISSUE}", re.I)

_IN, _OUT = r"(?:in|ip)(?:[\W_]*ph(?:ase)?)?", r"(?:out|opp?|oop|opposed)(?:[\W_]*ph(?:ase)?)?"
_AND = r"[\W_]*(?:and|und|et)?[\W_]*"
BOTH = re.compile(rf"(?<![^\W_])(?:{_IN}[\W_]{_AND}{_OUT}|{_OUT}[\W_]{_AND}{_IN})(?![^\W_])", re.I)
"""A series of both echoes: `Ax DualEcho (out/in Phase`, `t1_fl2d_in_opp`."""

SPIN_ECHO = re.compile(r"(?<![^\W_])(?:tse|fse|t2|stir|tirm|space|haste)(?![^\W_])", re.I)
"""Names of spin echoes, for headers that do not say the sequence."""


def suppressed(name: str) -> bool:
    """Whether a name says that fat or water was suppressed; `w/o fat sat` says that it was not."""
    return bool(_SUPPRESSED.search(_NOT_SATURATED.sub(" ", name)))


def values(words: Sequence[str]) -> set[str]:
    """Values of an image type, spelt alike: ``PHASE MAP`` is ``PHASE_MAP``."""
    return {re.sub(r"\W+", "_", word) for word in words}


def other_by_type(words: Sequence[str]) -> str:
    """What an image is that is none of the four, by its type; empty if nothing says so."""
    found = values(words)
    return next((what for what, some in OTHER_TYPES.items() if found & {*some.split()}), "")


def other_by_name(name: str) -> str:
    """The same, by the name of its series."""
    return next((what for what, like in OTHER_NAMES.items() if _between(like, name)), "")


def word_in(name: str) -> tuple[str, int, int] | None:
    """Contrast that a name says, and where it stands; None unless it says one thing."""
    text = name
    for said in (_NOT_SATURATED, _SUPPRESSED):
        text = said.sub(lambda found: " " * len(found[0]), text)
    if BOTH.search(text):
        return None
    found = {c: match for c, like in NAME_WORDS.items() if (match := _between(like, text))}
    if not found:
        ends = rf"{_NO_CONTRAST}[\W_](?P<word>{{}})(?=(?:[\W_]*\d+)?$)"
        found = {c: match for c, like in LAST_WORDS.items()
                 if (match := re.search(ends.format(like), text, re.I))}  # fmt: skip
    if len(found) != 1:
        return None
    ((contrast, match),) = found.items()
    return contrast, match.start("word"), match.end("word")


def _between(like: str, text: str) -> re.Match | None:
    return re.search(rf"(?<![^\W_])(?P<word>{like})(?![^\W_])", text, re.I)
