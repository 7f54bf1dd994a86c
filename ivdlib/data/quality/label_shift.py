"""Find labels that lie beside the discs although their affine is that of the scan.

Discs are nearly pure water; the marrow above and below them is half fat. Moved over a Dixon scan, a
mask of discs covers most water where it belongs.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import product

import numpy as np

REACH_MM = 8.0
"""How far the mask is moved; discs are about 10 mm high, so labels farther off are noticed too."""

LEAST_MM = 3.0
"""Labels that fit best this far away are reported. In 49 real crops the best place is within one
voxel of 1.25 mm, or as good as the given one."""

LEAST_GAIN = 0.05
"""... where the share of water (minus that of fat) within them is higher by this much."""

LEAST_INSIDE = 0.6
"""A place counts where this share of the mask lies within the scan."""


def find_label_shift(
    contrasts: Mapping[str, np.ndarray], spacing: tuple[float, float, float], discs: np.ndarray
) -> tuple[float, float] | None:
    """Find out whether labels would fit better elsewhere.

    Left and right are not looked at: there discs end in muscle, which is water too. Nothing can be
    said where `wat` and `fat` stand exchanged (`ivdlib.data.quality.exchange`).

    Parameters
    ----------
    contrasts : mapping of str to ndarray
        `wat` and `fat`, 3-D, canonical (RAS+).
    spacing : tuple of 3 floats
        Voxel edges in mm.
    discs : ndarray of bool
        All labelled discs.

    Returns
    -------
    tuple of two floats or None
        How far (mm) the labels would have to move forwards and upwards; where they lie farther off
        than `REACH_MM` only the direction is to be trusted. None if they fit as they are.
    """
    places = np.argwhere(discs)
    if not len(places):
        return None
    wat, fat = (np.asarray(contrasts[name], dtype=np.float32) for name in ("wat", "fat"))
    light = np.abs(wat) + np.abs(fat)
    # neither wins where there is no signal; in which unit there is some must not matter
    water = np.divide(wat - fat, light, out=np.zeros_like(light), where=light > 0)
    limits = [int(round(REACH_MM / edge, 4)) for edge in spacing[1:]]
    scores = {
        (j, k): _covered(water, places, (0, j, k))
        for j, k in product(*(range(-n, n + 1) for n in limits))
    }
    j, k = max(scores, key=scores.__getitem__)
    forwards, upwards = j * spacing[1], k * spacing[2]
    far = round(np.hypot(forwards, upwards), 4) >= LEAST_MM
    return (forwards, upwards) if far and scores[j, k] > scores[0, 0] + LEAST_GAIN else None


def _covered(water: np.ndarray, places: np.ndarray, shift: tuple[int, int, int]) -> float:
    """Mean of `water` under the moved mask; -1 where too little of it stays within the scan."""
    moved = places + shift
    inside = ((moved >= 0) & (moved < water.shape)).all(axis=1)
    if inside.mean() < LEAST_INSIDE:
        return -1.0
    return float(water[tuple(moved[inside].T)].mean())
