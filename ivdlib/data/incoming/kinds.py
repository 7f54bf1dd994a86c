"""Which of the four contrasts a DICOM image shows, and what says so.

First what the scanner itself wrote (image type), then what the series is called, then the echo
time: in a gradient echo water and fat are in phase or opposed, as the angle between them says.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from ivdlib.data.incoming import words
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
    if frame.component in ("PHASE", "REAL", "IMAGINARY"):
        what = frame.component.lower()
        return ImageKind("", f"{'an' if what[0] == 'i' else 'a'} {what} image")
    if other := words.other_by_type(frame.words):
        return ImageKind("", other)
    said = _by_type(frame)
    if not said:
        said, other = _by_name(frame.description), words.other_by_name(frame.description)
        in_phase = said is not None and said.contrast in ("inn", "opp")
        if other and not (in_phase and other == "a phase image"):  # "out-of-phase images"
            return ImageKind("", other)
        if said and frame.suppressed:
            return ImageKind("", "fat was suppressed, so it is none of the four")
    if said and said.contrast and _is_spin_echo(frame):
        why = f"the {said.contrast} of a spin-echo (T2) Dixon, which is another contrast"
        return ImageKind("", f"{why} than that of a gradient echo")
    return said or _by_echo(frame, echoes)


def _is_spin_echo(frame: Frame) -> bool:
    unknown = not frame.sequence and words.SPIN_ECHO.search(frame.description)
    return frame.sequence == "spin echo" or bool(unknown)


def _by_type(frame: Frame) -> ImageKind | None:
    there = words.values(frame.words[2:])
    found = {
        name: said for name, some in words.TYPE_WORDS.items() for said in there & {*some.split()}
    }
    if len(found) > 1:
        said = " and ".join(sorted(found.values()))
        return ImageKind("", f"its image type says {said} at once", True)
    return next((ImageKind(name, f"image type says {said}") for name, said in found.items()), None)


def _by_name(description: str) -> ImageKind | None:
    """What the name of a series says, if it says one thing."""
    found = words.word_in(description)
    return ImageKind(found[0], "the series is called so") if found else None


def angle(te_ms: float, mhz: float) -> float:
    """Angle between water and fat in degrees: 360 · 3.4 ppm · frequency · TE."""
    return 360 * FAT_SHIFT_PPM * 1e-6 * mhz * 1e6 * te_ms * 1e-3


def _nearest(degrees: float) -> tuple[str, float]:
    """In phase or opposed, and how far from it."""
    off = abs((degrees + 180) % 360 - 180)
    return ("inn", off) if off < 90 else ("opp", 180 - off)


def _by_echo(frame: Frame, echoes: Iterable[float]) -> ImageKind:
    if frame.sequence not in ("", "gradient echo"):
        return ImageKind("", f"a {frame.sequence}, in which no echo time tells water from fat")
    if frame.suppressed or words.suppressed(frame.description):
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
