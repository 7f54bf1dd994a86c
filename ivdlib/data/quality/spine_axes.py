"""Whether the axes of a scan can be those of sagittal slices through a spine.

Discs lie one above another, flat, in a curve that is hollow at the back and bends most at its lower
end; slices are few and thick; a field of view ends in air before and behind the body, and within it
above and below; skin, muscles and spine, which show most detail, lie behind. What the header (or
`dataset.json`) says is held against that. Left and right look alike, so a scan that is mirrored
there is not noticed; nor is one that stands upside down where fewer than five discs are labelled.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from ivdlib.data.disc_stack import Pieces, measure_stack
from ivdlib.data.geometry import spacing_mm
from ivdlib.data.orientation import AXCODES, FileGrid, canonical_affine
from ivdlib.data.remarks import Remark
from ivdlib.errors import DataError

THICK, FEW = 1.5, 4.0
"""Slices are this much thicker than pixels are wide, or that many times fewer than pixels. The
challenge's scans: 1.6 and 7; slabs of 3-D scans, with cubic voxels: 32."""

SMALLEST_MM = 30.0
"""A volume whose longest edge is shorter does not show one disc."""

AIR, BODY, FIELD_MM = 0.1, 0.2, 150.0
"""Mean signal at both ends of an axis in air, and within the body, over that of bright tissue; in a
smaller field there may be no air. In 54 real spines the brighter end of the up-down axis has at
least 1.2 times the signal of the darker end of the other one."""

DEEP_MM, DETAIL = 200.0, 0.08
"""In a field of this depth the centre of all detail lies behind the middle, by 0.05 to 0.3 of the
depth in 54 real spines, by 0.01 to 0.2 in 70 phantoms. Before the middle by more than the second
number, the scan is back to front (in a water image of the phantom by itself it is there)."""

LONGEST_MM, APART_MM = 1000.0, (12.0, 70.0)
"""Fields of view beyond are no scan of a spine; nor do its discs lie less or more apart. Those of
adults are 30 to 40 mm apart, of which every second one may be left unlabelled."""

SLIM_MM = 20.0
"""No body is thinner, nor a sagittal field lower, but in a crop (44 x 31 mm of one disc)."""

_NAMES = ("left-right", "front-back", "up-down")


@dataclass(frozen=True)
class Doubt:
    """Why the axes cannot be true, or are not likely to be.

    Attributes
    ----------
    certain : bool
    text : str
        What is so by these axes.
    letters : tuple of 3 (str or None)
        Where the canonical axes (said to run to R, A, S) run in truth; None is not known.
    open : bool
        A letter may as well be the opposite one.
    labels : bool
        Nothing but the labels says so: they alone may lie wrong.
    """

    certain: bool
    text: str
    letters: tuple[str | None, ...] = (None, None, None)
    open: bool = False
    labels: bool = False


def check_axes(
    name: str, grid: FileGrid, image: np.ndarray | None, discs: np.ndarray | None, declared: bool
) -> list[Remark]:
    """Hold the axes of a scan against what is known of spines.

    Parameters
    ----------
    name : str
        Of the case, for the message.
    grid : FileGrid
        With the axes that are used.
    image : ndarray or None
        Canonical: a contrast; none where some voxels stretch its range.
    discs : ndarray of int or None
        Canonical: labels of the discs, 0 elsewhere.
    declared : bool
        Whether `dataset.json` declares the axes, else the header does.

    Returns
    -------
    list of Remark
        One where the axes are not likely to be true; else nothing.

    Raises
    ------
    DataError
        If they cannot be true.
    """
    spacing = spacing_mm(canonical_affine(grid))
    order = np.argsort(grid.orientation[:, 0])
    shape = tuple(int(grid.shape[int(n)]) for n in order)
    pieces = measure_stack(discs, spacing) if discs is not None and discs.any() else None
    sizes = [
        Remark(
            f"{text}, as in no scan of a spine",
            "look at the voxel size in the header: it may be lost, count in another unit, or stand "
            "at another axis",
        )
        for text in _sizes(shape, spacing, pieces)
    ]
    doubt = find_doubt(shape, spacing, pieces, image)
    if doubt is None:
        return sizes
    codes = ", ".join(_in_file(("R", "A", "S"), grid))
    text = f"by the axes {codes} of {'dataset.json' if declared else 'its header'} {doubt.text}"
    repair = f"declare the true axes in dataset.json ({_axcodes(doubt, grid)})"
    if doubt.certain:
        raise DataError(f"case {name}: {text}; {repair}.")
    look = (
        f"look at the scan with its labels: {repair} if the scan lies so, too, or export the "
        "labels again if they alone do"
        if doubt.labels
        else f"look at the scan, and {repair} if they are wrong"
    )
    return [*sizes, Remark(text, look)]


