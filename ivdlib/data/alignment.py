"""Whether the voxels of two files correspond: in words, with the cause and the ways out.

Millimetres alone do not tell: a thin slab and its mirror image have their corners a few mm apart.
"""

from __future__ import annotations

import numpy as np

from ivdlib.data.geometry import (
    AFFINE_TOLERANCE_MM,
    LIMIT_DEGREES,
    Difference,
    compare_grids,
    spacing_mm,
)
from ivdlib.data.header import qform_hint
from ivdlib.data.nifti import Image
from ivdlib.data.orientation import axcodes_of, declared_affine
from ivdlib.errors import DataError

Axcodes = tuple[str, str, str]
SIDES = {"L": "left-right", "P": "front-back", "I": "up-down"}
SIDES |= {"R": SIDES["L"], "A": SIDES["P"], "S": SIDES["I"]}


def difference_of(image: Image, reference: Image, declared: Axcodes | None = None) -> Difference:
    """Compare the grid of a file with that of another.

    Parameters
    ----------
    image, reference : Image
    declared : tuple of 3 str, optional
        Axes that all files have, whatever their headers say. They settle which header is right
        where the files agree apart from the directions: a file that was stored in another order has
        its first voxel in another corner.

    Returns
    -------
    Difference
    """
    shapes = image.array.shape, reference.array.shape
    found = compare_grids(image.affine, shapes[0], reference.affine, shapes[1])
    if found.turned and declared is not None:
        affines = (declared_affine(one.grid(declared)) for one in (image, reference))
        mended = compare_grids(next(affines), shapes[0], next(affines), shapes[1])
        return mended if mended.same else found
    return found


def check_same_grid(
    what: str, image: Image, reference: Image, declared: Axcodes | None, repair: str
) -> None:
    """Refuse a file that does not lie on the grid of another.

    Parameters
    ----------
    what : str
        The file, for the message: "case 01: contrast fat".
    image, reference : Image
    declared : tuple of 3 str or None
        See `difference_of`.
    repair : str
        What to do about it.

    Raises
    ------
    DataError
    """
    found = difference_of(image, reference, declared)
    if not found.same:
        said = f"{what} {describe(found, image, reference)}{qform_hint(image, reference)}"
        ways = axcodes_way(image, reference)
        raise DataError(f"{said}; {repair}{ways and ', or '}{ways}.")


def describe(
    found: Difference, image: Image, reference: Image, allowed_mm: float = AFFINE_TOLERANCE_MM
) -> str:
    """How the first file lies to the second: "lies mirrored (left-right): its axes run to …"."""
    name = reference.path.name
    turn = ""
    if found.turned:
        codes, others = axcodes_of(image.affine), axcodes_of(reference.affine)
        sides = [
            SIDES[code] for code, against in zip(codes, found.mirrored, strict=True) if against
        ]
        kind = (
            f"lies mirrored ({', '.join(sides)})"
            if found.axes == (0, 1, 2)
            else "has its axes in another order"
        )
        turn = f"{kind}: its axes run to {', '.join(codes)}, those of {name} to {', '.join(others)}"
    if not np.isfinite(found.corner_mm):
        size = f"has the shape {image.size}, but {name} has {reference.size}"
        return f"{size}, and {turn}" if turn else size
    if turn:
        return turn
    if found.degrees > LIMIT_DEGREES:
        return f"has its axes up to {found.degrees:.0f} degrees off those of {name}"
    if not found.alike:
        sizes = (
            " x ".join(f"{edge:.3g}" for edge in spacing_mm(one.affine))
            for one in (image, reference)
        )
        return f"has voxels of {next(sizes)} mm, {name} of {next(sizes)} mm"
    return (
        f"has another affine than {name}: a corner lies {found.corner_mm:.1f} mm away "
        f"(allowed: {allowed_mm:g} mm)"
    )


def axcodes_way(image: Image, reference: Image) -> str:
    """How declared axes would settle the difference of two headers; "" where they would not."""
    codes, others = axcodes_of(reference.affine), axcodes_of(image.affine)
    if (
        not difference_of(image, reference).turned
        or not difference_of(image, reference, codes).same
    ):
        return ""
    return (
        "if their voxels correspond one by one, declare the true axes in dataset.json "
        f'("axcodes": [{_quoted(codes)}] as {reference.path.name} says, or [{_quoted(others)}])'
    )


def stored_otherwise(image: Image, reference: Image) -> bool:
    """Whether a file holds the grid of another with its axes in another order or direction."""
    shape = reference.array.shape
    affine, straight = straightened(image.affine, image.array.shape, reference.affine, shape)
    return straight == shape and compare_grids(affine, shape, reference.affine).same


def straightened(
    affine: np.ndarray, shape: tuple[int, ...], other: np.ndarray, other_shape: tuple[int, ...]
) -> tuple[np.ndarray, tuple[int, ...]]:
    """Affine and shape of an array once its axes are turned and mirrored to those of another."""
    from nibabel.orientations import inv_ornt_aff

    found = compare_grids(affine, shape, other, other_shape)
    turn = np.column_stack([found.axes, np.where(found.mirrored, -1, 1)])
    return affine @ inv_ornt_aff(turn, shape), tuple(shape[n] for n in np.argsort(found.axes))


def _quoted(codes: Axcodes) -> str:
    return ", ".join(f'"{code}"' for code in codes)
