"""What is known of real scans: statistics of labels, grey values of a slice, heights of discs."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from ivdlib.files import read_json

QUANTITIES = {
    "volume_ml": "volume (mL)",
    "max_transverse_area_mm2": "largest transverse area (mm²)",
    "z_extent_mm": "extent from below to above (mm)",
    "centre_spacing_z_mm": "distance to the next disc above (mm)",
}
"""Columns that were measured per level on the real labels and on the phantom's, with a title."""

PUBLISHED_CONTRASTS = {
    "marrow_disc_inn": (0.92, "marrow to disc, in phase"),
    "marrow_disc_opp": (0.22, "marrow to disc, opposed phase"),
    "marrow_disc_wat": (0.57, "marrow to disc, water image"),
    "marrow_fat": (0.46, "marrow in the fat image, to disc in the water image"),
    "disc_fat": (0.06, "disc in the fat image, to disc in the water image"),
}
"""Ratio of mean grey values in a slice that was published, and what it is the ratio of."""

HEIGHT_COLUMNS = {
    "height_mm": ("mean over its area", "labels of the real scans: volume over area, ± 15 %"),
    "height_front_mm": ("front", "three cohorts, smallest to largest mean"),
    "height_middle_mm": ("middle", "two cohorts, smaller to larger mean"),
    "height_back_mm": ("back", "two cohorts, smaller to larger mean"),
}
"""Columns of the truth with a name and what their ranges come from."""

_MEAN_MM = {
    "L5/S1": 10.4,
    "L4/5": 10.8,
    "L3/4": 10.7,
    "L2/3": 10.3,
    "L1/2": 8.7,
    "T12/L1": 7.4,
    "T11/12": 6.3,
}

HEIGHTS_MM = {
    "height_mm": {level: (0.85 * mm, 1.15 * mm) for level, mm in _MEAN_MM.items()},
    "height_front_mm": {
        "L5/S1": (12.4, 18.7),
        "L4/5": (10.9, 18.1),
        "L3/4": (9.3, 15.2),
        "L1/2": (6.9, 10.8),
    },
    "height_middle_mm": {"L5/S1": (11.1, 13.0), "L4/5": (12.0, 13.8), "L1/2": (7.9, 10.0)},
    "height_back_mm": {"L5/S1": (6.9, 8.5), "L4/5": (8.1, 10.1), "L1/2": (5.5, 7.3)},
}
"""Smallest and largest acceptable mean of a level; levels with one source only are left out."""


@cache
def real_statistics() -> dict[str, Any]:
    """Statistics of the labels of the 16 real scans; numbers only.

    Returns
    -------
    dict
        `source`, `assumption` (str); `levels` from caudal to cranial; for each of `QUANTITIES` the
        values of all scans by level; `foreground_percent`, `total_ml` and `slices_with_label`, one
        a scan; `z_index_range`, the lowest and the highest labelled index from below.
    """
    return read_json(Path(__file__).with_name("real_statistics.json"))


def band(quantity: str, level: str) -> tuple[float, float]:
    """Real mean minus and plus two standard deviations (of a sample) at a level."""
    values = real_statistics()[quantity][level]
    mean, spread = float(np.mean(values)), float(np.std(values, ddof=1))
    return mean - 2 * spread, mean + 2 * spread
