"""A case in memory, and the options it was read with."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from ivdlib.data.dataset_notes import DatasetNotes, label_set
from ivdlib.data.geometry import spacing_mm
from ivdlib.data.orientation import FileGrid
from ivdlib.data.remarks import Remark
from ivdlib.errors import ConfigError

LABEL_GRIDS = ("voxel", "affine")
DEFAULT_DISCS = frozenset({1})


def labels_of(labels: np.ndarray, values: Collection[int]) -> np.ndarray:
    """Labels of these values, 0 elsewhere; shape and dtype stay."""
    return np.where(np.isin(labels, [*values]), labels, 0)


@dataclass(frozen=True, eq=False)
class Case:
    """One scan of one subject at one stage; arrays are canonical (RAS+, axis 0 = sagittal slices).

    Attributes
    ----------
    name, subject, stage : str
        `stage` is "" if unknown.
    contrasts : dict of str to ndarray
        float32, all of one shape, in the order of `contrasts.CONTRASTS`.
    affine : ndarray, (4, 4)
        Canonical voxels → world mm, with the declared correction.
    labels : ndarray or None
        uint8, the values of the file.
    disc_values, spine_values : frozenset of int
        Label values that are disc, and that belong to the spine.
    spine_mask : ndarray or None
        bool, from `<case>_Spine.nii[.gz]`.
    exact_mask : ndarray or None
        bool, from `<case>_Exact.nii[.gz]`: the discs as they are, where a phantom's `labels` hold a
        rater's errors. Never trained on; scored besides.
    derived : frozenset of str
        Contrasts that were computed from others instead of read.
    columns : dict of str to str
        Further columns of `subjects.csv`.
    sources : dict of str to Path
        The file of each contrast, of "labels", "spine" and "exact"; derived contrasts have none.
    subject_source : str
        "subjects.csv", "challenge table", the same with "inferred", or "case name".
    subject_question : str
        What must be asked before people are divided; "" where it is told who was scanned.
    dataset : dict
        The content of `dataset.json`.
    notes : tuple of Remark
        What was mended, derived or assumed; `load_cases` warns of them.
    corrections : tuple of str
        What was corrected because `dataset.json` or the caller said so; `load_cases` logs them.
    grid : FileGrid or None
        The file's own grid; None for a case that was made in memory.
    """

    name: str
    subject: str
    contrasts: dict[str, np.ndarray]
    affine: np.ndarray
    stage: str = ""
    labels: np.ndarray | None = None
    disc_values: frozenset[int] = DEFAULT_DISCS
    spine_values: frozenset[int] = frozenset()
    spine_mask: np.ndarray | None = None
    exact_mask: np.ndarray | None = None
    derived: frozenset[str] = frozenset()
    columns: dict[str, str] = field(default_factory=dict)
    sources: dict[str, Path] = field(default_factory=dict)
    subject_source: str = ""
    subject_question: str = ""
    dataset: dict[str, Any] = field(default_factory=dict)
    notes: tuple[Remark, ...] = ()
    corrections: tuple[str, ...] = ()
    grid: FileGrid | None = None

    @property
    def shape(self) -> tuple[int, int, int]:
        """Voxels: left–right, posterior–anterior, inferior–superior."""
        return next(iter(self.contrasts.values())).shape

    @property
    def spacing(self) -> tuple[float, float, float]:
        """Voxel edges in mm, in the order of `shape`."""
        return spacing_mm(self.affine)

    @property
    def discs(self) -> np.ndarray | None:
        """Mask (bool) of all discs; None without labels."""
        return None if self.labels is None else np.isin(self.labels, [*self.disc_values])

    @property
    def disc_numbers(self) -> np.ndarray | None:
        """Labels of the discs, 0 elsewhere: where each has its own, discs that touch stay apart."""
        return None if self.labels is None else labels_of(self.labels, self.disc_values)

    @property
    def spine(self) -> np.ndarray | None:
        """Mask (bool) of the spine; None if nothing but discs is labelled."""
        if self.spine_mask is not None or self.labels is None:
            return self.spine_mask
        if not np.isin(self.labels, [*(self.spine_values - self.disc_values)]).any():
            return None
        return np.isin(self.labels, [*self.spine_values])


@dataclass(frozen=True)
class Options:
    """How to read cases; the arguments of `cases.load_cases`, and what `dataset.json` declares."""

    discs: frozenset[int] | None = None
    spine: frozenset[int] | None = None
    derive_missing: bool = True
    labels_required: bool = False
    label_grid: str = "voxel"
    declared: DatasetNotes = field(default_factory=DatasetNotes)

    def __post_init__(self) -> None:
        """Check the values (label sets: DataError; label_grid: ConfigError)."""
        if self.label_grid not in LABEL_GRIDS:
            raise ConfigError(
                f"label_grid={self.label_grid!r} is unknown; choose {' or '.join(LABEL_GRIDS)}."
            )
        for name in ("discs", "spine"):
            values = label_set(getattr(self, name), name)
            object.__setattr__(self, name, values or getattr(self.declared, name))
