"""Published heights of discs, to compare the phantom with."""

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
