"""Whether a scan, and the mask found in it, are like those that a network was trained on.

The passport of the network (see `passport`) keeps what is needed for that.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from ivdlib.errors import DataError

if TYPE_CHECKING:
    from ivdlib.data.cases import Case

WARNED, REFUSED = 0.05, 0.2
"""How far voxel edges and field of view may be off what was trained on, as a share."""

FEWER, MORE = 0.3, 3.0
"""A mask outside this many times the discs of the training labels is said."""

DISC_WIDTH_MM = 60.0
"""Discs are no wider: what a scan holds beside them adds nothing to the mask."""

OLDER = {
    "checksum": ("no checksum", "damage"),
    "spacing": ("no voxel size", "scans of another voxel size"),
}
"""What passports of older versions lack: key → its name, what is not noticed without it."""


def older(cards: Mapping[Any, Mapping[str, Any]]) -> str:
    """Say what cannot be noticed as the passports of these files are old; "" where none is."""
    lacking = {path: [key for key in OLDER if key not in card] for path, card in cards.items()}
    names = [str(path) for path, keys in lacking.items() if keys]
    words = [OLDER[key] for key in OLDER if any(key in keys for keys in lacking.values())]
    if not words:
        return ""
    lacks, unnoticed = (" and ".join(some) for some in zip(*words, strict=True))
    are, them = ("is", "it") if len(names) == 1 else ("are", "them")
    return (
        f"{' and '.join(names)} {are} of an older version with {lacks}, so {unnoticed} cannot be "
        f"noticed; train {them} again to have this."
    )


def of_scans(cases: Iterable[Case]) -> dict[str, Any]:
    """What a passport keeps of the scans that a network is trained on.

    Returns
    -------
    dict
        [least, most] over the scans: `spacing`, mm of a voxel along each canonical axis (a scan
        between two that were trained on is nothing new, so no mean); `slices`; `field`, mm of a
        slice along AP and SI; `disc_mm`, see `depth_mm`, where there are discs.
    """
    cases = list(cases)
    sizes = [[s * n for s, n in zip(c.spacing, c.shape, strict=True)][1:] for c in cases]
    volumes = [float(c.discs.sum() * math.prod(c.spacing) / 1000) for c in cases]
    depths = _span([[depth_mm(c, ml)] for c, ml in zip(cases, volumes, strict=True)])[0]
    return {
        "spacing": _span([c.spacing for c in cases]),
        "slices": [min(c.shape[0] for c in cases), max(c.shape[0] for c in cases)],
        "field": _span(sizes),
        **({"disc_mm": depths} if depths[1] > 0 else {}),
    }


def _span(rows: list) -> list[list[float]]:
    return [[round(float(f(column)), 4) for f in (min, max)] for column in zip(*rows, strict=True)]


def depth_mm(case: Case, ml: float) -> float:
    """Volume of the discs over the sagittal area of a scan, their mean depth: mostly 4 to 9 mm.

    It is nearly the same for whole scans, slabs of a few slices, and crops about one disc: what
    changes is the area, SI × LR, of which no more than `DISC_WIDTH_MM` counts.
    """
    return 1000 * ml / _area(case)


def _area(case: Case) -> float:
    left, _, up = (s * n for s, n in zip(case.spacing, case.shape, strict=True))
    return min(left, DISC_WIDTH_MM) * up


def unlike(card: Mapping[str, Any], spine: Mapping[str, Any] | None, case: Case) -> list[str]:
    """Say in what a scan is unlike those that networks were trained on: voxels, field of view.

    Parameters
    ----------
    card : mapping
        Passport of the disc network.
    spine : mapping or None
        Passport of the spine network, where one is used: it sees the whole slice then.
    case : Case

    Returns
    -------
    list of str
        Sentences for warnings; empty where nothing is odd, or the passports are older than this.

    Raises
    ------
    DataError
        If an edge of a pixel is off by `REFUSED` or more; the distance of slices too, for networks
        that see several.
    """
    texts = [*_spacing(card, case), *_spacing(spine or {}, case), *_field(spine or card, case)]
    return list(dict.fromkeys(texts))


def _spacing(card: Mapping[str, Any], case: Case) -> list[str]:
    known = [*card.get("spacing", [[s, s] for s in case.spacing])]
    if not card.get("neighbours"):  # it sees one slice at a time, however far the next one is
        known[0] = [case.spacing[0]] * 2
    near = [min(max(s, low), high) for s, (low, high) in zip(case.spacing, known, strict=True)]
    # Rounded: an edge that is off by exactly so much is, whatever the last digit of the header.
    off = max(round(abs(s / n - 1), 4) for s, n in zip(case.spacing, near, strict=True))
    if off < WARNED:
        return []
    spans = (f"{a:.4g}" if f"{a:.4g}" == f"{b:.4g}" else f"{a:.4g} to {b:.4g}" for a, b in known)
    what = (
        f"case {case.name}: its voxels are {_times(case.spacing)} (left-right, front-back, "
        f"up-down), and the network was trained on {' x '.join(spans)} mm"
    )
    repair = f"resample the scan to {_times(near)}, or take a network trained on its voxel size"
    if off >= REFUSED:
        raise DataError(f"{what}, so it would find next to nothing; {repair}.")
    return [f"{what}, which costs accuracy; {repair}."]


def _field(card: Mapping[str, Any], case: Case) -> list[str]:
    size: list[float] = [s * n for s, n in zip(case.spacing[1:], case.shape[1:], strict=True)]
    most, unit = [high for _, high in card.get("field", ())], "mm"
    if not most and card["target"] == "spine":  # older ones: the tile is the whole shrunken slice
        size, most = [*case.shape[1:]], [side * card["factor"] for side in card["tile"]]
        unit = "pixels"
    if all(round(s / m - 1, 4) < WARNED for s, m in zip(size, most, strict=False)):
        return []
    return [
        f"case {case.name}: its slices are {_times(size, unit)} (front-back, up-down), and the "
        f"{card['target']} network was trained on slices of up to {_times(most, unit)}; crop the "
        "scan to that about the spine, or look at the mask with care."
    ]


def _times(sizes: Iterable[float], unit: str = "mm") -> str:
    return " x ".join(f"{size:.4g}" for size in sizes) + f" {unit}"


def odd_volume(card: Mapping[str, Any], case: Case, ml: float) -> str:
    """Say that a mask of `ml` is far from what such networks find; "" where it is not.

    Measured is by the labels that the network was trained on, see `depth_mm`.
    """
    least, most = (depth * _area(case) / 1000 for depth in card.get("disc_mm", (ml, ml)))
    if "disc_mm" not in card or FEWER * least <= ml <= MORE * most:
        return ""
    return (
        f"case {case.name}: the mask holds {ml:.1f} ml, where the labels that the network was "
        f"trained on make {least:.3g} to {most:.3g} ml of disc likely for a scan of this size; "
        "look at the mask, and whether the scan is like those of the training."
    )
