"""Measure a phantom the way the real scans were measured, and hold it against them.

`measure` gives tables of what is in the files, `targets` one row for each thing that was to be
reached. Nothing here changes the phantom.
"""

from ivdlib.phantom.calibration.measure import (
    Measured,
    drawn,
    measure_phantom,
    stages_beside,
    tissue_names,
)
from ivdlib.phantom.calibration.real import QUANTITIES, real_statistics
from ivdlib.phantom.calibration.targets import targets

__all__ = [
    "QUANTITIES",
    "Measured",
    "stages_beside",
    "drawn",
    "measure_phantom",
    "real_statistics",
    "targets",
    "tissue_names",
]
