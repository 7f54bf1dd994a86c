"""The discs of a scan, by name and measured: one row each, and what to doubt."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import ndimage

from ivdlib.data.masks import box_of, check_spacing
from ivdlib.evaluation.disc_chain import Chain, find_chain
from ivdlib.evaluation.disc_names import Names, name_chain
from ivdlib.evaluation.measurements import lordosis_deg, measure
from ivdlib.evaluation.metrics import at_edge

SPREAD = ("volume_ml", "height_front_mm", "height_middle_mm", "height_back_mm", "depth_mm",
          "wedge_deg")  # fmt: skip
"""Measurements that each vote gives, too."""

OWN_MM = 5.0
"""What a vote finds farther from a disc is none of it."""

REMNANT = 100
"""Number of the remnant S1/2 in `Discs.numbered`, for which 0 is not free."""


@dataclass(frozen=True)
class Discs:
    """The discs of a scan.

    Attributes
    ----------
    chain : Chain
    names : Names
    rows : list of dict
        One for each disc, caudal first: `level`, `second` (the likeliest other name), `from_sacrum`
        (1 is L5/S1), `uncertain`, what `measurements.measure` gives, and `spread_X` for those in
        `SPREAD`: the standard deviation of X between the votes.
    lordosis_deg : float
        See `measurements.lordosis_deg`.
    """

    chain: Chain
    names: Names
    rows: list[dict[str, Any]]
    lordosis_deg: float

    @property
    def numbered(self) -> np.ndarray:
        """Discs by their number from the sacrum, uint8; 1 is L5/S1, `REMNANT` is S1/2."""
        numbers = [0, *(n or REMNANT for n in self.names.from_sacrum)]
        return np.array(numbers, np.uint8)[self.chain.labels]


def find_discs(
    mask: np.ndarray,
    spacing: Sequence[float],
    contrasts: Mapping[str, np.ndarray] | None = None,
    votes: Mapping[str, np.ndarray] | None = None,
    lowest: str | None = None,
) -> Discs:
    """Find, name and measure the discs of a mask.

    Parameters
    ----------
    mask : ndarray of bool, (slices, AP, SI)
        Canonical axes.
    spacing : sequence of float
        Voxel edges in mm.
    contrasts : mapping of str to ndarray, optional
        Images, for the signal.
    votes : mapping of str to ndarray of bool, optional
        Masks of the same scan by each image alone.
    lowest : str, optional
        Name of the lowest disc, see `disc_names.name_chain`.

    Raises
    ------
    DataError
        If the mask or the spacing cannot be used.
    ConfigError
        If `lowest` is no name of a disc.
    """
    spacing = check_spacing(spacing, 3)
    chain = find_chain(mask, spacing)
    boxes = ndimage.find_objects(chain.labels)
    cut = [at_edge(one, chain.labels.shape) for one in boxes]
    names = name_chain(chain, lowest, cut)
    chain = chain.without_lowest(names.dropped)
    measured = measure(chain.labels, spacing, contrasts)
    spreads = _spreads(chain.labels, spacing, votes or {})
    rows = [
        {"level": level, "second": second, "from_sacrum": number, "uncertain": names.uncertain}
        | row | spread
        for level, second, number, row, spread in zip(
            names.levels, names.second, names.from_sacrum, measured, spreads, strict=True
        )
    ]  # fmt: skip
    return Discs(chain, names, rows, lordosis_deg(measured, names.levels))


def _spreads(
    labels: np.ndarray, spacing: tuple[float, ...], votes: Mapping[str, np.ndarray]
) -> list[dict[str, float]]:
    """Standard deviation of each measurement between the votes that found the disc."""
    count = int(labels.max())
    if len(votes) < 2 or not count:
        return [{} for _ in range(count)]
    margin = [int(np.ceil(OWN_MM / edge)) for edge in spacing]
    near = tuple(
        slice(max(s.start - m, 0), s.stop + m)
        for s, m in zip(box_of(labels > 0), margin, strict=True)
    )
    far, where = ndimage.distance_transform_edt(
        labels[near] == 0, sampling=spacing, return_indices=True
    )
    owner = np.where(far <= OWN_MM, labels[near][tuple(where)], 0)
    found: list[dict[str, list[float]]] = [{key: [] for key in SPREAD} for _ in range(count)]
    for vote in votes.values():
        for row in measure(np.where(vote[near], owner, 0), spacing):
            for key in SPREAD:
                found[row["disc"] - 1][key].append(row[key])
    return [
        {
            f"spread_{key}": float(np.nanstd(values)) if np.isfinite(values).sum() > 1 else np.nan
            for key, values in one.items()
        }
        for one in found
    ]
