"""Segment one scan that is read: spine stage, images, networks, one mask."""

from __future__ import annotations

import math
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ivdlib.data.case import Case
from ivdlib.data.case_files import NO_WORD
from ivdlib.data.discs import clean_specks
from ivdlib.errors import AsUsual, DataError, DataWarning, NothingFound
from ivdlib.preprocessing.fusion import images_of
from ivdlib.preprocessing.region import Region, fits_one_tile
from ivdlib.preprocessing.resampling import on_plane, plane_for, resample
from ivdlib.training import inference, likeness
from ivdlib.training.spine_of_scan import finds_spines, region_of_scan
from ivdlib.training.to_segment import images_for
from ivdlib.training.weights import Network

LEAST_ML = 1.0
"""A mask that holds less has found no disc: the smallest of the challenge's 112 holds 5 ml."""

CROP_MM = 80.0
"""Longest side of a crop about one disc, in which no network can find a spine."""

MOST_PIXELS = 2048
"""Pixels a side that a slice may have for a network; at 1.25 mm that are two and a half metres."""


@dataclass(frozen=True)
class Segmented:
    """What networks make of one scan, on its own grid and in canonical axes.

    Attributes
    ----------
    mask : ndarray of bool
        Discs.
    probability : ndarray of float32
        Of disc: the mean over images and networks, before it was cut.
    votes : dict of str to ndarray of bool
        The mask that each image alone would give.
    spine : ndarray of bool or None
        None: the spine stage was skipped.
    """

    mask: np.ndarray
    probability: np.ndarray
    votes: dict[str, np.ndarray]
    spine: np.ndarray | None


def predict_case(network: Network, case: Case, **how: Any) -> np.ndarray:
    """Segment the discs of one scan: the mask of `segment_case`, which takes the same."""
    return segment_case(network, case, **how).mask


def segment_case(
    network: Network,
    case: Case,
    *,
    spine: Network | None = None,
    contrast: str | None = None,
    mirror: bool = False,
    specks: float | None = None,
    others: Sequence[tuple[Network, Network | None]] = (),
) -> Segmented:
    """Segment the discs of one scan.

    Parameters
    ----------
    network : Network
        Of the discs.
    case : Case
        A scan, labels or not.
    spine : Network, optional
        Gives the region of interest; without it the network sees the whole image.
    contrast, mirror, specks
        As in `predict.predict_folder`.
    others : sequence of (Network, Network or None)
        More networks for discs, each with its spine network: the mean of their probabilities is
        cut.

    Returns
    -------
    Segmented

    Raises
    ------
    ConfigError
        As `predict.predict_folder`.
    DataError
        If networks that are known to find spines and discs find none, or a network of several
        slices was trained on others, see `likeness.unlike`.

    Warns
    -----
    NothingFound, DataWarning
        As `predict.predict_folder`.
    """
    both = [(network, spine), *others]
    answers = [_answer(*pair, case, contrast, mirror) for pair in both]
    mean = np.mean([np.mean(list(images.values()), axis=0) for images, _ in answers], axis=0)
    share = network.passport.get("specks", 0.0) if specks is None else specks
    mask = _without_specks(case, mean >= inference.THRESHOLD, share)
    found_ml = mask.sum() * math.prod(case.spacing) / 1000
    if found_ml < LEAST_ML or not mask.any():
        _say_nothing(case, mask, found_ml, mean.max(), any(map(finds_spines, (s for _, s in both))))
    elif odd := likeness.odd_volume(network.passport, case, found_ml):
        warnings.warn(odd, DataWarning, stacklevel=2)
    votes = {
        name: np.mean([images[name] for images, _ in answers if name in images], axis=0)
        >= inference.THRESHOLD
        for name in answers[0][0]
    }
    return Segmented(mask, mean, votes, answers[0][1])


def _without_specks(case: Case, mask: np.ndarray, share: float) -> np.ndarray:
    """Leave out pieces that hold less than a share of the largest one, and say so."""
    if not share or (cleaned := clean_specks(mask, share=share)).sum() == mask.sum():
        return mask
    warnings.warn(
        f"case {case.name}: specks were left out, pieces that hold less than {share:g} times the "
        "largest one; --specks 0 keeps them.",
        AsUsual,
        stacklevel=3,
    )
    return cleaned


