"""Labels of a case: onto the grid of its scan, and which values are disc and spine."""

from __future__ import annotations

import numpy as np

from ivdlib.data.alignment import axcodes_way, describe, difference_of, stored_otherwise
from ivdlib.data.case import DEFAULT_DISCS, Options
from ivdlib.data.case_files import CaseFiles
from ivdlib.data.geometry import LABEL_AFFINE_LIMIT_MM, resample_nearest
from ivdlib.data.header import qform_hint, without_geometry
from ivdlib.data.leftovers import instead
from ivdlib.data.nifti import Image
from ivdlib.data.remarks import Remarks
from ivdlib.errors import DataError

MOST_LOST = 0.1
"""Share of the labelled volume that may lie beyond the scan: labels of its border, and rounding."""

MOST_DISC = 0.5
"""Labels that fill more of a scan are not discs; 0.28 in the fullest of 49 crops round a disc."""


def labels_on_grid(
    case: str,
    word: str,
    image: Image,
    reference: Image,
    options: Options,
    remarks: Remarks,
) -> np.ndarray:
    """Labels on the voxels of the scan: as they are, or resampled by the affines."""
    declared = options.declared.axcodes
    found = difference_of(image, reference, declared)
    why = "" if found.same or without_geometry(reference) else without_geometry(image)
    if why:
        raise DataError(
            f"case {case}: {image.path.name} has no geometry of its own ({why}), so nothing says "
            "how it lies on the scan; look at it on the scan and write the scan's geometry into it."
        )
    if found.same:
        if difference_of(image, reference).turned:
            remarks.corrections.append(
                f"the axes of {word} are taken as dataset.json declares them, as those of the scan "
                "are, although their headers differ"
            )
        return image.array
    if options.label_grid == "affine":
        return _resampled(case, word, image, reference, found.corner_mm, remarks)
    hint = qform_hint(image, reference)
    if not found.alike or found.corner_mm > LABEL_AFFINE_LIMIT_MM:
        raise DataError(
            f"case {case}: {image.path.name} "
            f"{describe(found, image, reference, LABEL_AFFINE_LIMIT_MM)}{hint}; "
            f"{_ways_out(word, image, reference)}."
        )
    remarks.note(
        f"the affine of {word} is off by up to {found.corner_mm:.1f} mm{hint}, and they are read "
        "voxel by voxel",
        'look at them on the scan, and pass label_grid="affine" (--label-grid affine) if they lie '
        "wrong there",
    )
    return image.array


def _ways_out(word: str, image: Image, reference: Image) -> str:
    """What to do about labels that cannot be read voxel by voxel."""
    way = 'pass label_grid="affine" (--label-grid affine)'
    if stored_otherwise(image, reference):
        return (
            f"{way}, which turns them without loss, if that header is right, else write the "
            "geometry of the scan into it"
        )
    if declaring := axcodes_way(image, reference):
        return f"{declaring}, or {way} to resample them if each header is right"
    found = difference_of(image, reference)
    if found.turned and np.isfinite(found.corner_mm):
        provide = "write the geometry of the scan into it if their voxels correspond one by one"
    else:
        provide = f"provide {word} on the scan's grid"
    return f"{provide}, or {way} to resample them by the affines"


def _resampled(
    case: str, word: str, image: Image, reference: Image, off: float, remarks: Remarks
) -> np.ndarray:
    labels = resample_nearest(image.array, image.affine, reference.affine, reference.array.shape)
    if image.array.any() and not labels.any():
        raise DataError(
            f"case {case}: by the affines no voxel of {image.path.name} lies within the scan; "
            f"provide {word} of this scan."
        )
    before = np.count_nonzero(image.array) * abs(np.linalg.det(image.affine[:3, :3]))
    after = np.count_nonzero(labels) * abs(np.linalg.det(reference.affine[:3, :3]))
    if after < (1 - MOST_LOST) * before:
        remarks.note(
            f"by the affines {100 * (1 - after / before):.0f} % of {word} lie outside the scan",
            "look whether these labels and their header are those of this scan",
        )
    far = f"a corner {off:.1f} mm away" if np.isfinite(off) else f"{image.size} voxels"
    remarks.corrections.append(
        f"{word} have other axes than the scan: resampled by the affines, without loss"
        if stored_otherwise(image, reference)
        else f"{word} lie on another grid ({far}): resampled by the affines (nearest neighbour)"
    )
    return labels


def disc_and_spine_values(
    files: CaseFiles,
    labels: np.ndarray | None,
    spine_mask: np.ndarray | None,
    options: Options,
    remarks: Remarks,
) -> tuple[frozenset[int], frozenset[int]]:
    """Which values are disc and which are spine."""
    discs = options.discs or DEFAULT_DISCS
    if spine_mask is not None and not spine_mask.any():
        raise DataError(
            f"case {files.name}: {files.spine} is empty; provide the mask or remove it."
        )
    if labels is None:
        if options.labels_required:
            raise DataError(
                f"case {files.name} has no labels{instead(files, 'labels')}; "
                f"add {files.name}_Labels.nii[.gz] beside its scans."
            )
        return discs, options.spine or frozenset()
    found = label_values(labels)
    if not found & discs:
        raise DataError(
            f"case {files.name}: {files.labels} holds the values {in_words(found)} and none of the "
            f"disc values {in_words(discs)}; pass discs={{...}} (--discs) or declare them in "
            "dataset.json."
        )
    share = float(np.isin(labels, [*discs]).mean())
    if share > MOST_DISC:
        remarks.note(
            f"{100 * share:.0f} % of the scan is labelled as disc",
            "look at the labels (they may be inverted), and name other values with discs= "
            "(--discs) where these are not the discs",
        )
    if options.spine is not None or found <= discs or spine_mask is not None:
        return discs, options.spine or frozenset()
    remarks.note(
        f"labels hold the values {in_words(found)}: {in_words(discs)} is taken as disc and all of "
        "them as spine",
        "pass discs= and spine= (--discs, --spine), or declare both in dataset.json",
    )
    return discs, found


def label_values(labels: np.ndarray) -> frozenset[int]:
    """Values other than 0 in a uint8 array."""
    return frozenset(np.flatnonzero(np.bincount(labels.ravel())).tolist()) - {0}


MANY, SHOWN = 60, 4
"""More label values than that are not all written out, but the first so many."""


def in_words(values: frozenset[int]) -> str:
    """Label values for a sentence; of many the first ones, which are grey values mostly."""
    numbers = sorted(values)
    more = f" and {len(numbers) - SHOWN} more" if len(numbers) > MANY else ""
    return (", ".join(map(str, numbers[: SHOWN if more else None])) + more) or "0 only"