def _sizes(
    shape: tuple[int, ...], spacing: tuple[float, float, float], pieces: Pieces | None
) -> Iterator[str]:
    """What is too large or too small for a spine."""
    longest = max(n * edge for n, edge in zip(shape, spacing, strict=True))
    if longest > LONGEST_MM:
        yield f"the field of view is {longest / 1000:.1f} m long"
    for axis in (1, 2):
        if longest >= FIELD_MM and (size := shape[axis] * spacing[axis]) < SLIM_MM:
            yield f"the {_NAMES[axis]} axis is {size:.0f} mm long"
    if pieces is not None and (up := pieces.stack()) is not None:
        apart = float(np.median(np.diff(np.sort(pieces.centres[:, up]))))
        if not APART_MM[0] <= apart <= APART_MM[1]:
            yield f"the labelled discs lie {apart:.0f} mm apart"


def _axcodes(doubt: Doubt, grid: FileGrid) -> str:
    """The value to declare, as far as it is known."""
    letters = _in_file(doubt.letters, grid)
    if None not in letters:
        either = ", or the opposite letter of an axis that runs the other way" if doubt.open else ""
        return f'"axcodes": {json.dumps(letters)}{either}'
    pairs = {code: f"{pair[1]} or {pair[0]}" for pair in AXCODES for code in pair}
    known = (f"{pairs[code]} in place {n}" for n, code in enumerate(letters, start=1) if code)
    return ", ".join(["axcodes", *known])


def find_doubt(
    shape: tuple[int, ...],
    spacing: tuple[float, float, float],
    pieces: Pieces | None,
    image: np.ndarray | None,
) -> Doubt | None:
    """Find out whether canonical axes (RAS+) can be true.

    Parameters
    ----------
    shape : tuple of 3 ints
    spacing : tuple of 3 floats
        Voxel edges in mm.
    pieces : Pieces or None
        The labelled discs.
    image : ndarray or None
        A contrast; looked at where no disc is labelled.

    Returns
    -------
    Doubt or None
    """
    if max(n * edge for n, edge in zip(shape, spacing, strict=True)) < SMALLEST_MM:
        return None
    thick, few = _thick(spacing), _few(shape)
    slices = few if thick is None else thick if few in (None, thick) else None
    stack = None if pieces is None else pieces.stack()
    up = pieces.flat(slices or 0) if pieces is not None and stack is None else stack
    if up not in (None, 2):
        how = "are stacked along" if stack is not None else "lie flat across"
        text = f"the labelled discs {how} the {_NAMES[up]} axis, as in no spine"
        return Doubt(stack is not None, text, *_letters(up, slices, pieces, spacing))
    if slices == 1 or (slices == 2 and (pieces is None or thick == 2)):
        text = f"the slices are {('coronal', 'axial')[slices - 1]}, where sagittal ones are needed"
        return Doubt(False, text, *_letters(up, slices, pieces, spacing))
    if pieces is None and image is not None and _lies(image, spacing):
        text = "there is air above and below the body, and none before and behind it"
        return Doubt(False, text, *_letters(1, slices, None, spacing))
    front, upright = (0, 0) if stack != 2 else pieces.bend((0, 1, 2), spacing)
    if stack == 2 and not front and slices is None and pieces.bend((1, 0, 2), spacing)[0]:
        text = "the labelled discs curve to one side as they should to the front"
        return Doubt(False, text, *_letters(2, 1, pieces, spacing))
    if not front and slices in (None, 0) and image is not None and _turned(image, spacing):
        text = "most detail lies in front, where skin, muscles and spine should be behind"
        return Doubt(False, text, ("R", "P", "S"), open=True)
    return _backwards(front, upright)


