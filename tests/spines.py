"""Masks of made-up spines: ellipsoids, each tilted, one above the other."""

import numpy as np

from ivdlib.evaluation.disc_names import DISC_NAMES, LOG_VOLUME, SPACING_MM, TILT

SPACING = (2.0, 1.25, 1.25)
SHAPE = (36, 112, 288)


def ellipsoid(shape, spacing, centre, tilt, half):
    """Voxels of a disc: `half` its half-axes left-right, along the depth, along its axis, in mm."""
    x, y, z = (np.arange(n) * s for n, s in zip(shape, spacing, strict=True))
    r = np.radians(tilt)
    y, z = np.meshgrid(y - centre[1], z - centre[2], indexing="ij")
    u, w = y * np.cos(r) - z * np.sin(r), y * np.sin(r) + z * np.cos(r)
    flat = (u / half[1]) ** 2 + (w / half[2]) ** 2
    return ((x - centre[0]) / half[0])[:, None, None] ** 2 + flat <= 1


def spine(first="L5/S1", count=7, shape=SHAPE, spacing=SPACING, start=40.0, turn=0.0, skip=()):
    """Labels 1, 2, … of discs from `first` upwards, each as large and tilted as usual."""
    labels, k = np.zeros(shape, np.uint8), DISC_NAMES.index(first)
    centre = np.array([36.0, 60.0, start])
    for number in range(1, count + 1):
        size = (12400 * np.exp(LOG_VOLUME[k]) / (4 / 3 * np.pi * 26 * 18)) / 1.0
        half = (26.0, 18.0, max(size, 2.5)) if k else (12.0, 9.0, 3.5)
        if number - 1 not in skip:
            labels[ellipsoid(shape, spacing, centre, TILT[k] + turn, half)] = number
        lean = np.radians((TILT[k] + TILT[k + 1]) / 2 + turn)
        centre = centre + SPACING_MM[k] * np.array([0, np.sin(lean), np.cos(lean)])
        k += 1
    return labels