def _say_nothing(case: Case, mask: np.ndarray, ml: float, most: float, known: bool) -> None:
    """Refuse a scan in which networks that are known to find discs find none; of others, warn."""
    found = (
        f"the mask holds {ml:.2f} ml, less than any disc"
        if mask.any()
        else f"the mask is empty (the highest probability is {most:.2f})"
    )
    text = (
        f"case {case.name}: no disc was found, {found}; look whether the scan is like those that "
        "the network was trained on: contrast, voxel size, axes."
    )
    if known:
        raise DataError(text)
    warnings.warn(text, NothingFound, stacklevel=3)


def _answer(
    network: Network, spine: Network | None, case: Case, contrast: str | None, mirror: bool
) -> tuple[dict[str, np.ndarray], np.ndarray | None]:
    """Probability of disc by each image on the scan's own grid, and the spine."""
    names = images_for(network.passport["images"], case, contrast)
    _say_if_new(network, case, names)
    seen, region, body = scan_and_region(network, spine, case)
    images = images_of(seen.contrasts, names, network.passport.get("neighbours", 0))
    found = inference.predict_images(network, images, region)
    if mirror:
        turned = {name: image[:, :, ::-1] for name, image in images.items()}
        back = inference.predict_images(network, turned, region and region.upside_down())
        found = {name: (p + back[name][:, :, ::-1]) / 2 for name, p in found.items()}
    if seen is not case:
        found = {name: resample(p, case.shape[1:]) for name, p in found.items()}
        body = None if body is None else resample(body, case.shape[1:]) >= 0.5
    return found, body


def scan_and_region(
    network: Network, spine: Network | None, case: Case
) -> tuple[Case, Region | None, np.ndarray | None]:
    """What a network gets to see of a scan, before its images are made.

    Parameters
    ----------
    network, spine, case
        As for `segment_case`.

    Returns
    -------
    Case
        The scan, on pixels that the network knows; `case` itself if they are its own.
    Region or None
        None: the whole image.
    ndarray of bool, (slices, AP, SI), or None
        The spine; None without the spine stage.

    Raises
    ------
    DataError
        As `segment_case`.

    Warns
    -----
    NothingFound, DataWarning
        As `segment_case`.
    """
    seen = _on_known_pixels(network, case)
    tile = tuple(network.passport["tile"])
    spine = None if _is_crop(seen, spine, tile) else spine
    for text in likeness.unlike(network.passport, spine and spine.passport, seen):
        warnings.warn(text, DataWarning, stacklevel=4)
    region, body = region_of_scan(spine, network, seen, tile) if spine else (None, None)
    return seen, region, body


def _is_crop(case: Case, spine: Network | None, tile: tuple[int, int]) -> bool:
    """Whether a scan shows too little for the spine stage, or nothing that it could leave out."""
    sides = (s * n for s, n in zip(case.spacing[1:], case.shape[1:], strict=True))
    return fits_one_tile(case.shape, tile) and not (finds_spines(spine) and max(sides) > CROP_MM)


def _on_known_pixels(network: Network, case: Case) -> Case:
    """Bring the slices to the pixels that the network was trained on, and say so."""
    known = network.passport.get("spacing")
    plane = plane_for(case.shape, case.spacing, known) if known else case.shape[1:]
    if plane == case.shape[1:]:
        return case
    if max(plane) > MOST_PIXELS:
        field = " x ".join(
            f"{s * n:.0f}" for s, n in zip(case.spacing[1:], case.shape[1:], strict=True)
        )
        raise DataError(
            f"case {case.name}: by its header a slice is {field} mm large, which no scan is; look "
            "at the voxel sizes of the file."
        )
    found = on_plane(case, plane)
    sizes = (" x ".join(f"{edge:.3g}" for edge in one.spacing[1:]) for one in (case, found))
    warnings.warn(
        f"case {case.name}: its pixels of {' mm are brought to '.join(sizes)} mm, which the "
        "network was trained on, and the probabilities back before they are cut; slices stay as "
        "they are.",
        AsUsual,
        stacklevel=4,
    )
    return found


def _say_if_new(network: Network, case: Case, names: tuple[str, ...]) -> None:
    """Warn of an image that is taken although the network never saw its like, or may not have."""
    known = network.passport["images"]
    if not (new := [name for name in names if name not in known]):
        return
    what = (
        "nothing says which contrast the image is, so it is taken as it is: --contrast says it; "
        f"the network was trained on {', '.join(known)}"
        if new == [NO_WORD]
        else f"{', '.join(new)} is taken as it was asked for, but the network was trained on "
        f"{', '.join(known)} only"
    )
    warnings.warn(
        f"case {case.name}: {what}; look at the mask with care.", DataWarning, stacklevel=4
    )
