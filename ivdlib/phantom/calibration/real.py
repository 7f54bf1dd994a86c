"""What is known of the real scans: statistics of their labels, grey values of a published slice."""

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
