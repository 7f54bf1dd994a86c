"""Masks whose scores are known in closed form."""

import numpy as np

SPACING = (2.0, 1.25, 1.25)


def cube(shape, start, size):
    mask = np.zeros(shape, bool)
    mask[tuple(slice(a, a + s) for a, s in zip(start, size, strict=True))] = True
    return mask


def ball(shape, spacing, centre_mm, radius_mm):
    grid = np.indices(shape) * np.reshape(spacing, (-1, 1, 1, 1))
    return ((grid - np.reshape(centre_mm, (-1, 1, 1, 1))) ** 2).sum(0) <= radius_mm**2


def plate(centre, half=(8, 10, 3), shape=(36, 100, 200)):
    mask = np.zeros(shape, bool)
    mask[tuple(slice(max(c - h, 0), c + h + 1) for c, h in zip(centre, half, strict=True))] = True
    return mask
