"""Measure discs: volume, heights, depth, width, wedge angle, lordosis, signal.

Each disc is measured in its own frame, for along the image's axes a tilted disc seems a sixth too
tall. The frame comes from the *mid-sagittal slab*, 10 mm about the middle of the disc from left to
right: its axis is the thin way of the slab's section, its depth runs at right angles to it, from
the back to the front. Heights are thicknesses along the axis, mean over the slab.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from scipy import ndimage

from ivdlib.data.masks import check_spacing
from ivdlib.errors import DataError
from ivdlib.evaluation.disc_chain import thin_axis
from ivdlib.evaluation.metrics import at_edge

SECTION_SLAB_MM = 10.0
"""Width of the mid-sagittal slab."""

FRONT, MIDDLE, BACK = 0.9, 0.5, 0.1
"""Where heights are measured: shares of the depth, from the back."""

ABOUT_MM = 1.0
"""A height is the mean over so far to both sides."""

FACE = 0.15, 0.85
"""The faces are straight lines through this part of the depth: the rims curve."""

STEP_MM = 0.25
"""Of the lines along which a section is measured."""

SECTION_MM = 45.0, 25.0
"""Half the depth and half the height that a section may have."""

CONSISTENT = 0.1
"""Fat's share of the signal counts where in-phase is water and fat together, within this share."""


def measure(
    labels: np.ndarray,
    spacing: Sequence[float],
    contrasts: Mapping[str, np.ndarray] | None = None,
) -> list[dict[str, Any]]:
    """Measure every disc.

    Parameters
    ----------
    labels : ndarray of int, (slices, AP, SI)
        1, 2, … from caudal to cranial, 0 elsewhere; canonical axes. See `disc_chain.find_chain`.
    spacing : sequence of float
        Voxel edges in mm.
    contrasts : mapping of str to ndarray, same shape, optional
        For the signal.

    Returns
    -------
    list of dict
        One for each disc: `disc`; `volume_ml`; `height_front_mm`, `height_middle_mm`,
        `height_back_mm` (at 90, 50 and 10 % of the depth); `depth_mm`; `width_mm` (whole slices:
        exact to one); `wedge_deg` (between the faces, positive if the front is taller); `tilt_deg`
        (the axis forwards); `lower_face_deg`, `upper_face_deg` (front upwards, against the axial
        plane of the scanner); `farfan` ((front + back) / 2 over depth, Farfan 1972); `cut` (it
        meets an edge of the scan); `signal_X` for each contrast, mean; and `fat_share`, the signal
        of fat over that of fat and water where these make the in-phase image. That is no
        proton-density fat fraction: T1 and T2* are in it. Lengths are nan where the section is too
        small to measure.

    Raises
    ------
    DataError
        If the labels are no whole numbers of three axes, or the spacing does not fit.
    """
    labels = np.asarray(labels)
    if labels.ndim != 3 or labels.dtype.kind not in "iub":
        raise DataError("discs are measured on whole numbers over (slices, AP, SI).")
    spacing = check_spacing(spacing, 3)
    rows = []
    for number, box in enumerate(ndimage.find_objects(labels.astype(np.int32)), start=1):
        if box is None:
            continue
        wide = tuple(slice(max(s.start - 2, 0), s.stop + 2) for s in box)
        inside = labels[wide] == number
        whole = _of_whole(labels, number, box, spacing)
        row: dict[str, Any] = {"disc": number, "volume_ml": whole["volume_ml"]}
        row |= _section(inside, spacing)
        row |= {key: whole[key] for key in ("width_mm", "cut")}
        row |= _signal(inside, {name: image[wide] for name, image in (contrasts or {}).items()})
        rows.append(row)
    return rows


def _of_whole(
    labels: np.ndarray, number: int, box: tuple[slice, ...], spacing: Sequence[float]
) -> dict[str, Any]:
    """What needs no frame of the disc's own: `volume_ml`, `width_mm` and `cut`."""
    voxels = np.count_nonzero(labels[box] == number)
    return {
        "volume_ml": float(voxels * np.prod(spacing) / 1000),
        "width_mm": (box[0].stop - box[0].start) * spacing[0],
        "cut": at_edge(box, labels.shape),
    }


def lordosis_deg(rows: Sequence[Mapping[str, Any]], levels: Sequence[str]) -> float:
    """Angle between the upper plates of L1 and S1, in degrees; nan if a disc at one is missing.

    They are the lower faces of the discs T12/L1 and L5/S1. Lying: standing it is larger.
    """
    face = {level: row["lower_face_deg"] for level, row in zip(levels, rows, strict=True)}
    return float(face.get("T12/L1", np.nan) - face.get("L5/S1", np.nan))


