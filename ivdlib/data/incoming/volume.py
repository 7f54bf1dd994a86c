"""An image of a scan as it came: what it shows, what says so, where it lies, how it is read."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ivdlib.data.geometry import corner_displacement_mm
from ivdlib.data.incoming.frame import Patient

SAME_GRID_MM = 0.1
"""Images whose corners lie no farther apart are of one scan."""


@dataclass(frozen=True, eq=False)
class Volume:
    """One image, not read yet.

    Attributes
    ----------
    contrast, why : str
        See `kinds.ImageKind`.
    by_echo : bool
    patient : Patient
    person : str
        What tells people apart: the patient's number, else the name, else the study.
    session : tuple
        What tells visits apart, as it sorts: time and UID of the study.
    order : tuple
        When it was acquired: time, number of the series.
    variant : tuple of str
        Further values of its image type, such as those of a correction: ``ND``, ``NORM``.
    label : str
        What people call the series; it may name the patient.
    shape : (int, int, int)
    affine : ndarray, shape (4, 4)
        Voxel to scanner mm, RAS.
    load : callable
        Gives the array, in the values of the scan.
    identity : str
        What tells this image from all others, wherever it is found again.
    kept : str
        Name of the case that stays, for BIDS has no names of patients: ``sub-07_ses-2``.
    facts : dict
        What the record says of it: echo time, field, sequence, scaling.
    sources : tuple of str
        Files that it is made from.
    """

    contrast: str
    why: str
    by_echo: bool
    patient: Patient
    person: str
    session: tuple[str, str]
    order: tuple[Any, ...]
    label: str
    shape: tuple[int, int, int]
    affine: np.ndarray
    load: Callable[[], np.ndarray]
    identity: str = ""
    variant: tuple[str, ...] = ()
    kept: str = ""
    facts: dict[str, Any] = field(default_factory=dict)
    sources: tuple[str, ...] = ()

    def lies_like(self, other: Volume) -> bool:
        """Whether two images are on one grid."""
        if self.shape != other.shape:
            return False
        return corner_displacement_mm(self.affine, other.affine, self.shape) <= SAME_GRID_MM


def as_small(values: np.ndarray) -> np.ndarray:
    """Values as int16 if that is exact, else as float32."""
    if np.abs(values).max(initial=0) < 2**15:
        whole = values.astype(np.int16)
        if np.array_equal(whole, values):
            return whole
    return values.astype(np.float32, copy=False)


@dataclass(frozen=True)
class LeftOut:
    """Something in the folder that is no image of a scan.

    Attributes
    ----------
    what : str
        The series or the file; it may name the patient.
    why : str
    serious : bool
        Whether it may be an image that belongs to a scan: someone should look.
    patient : Patient, optional
        Whose it is, so that no message names them.
    """

    what: str
    why: str
    serious: bool = False
    patient: Patient | None = None
