"""Which of the four contrasts a DICOM image shows, and what says so.

First what the scanner itself wrote (image type), then what the series is called, then the echo
time: in a gradient echo water and fat are in phase or opposed, as the angle between them says.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from ivdlib.data.incoming.frame import Frame

FAT_SHIFT_PPM = 3.4
"""By how much fat precesses slower than water."""

WITHIN_DEGREES = 30.0
"""So near to 0 or 180 degrees must the angle between water and fat be."""

PAIR_WITHIN_DEGREES = 45.0
"""For two echoes of one series, one near 0 and the other near 180: each vouches for the other. GE's
usual pair of 2.04 and 4.21 ms at 1.5 T lies 20 degrees from opposed and 31 from in phase."""

MOST_TURNS = 2.2
"""Times that fat has fallen a whole turn behind water: later echoes are taken for other ends."""

WORDS = {
    "wat": "WATER W WAT WATER_ONLY DIXON_WATER WATERONLY",
    "fat": "FAT F FAT_ONLY DIXON_FAT FATONLY",
    "inn": "IN_PHASE INPHASE IP IN DIXON_IN_PHASE",
    "opp": "OUT_PHASE OPP_PHASE OUT_OF_PHASE OPPOSED_PHASE OUTPHASE OPPHASE OP OOP OUT OPP "
    "DIXON_OUT_PHASE DIXON_OPP_PHASE",
}
"""Values of ImageType and FrameType beyond the first two: Siemens, Philips, GE, and the standard
(PS3.3 C.8.13.3.1.1)."""

OTHER = {
    "a localiser": "LOCALIZER LOCALISER SCOUT SURVEY",
    "a phase image": "PHASE P PHASE_MAP PHASE MAP P_FFE P_SE VELOCITY_MAP",
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

_OTHER_NAMES = {
    "a localiser": r"locali[sz]er|scout|survey|3-?plane",
    "a subtraction": r"subtr\w*|sub",
    "filtered": r"filtered",
    "a map": r"(?:fat|water)[\W_]*(?:frac\w*|percent)|ff|pdff|r2\*?|r2star|t2star|b0[\W_]*map",
    "reformatted": r"mpr|mip|reformat\w*",
    "a phase image": r"phase[\W_]*(?:image|map)s?|pha",
}
"""The same in names of series, between signs that are no letters."""

_NAMES = {
    "inn": r"in[\W_]*ph(?:ase)?",
    "opp": r"(?:out|opp|opposed)(?:[\W_]*of)?[\W_]*ph(?:ase)?|oop",
    "wat": r"water|wasser|eau|wat",
    "fat": r"fat|fett|graisse",
}
_LAST = {"wat": r"w", "fat": r"f", "inn": r"in|inn|ip", "opp": r"opp|out"}
"""What says it at the end of a name only: Siemens' `t1_vibe_dixon_sag_W`, `_F`, `_in`, `_opp`."""

_SUPPRESSED = re.compile(
    r"(?:fat|water|fett|wasser)[\W_]*(?:sat\w*|sup\w*|s[aä]tt\w*|excit\w*|anreg\w*|free|null\w*)",
    re.I,
)
_BOTH = re.compile(r"(?:in|out|opp)\w*[\W_]*(?:/|\+|&|and|und)[\W_]*(?:in|out|opp)", re.I)


@dataclass(frozen=True)
class ImageKind:
    """What an image shows.

    Attributes
    ----------
    contrast : str
        `wat`, `fat`, `inn`, `opp`, or empty.
    why : str
        What says so; without a contrast why it is left out.
    unclear : bool
        It is left out because nothing says what it is: someone should look.
    by_echo : bool
        The echo time says it, and nothing else.
    """

    contrast: str
    why: str
    unclear: bool = False
    by_echo: bool = False