# --- one section ----------------------------------------------------------------------------------


def _section(inside: np.ndarray, spacing: Sequence[float]) -> dict[str, float]:
    """Lengths and angles of a disc in its mid-sagittal slab."""
    names = ("height_front_mm", "height_middle_mm", "height_back_mm", "depth_mm", "wedge_deg",
             "tilt_deg", "lower_face_deg", "upper_face_deg", "farfan")  # fmt: skip
    share, middle = _slab(inside, spacing)
    plane = np.asarray(spacing[1:])
    if (frame := _frame(share, plane)) is None:
        return dict.fromkeys(names, float("nan"))
    axis, ahead, centre = frame
    u = np.arange(-SECTION_MM[0], SECTION_MM[0] + STEP_MM / 2, STEP_MM)
    w = np.arange(-SECTION_MM[1], SECTION_MM[1] + STEP_MM / 2, STEP_MM)
    spots = centre[:, None, None] + ahead[:, None, None] * u[:, None] + axis[:, None, None] * w
    found = ndimage.map_coordinates(share, spots / plane[:, None, None], order=1, mode="constant")
    thick = found.sum(axis=1) * STEP_MM
    deep = np.flatnonzero(found.max(axis=1) >= 0.5)
    if len(deep) < 2:
        return dict.fromkeys(names, float("nan"))
    back, front = u[deep[0]], u[deep[-1]]
    depth = front - back + STEP_MM
    heights = [
        float(thick[np.abs(u - (back + at * depth)) <= ABOUT_MM].mean())
        for at in (FRONT, MIDDLE, BACK)
    ]
    part = (u >= back + FACE[0] * depth) & (u <= back + FACE[1] * depth) & (thick > 0)
    if part.sum() < 2:
        return dict.fromkeys(names, float("nan"))
    between = (found[part] @ w) * STEP_MM / thick[part]
    lower, upper = (
        np.degrees(np.arctan(np.polyfit(u[part], between + side * thick[part] / 2, 1)[0]))
        for side in (-1, 1)
    )
    tilt = float(np.degrees(np.arctan2(*axis)))
    numbers = (*heights, depth, upper - lower, tilt, lower - tilt, upper - tilt,
               (heights[0] + heights[2]) / 2 / depth)  # fmt: skip
    return dict(zip(names, map(float, numbers), strict=True))


def _slab(inside: np.ndarray, spacing: Sequence[float]) -> tuple[np.ndarray, float]:
    """Mean over the mid-sagittal slab, (AP, SI), each slice by how much of it the slab holds."""
    edge = spacing[0]
    middle = float((np.nonzero(inside)[0].mean() + 0.5) * edge)
    starts = np.arange(len(inside)) * edge
    width = np.minimum(starts + edge, middle + SECTION_SLAB_MM / 2) - np.maximum(
        starts, middle - SECTION_SLAB_MM / 2
    )
    width = np.maximum(width, 0)
    return np.tensordot(width / width.sum(), np.float64(inside), axes=1), middle


def _frame(
    share: np.ndarray, plane: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray] | None:
    """Unit vectors (AP, SI) along the axis and to the front, and the centre in mm."""
    if share.sum() < 4:
        return None
    spots = np.argwhere(share > 0)
    weight = share[tuple(spots.T)]
    points = spots * plane
    centre = weight @ points / weight.sum()
    apart = points - centre
    spread = (apart * weight[:, None]).T @ apart / weight.sum()
    axis = thin_axis(spread)
    return axis, np.array([axis[1], -axis[0]]), centre


def _signal(inside: np.ndarray, contrasts: Mapping[str, np.ndarray]) -> dict[str, float]:
    """Mean signal of a disc, and fat's share of it."""
    core = ndimage.binary_erosion(inside, np.ones((1, 3, 3)))
    core = core if core.any() else inside
    found = {f"signal_{name}": float(np.mean(image[core])) for name, image in contrasts.items()}
    if not {"wat", "fat", "inn"} <= set(contrasts):
        return found
    water, fat, both = (np.float64(contrasts[name][core]) for name in ("wat", "fat", "inn"))
    sound = (np.abs(both - water - fat) <= CONSISTENT * both) & (both > 0)
    # Where most voxels do not hold the identity, the images are scaled apart and the share is none.
    if sound.mean() >= 0.5:
        found["fat_share"] = float(fat[sound].sum() / (water + fat)[sound].sum())
    return found