def _backwards(front: int, up: int) -> Doubt | None:
    """A doubt where one of the two is -1, see `Pieces.bend`."""
    ends = (("front and back", front), ("top and bottom", up))
    wrong = " and ".join(words for words, sign in ends if sign < 0)
    letters = ("R", "P" if front < 0 else "A", "I" if up < 0 else "S")
    return (
        Doubt(False, f"the labelled discs curve as if {wrong} were exchanged", letters, labels=True)
        if wrong
        else None
    )


def _letters(
    up: int | None, slices: int | None, pieces: Pieces | None, spacing: tuple[float, float, float]
) -> tuple[tuple[str | None, ...], bool]:
    """`letters` and `open` of a `Doubt`, from the axis of the spine and the one across slices."""
    if up == slices:  # the slices of a true axial scan
        return (None, None, None), False
    if slices is None and pieces is not None:
        slices = pieces.narrow(up)
    if up is None or slices is None:
        known = {up: "S", slices: "R"}
        return tuple(known.get(axis) for axis in range(3)), True
    axes = (slices, 3 - up - slices, up)
    signs = (int(slices == 0), *(pieces.bend(axes, spacing) if pieces is not None else (0, 0)))
    letters = [AXCODES[one][1 if sign >= 0 else 0] for one, sign in enumerate(signs)]
    return tuple(letters[axes.index(axis)] for axis in range(3)), not all(signs)


def _lies(image: np.ndarray, spacing: tuple[float, float, float]) -> bool:
    """Whether the body ends along the up-down axis, and goes on along the front-back axis."""
    if min(n * edge for n, edge in zip(image.shape[1:], spacing[1:], strict=True)) < FIELD_MM:
        return False
    bright = np.percentile(np.abs(image), 90)
    ends = []
    for axis in (1, 2):
        planes = np.moveaxis(image, axis, 0)
        thick = max(1, round(len(planes) / 50))
        ends.append(
            [np.abs(some).mean(dtype=np.float64) for some in (planes[:thick], planes[-thick:])]
        )
    return min(ends[0]) >= BODY * bright > 0 and max(ends[1]) <= AIR * bright


def _turned(image: np.ndarray, spacing: tuple[float, float, float]) -> bool:
    """Whether the detail of the middle slices lies in the front part of a field that has room."""
    count, depth = image.shape[:2]
    if depth * spacing[1] < DEEP_MM or image.shape[2] * spacing[2] < FIELD_MM:
        return False
    middle = np.abs(image[count // 3 : max(count - count // 3, 1)]).mean(axis=0, dtype=np.float64)
    middle = np.minimum(middle, np.percentile(middle, 99))
    steps = np.diff(middle, axis=0)[:, 1:] ** 2 + np.diff(middle, axis=1)[1:] ** 2
    rows = steps.sum(axis=1)
    centre = rows @ (np.arange(len(rows)) + 0.5) / (float(rows.sum()) or 1.0) / len(rows)
    return bool(centre > 0.5 + DETAIL)


def _thick(spacing: tuple[float, float, float]) -> int | None:
    order = np.argsort(spacing)
    return int(order[2]) if spacing[order[2]] >= THICK * spacing[order[1]] else None


def _few(shape: tuple[int, ...]) -> int | None:
    order = np.argsort(shape)
    return int(order[0]) if FEW * shape[order[0]] <= shape[order[1]] else None


def _in_file(letters: tuple[str | None, ...], grid: FileGrid) -> tuple[str | None, ...]:
    """Letters of the canonical axes → those of the axes in the file."""
    opposite = {None: None} | {a: b for pair in AXCODES for a, b in (pair, pair[::-1])}
    return tuple(
        letters[int(world)] if sign > 0 else opposite[letters[int(world)]]
        for world, sign in grid.orientation
    )
