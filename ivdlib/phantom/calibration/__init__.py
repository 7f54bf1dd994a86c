"""Measure a phantom the way the real scans were measured, and hold it against them.

`measure` gives tables of what is in the files, `targets` one row for each thing that was to be
reached. Nothing here changes the phantom.
"""

from ivdlib.phantom.calibration.measure import Measured, measure_phantom
from ivdlib.phantom.calibration.targets import targets

__all__ = ["Measured", "measure_phantom", "targets"]