def kind_of(frame: Frame, echoes: Iterable[float] = ()) -> ImageKind:
    """Say which contrast a frame shows.

    Parameters
    ----------
    frame : Frame
    echoes : iterable of float
        All echo times of its series in ms.

    Returns
    -------
    ImageKind
        A spin echo is none of the four, though its words say so: fat is bright in all of its
        images, and its water image is another contrast.
    """
    if other := _none_of_four(frame):
        return ImageKind("", other)
    found = _by_words(frame) or _by_name(frame.description)
    if found and frame.sequence == "spin echo" and found.contrast:
        what = f"the {found.contrast} of a spin-echo (T2) Dixon"
        return ImageKind(
            "", f"{what}, which is another contrast than that of a gradient echo", True
        )
    return found or _by_echo(frame, echoes)


def _none_of_four(frame: Frame) -> str:
    """Say what a frame is that is none of the four; empty if nothing says so."""
    if frame.component in ("PHASE", "REAL", "IMAGINARY"):
        return f"a {frame.component.lower()} image"
    values = {re.sub(r"\W+", "_", word) for word in frame.words}
    for what, words in OTHER.items():
        if values & {*words.split()}:
            return what
    for what, pattern in _OTHER_NAMES.items():
        if re.search(rf"(?<![^\W_])(?:{pattern})(?![^\W_])", frame.description, re.I):
            return what
    return ""


def _by_words(frame: Frame) -> ImageKind | None:
    values = [re.sub(r"\W+", "_", word) for word in frame.words[2:]]
    found = {name: v for name, words in WORDS.items() for v in values if v in words.split()}
    if len(found) > 1:
        said = " and ".join(found.values())
        return ImageKind("", f"its image type says {said} at once", True)
    return next((ImageKind(name, f"image type says {v}") for name, v in found.items()), None)


def _by_name(description: str) -> ImageKind | None:
    """What the name of a series says, if it says one thing."""
    text = _SUPPRESSED.sub(" ", description)
    if _BOTH.search(text):
        return None
    for name in text.split(" · "):
        found = [c for c, like in _NAMES.items()
                 if re.search(rf"(?<![^\W_])(?:{like})(?![^\W_])", name, re.I)]  # fmt: skip
        found = found or [c for c, like in _LAST.items()
                          if re.search(rf"[\W_](?:{like})(?:[\W_]*\d+)?$", name, re.I)]  # fmt: skip
        if len(found) == 1:
            return ImageKind(found[0], "the series is called so")
    return None


def angle(te_ms: float, mhz: float) -> float:
    """Angle between water and fat in degrees: 360 · 3.4 ppm · frequency · TE."""
    return 360 * FAT_SHIFT_PPM * 1e-6 * mhz * 1e6 * te_ms * 1e-3


def _nearest(degrees: float) -> tuple[str, float]:
    """In phase or opposed, and how far from it."""
    off = abs((degrees + 180) % 360 - 180)
    return ("inn", off) if off < 90 else ("opp", 180 - off)


def _by_echo(frame: Frame, echoes: Iterable[float]) -> ImageKind:
    if frame.sequence not in ("", "gradient echo"):
        return ImageKind("", f"{frame.sequence}, in which no echo time tells water from fat")
    if frame.suppressed or _SUPPRESSED.search(frame.description):
        return ImageKind("", "fat was suppressed, so it is none of the four")
    if not frame.sequence:
        return ImageKind("", "nothing says what it shows, nor that it is a gradient echo", True)
    if not frame.te_ms or not frame.mhz:
        lacks = "echo time" if not frame.te_ms else "frequency or field"
        return ImageKind("", f"nothing says what it shows, and it has no {lacks}", True)
    contrast, off = _nearest(degrees := angle(frame.te_ms, frame.mhz))
    if degrees > 360 * MOST_TURNS:
        return ImageKind("", f"its echo time of {frame.te_ms:g} ms is too late for a Dixon image")
    pair = {_nearest(angle(te, frame.mhz))[0] for te in echoes if te} == {"inn", "opp"}
    where = f"echo time {frame.te_ms:g} ms at {frame.mhz:.2f} MHz"
    said = f"{where}: water and fat {degrees % 360:.0f}° apart"
    if off > (PAIR_WITHIN_DEGREES if pair else WITHIN_DEGREES):
        return ImageKind(
            "", f"nothing says what it shows ({said}, neither in phase nor opposed)", True
        )
    return ImageKind(contrast, said, by_echo=True)
