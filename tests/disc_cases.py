"""Small cases in memory with a bright disc."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np

SHAPE = (10, 16, 14)


def make_case(subject, crop=None, stage=1, shape=SHAPE, seed=0):
    """A flat disc whose place depends on the crop and, by a voxel or so, on the patient."""
    rng = np.random.default_rng([seed, ord(subject), int(crop or 0), stage])
    height = shape[2] // 2 if crop is None else 3 + 4 * (int(crop) - 1)
    centre = np.array([shape[0] // 2, shape[1] // 2, height]) + rng.integers(-1, 2, 3) * [1, 1, 0]
    grid = np.indices(shape) - centre.reshape(3, 1, 1, 1)
    disc = (np.abs(grid[0]) <= 3) & (np.abs(grid[1]) <= 5) & (np.abs(grid[2]) <= 1)
    noise = rng.normal(0, 0.05, (2, *shape))
    images = {
        "wat": (0.7 * disc + 0.1 + noise[0]).astype(np.float32),
        "fat": (0.5 - 0.1 * disc + 3 * noise[1]).astype(np.float32),
    }
    return SimpleNamespace(
        name=f"{subject}{stage}_{crop or 0}",
        subject=subject,
        discs=disc,
        columns={} if crop is None else {"crop": crop},
        spacing=(2.0, 1.25, 1.25),
        contrasts=images,
    )
