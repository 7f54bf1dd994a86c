"""Grey values of tissues, measured inside them where partial volume does not reach.

Arrays are canonical: axis 1 runs from the back to the front.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from scipy import ndimage

from ivdlib.errors import DataError

DISC = ("nucleus", "nucleus_intermediate", "nucleus_dry", "annulus")
"""Tissues of a disc within its dark rim, where a region of interest is drawn."""
ENOUGH = 200
"""A region that keeps this many voxels is measured without its outermost voxels."""
SKIN_FAT_MM = 20.0
"""Fat no deeper than this behind the skin counts as fat under the skin."""
AIR_GAP_MM = 12.0
"""Air is measured where it lies at least this far from the body, front to back."""
MIDDLE_MM = 8.0
"""Tissues are measured this far to either side of the discs' middle: the published values are those
of one slice near it, and muscle or fat farther out lies nearer to the coil."""


def inner(mask: np.ndarray, near: np.ndarray) -> np.ndarray:
    """Part of a mask within `near`, without its outermost voxels where `ENOUGH` are left.

    If the volume is cut there is no surface.
    """
    core = ndimage.binary_erosion(mask, border_value=1) & near
    return core if np.count_nonzero(core) >= ENOUGH else mask & near


def tissue_regions(
    tissue: np.ndarray,
    names: Mapping[int, str],
    exact: np.ndarray,
    spine: np.ndarray,
    spacing: tuple[float, float, float],
) -> dict[str, np.ndarray]:
    """Find where to measure.

    Parameters
    ----------
    tissue : ndarray of int
        Code of the tissue that fills most of the voxel; 0 is air.
    names : mapping of int to str
        Tissue by code.
    exact, spine : ndarray of bool
        Labelled discs; bodies, discs and canal.
    spacing : tuple of 3 floats
        Voxel edges in mm.

    Returns
    -------
    dict of str to ndarray of bool
        `disc`: nucleus and inner annulus of the labelled discs; `marrow`: of the bodies between the
        lowest and the highest of them; `muscle`; `fat_back`, `fat_front`: under the skin; all of
        them near the middle slice; `air`.

    Raises
    ------
    DataError
        If no disc is labelled.
    """
    if not exact.any():
        raise DataError("the exact label is empty; make the phantom again.")
    behind, ahead = _depths(tissue, spacing[1])
    fat = _is(tissue, names, "fat")
    x, _, z = np.nonzero(exact)
    found = {
        "disc": _is(tissue, names, *DISC) & exact,
        "marrow": _is(tissue, names, "marrow") & spine,
        "muscle": _is(tissue, names, "muscle"),
        "fat_back": fat & (behind <= SKIN_FAT_MM),
        "fat_front": fat & (ahead <= SKIN_FAT_MM),
    }
    found["marrow"][..., : z.min()] = found["marrow"][..., z.max() + 1 :] = False
    off = np.abs(np.arange(len(exact)) - x.mean()) * spacing[0]
    near = (off <= max(MIDDLE_MM, spacing[0]))[:, None, None]
    found = {name: inner(mask, near) for name, mask in found.items()}
    found["air"] = (tissue == 0) & ((behind < -AIR_GAP_MM) | (ahead < -AIR_GAP_MM))
    return found


def _is(tissue: np.ndarray, names: Mapping[int, str], *wanted: str) -> np.ndarray:
    return np.isin(tissue, [code for code, name in names.items() if name in wanted])


def _depths(tissue: np.ndarray, step: float) -> tuple[np.ndarray, np.ndarray]:
    """How far (mm) each voxel lies within the skin of the back, and of the front; NaN beside."""
    body = tissue > 0
    here = body.any(axis=1, keepdims=True)
    first = np.argmax(body, axis=1)[:, None]
    last = body.shape[1] - 1 - np.argmax(body[:, ::-1], axis=1)[:, None]
    place = np.arange(body.shape[1], dtype=np.float32)[None, :, None]
    outside = np.where(here, np.float32(0), np.float32(np.nan))
    return (place - first) * step + outside, (last - place) * step + outside


_TO_DISC = {
    "marrow_disc_inn": ("inn", "marrow", "inn"),
    "marrow_disc_opp": ("opp", "marrow", "opp"),
    "marrow_disc_wat": ("wat", "marrow", "wat"),
    "marrow_fat": ("fat", "marrow", "wat"),
    "disc_fat": ("fat", "disc", "wat"),
    "muscle_wat": ("wat", "muscle", "wat"),
    "skin_fat": ("fat", "skin", "wat"),
}
"""What is measured against discs: in which image, where, and the image of the discs."""


def contrast_ratios(
    images: Mapping[str, np.ndarray], where: Mapping[str, np.ndarray]
) -> dict[str, float]:
    """Ratios of mean grey values, as they can be read off a published slice.

    Parameters
    ----------
    images : mapping of str to ndarray
        `wat`, `fat`, `inn`, `opp`.
    where : mapping of str to ndarray of bool
        See `tissue_regions`.

    Returns
    -------
    dict of str to float
        `marrow_disc_inn`, `marrow_disc_opp`, `marrow_disc_wat`: marrow to disc in one image;
        `marrow_fat`, `disc_fat`, `skin_fat`: in the fat image, to disc in the water image;
        `muscle_wat`: muscle to disc in the water image. NaN where a region is empty.
    """
    where = {**where, "skin": where["fat_back"] | where["fat_front"]}
    return {
        key: _over(_mean(images[image], where[region]), _mean(images[other], where["disc"]))
        for key, (image, region, other) in _TO_DISC.items()
    }


def receiver(in_phase: np.ndarray, where: Mapping[str, np.ndarray]) -> dict[str, float]:
    """Noise and unevenness of the in-phase image, which an exchange of water and fat leaves alone.

    Returns
    -------
    dict of str to float
        `noise_disc`: noise (standard deviation of one channel; in air a magnitude image has 1.253
        times that as its mean) to mean of disc; `back_front`: fat under the skin of the back to
        that of the front.
    """
    sigma = _mean(in_phase, where["air"]) / np.sqrt(np.pi / 2)
    back, front = (_mean(in_phase, where[f"fat_{side}"]) for side in ("back", "front"))
    return {
        "noise_disc": _over(sigma, _mean(in_phase, where["disc"])),
        "back_front": _over(back, front),
    }


def identities(images: Mapping[str, np.ndarray]) -> dict[str, float]:
    """Share of the voxels in which the contrasts add up to within one count.

    Voxels in which water or fat came out as 0 are left out: there a negative value was cut off.

    Returns
    -------
    dict of str to float
        `inn_holds`: inn = wat + fat; `opp_holds`: opp = |wat − fat|; NaN where no voxel is left.
    """
    wat, fat = images["wat"], images["fat"]
    whole = (wat > 0) & (fat > 0)
    sums = {"inn": wat + fat, "opp": np.abs(wat - fat)}
    return {
        f"{name}_holds": _mean(np.abs(images[name] - made) <= 1, whole)
        for name, made in sums.items()
    }


def _mean(image: np.ndarray, mask: np.ndarray) -> float:
    return float(image[mask].mean(dtype=np.float64)) if mask.any() else float("nan")


def _over(a: float, b: float) -> float:
    return a / b if b else float("nan")
