"""Apply trained networks to files: scans in, masks on the scans' own grid out."""

from __future__ import annotations

import math
import os
import warnings
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from ivdlib import __version__
from ivdlib.data.cases import Case
from ivdlib.data.remarks import Failures, Told
from ivdlib.errors import ConfigError, DataError, DataWarning, NothingFound
from ivdlib.evaluation.scoring import SUFFIX
from ivdlib.files import folder, sha256_file
from ivdlib.preprocessing import fusion
from ivdlib.preprocessing.fusion import images_of
from ivdlib.preprocessing.region import fits_one_tile
from ivdlib.preprocessing.resampling import on_plane, plane_for, resample
from ivdlib.progress import say, track
from ivdlib.training import engines, inference, likeness, mask_files, shipped
from ivdlib.training.spine_of_scan import region_of_scan, spine_beside
from ivdlib.training.to_segment import ScanToSegment, find_scans, images_for
from ivdlib.training.weights import Network

LEAST_ML = 1.0
"""A mask that holds less has found no disc: the smallest of the challenge's 112 holds 5 ml."""


MOST_PIXELS = 2048
"""Pixels a side that a slice may have for a network; at 1.25 mm that are two and a half metres."""


def predict_folder(
    source: str | os.PathLike,
    weights: str | os.PathLike = shipped.USUAL,
    out: str | os.PathLike = "discs",
    *,
    spine_weights: str | os.PathLike | None = None,
    use_region: bool = True,
    contrast: str | None = None,
    derive_missing: bool = True,
    clip: float | None = None,
    engine: str = "auto",
    precision: str = "float32",
) -> Iterator[Path]:
    """Segment the discs of scans and write ``CASE_Discs.nii.gz`` for each.

    Parameters
    ----------
    source : path
        A folder of cases, the folder of one case, or one NIfTI file; `dataset.json` as for
        `cases.load_case`. Labels are not needed.
    weights : path or str
        Of the disc network, see `save_weights`; or a name, see `shipped.find`.
    out : path
        Folder, made if there is none.
    spine_weights : path, optional
        Of the spine network. Default: that of the same experiment, which the passport names.
    use_region : bool, default True
        Without it the spine stage is skipped although the network was trained with it.
    contrast : str, optional
        One image, e.g. ``"wat"`` or ``"wat+opp"``, even one that the network was not trained on.
        Default: the probability is averaged over all images of the scan that it was trained on.
    derive_missing : bool, default True
        See `cases.load_cases`.
    clip : float, optional
        Percentile at which the contrasts are clipped, see `fusion.clip`. Default: they are not, for
        the network was trained on the whole range; for scans with voxels that stretch it.
    engine, precision : str
        What runs both networks, see `engines.load_network`.

    Yields
    ------
    Path
        Each mask: as it is written, or where it was there already. A mask has a record beside it,
        ``CASE_Discs.json``, and is made again where it was made from something else than is asked
        for now; one that is not as it was made is moved into the folder ``saved`` first.

    Raises
    ------
    SomeFailed
        At the end, where scans could not be used and were left out (each is warned of at once).
    DataError
        If the folder or the weights cannot be used, a mask cannot be written, or the only scan
        cannot be used.
    ConfigError
        If the engine cannot run, or the only scan has none of the images that the network was
        trained on and none was asked for.

    Warns
    -----
    NothingFound
        If a mask is empty or holds less than any disc, or the spine network found nothing; also
        of a mask that is there already.
    DataWarning
        Of what was mended, derived or assumed in a scan; where the image that was asked for, voxel
        size, field of view or the volume of the mask are unlike those of the training; of weights
        older than checksums; and of each scan that is left out.
    """
    engine = engines.need_engine(engine, precision)
    if clip is not None:
        fusion.clip({}, clip)  # refuses what is no percentile
    weights = shipped.find(weights)
    network = engines.load_network(weights, engine, precision)
    if network.passport["target"] != "disc":
        raise ConfigError(f"{weights} is a network for the {network.passport['target']}; give one "
                          "for the discs.")  # fmt: skip
    scans = find_scans(Path(source), contrast, derive_missing)
    more = (spine_weights, engine, precision)
    found = spine_beside(network, Path(weights), *more) if use_region else None
    spines = {found[1]: found[0].passport} if found else {}
    if old := likeness.older({weights: network.passport, **spines}):
        warnings.warn(old, DataWarning, stacklevel=2)
    options = {  # all that can change a mask
        "contrast": contrast, "region": use_region, "derive_missing": derive_missing,
        "clip": clip, "engine": engine, "precision": precision,
    }  # fmt: skip
    by = {
        "ivdlib": __version__, "weights": sha256_file(weights),
        "spine_weights": found and sha256_file(found[1]), "options": options,
    }  # fmt: skip
    spine = found and found[0]

    def segment(scan: ScanToSegment, path: Path, source: dict[str, Any]) -> list[list[str]]:
        case = scan.load()
        if clip is not None:
            case = replace(case, contrasts=fusion.clip(case.contrasts, clip))
        images_for(network.passport["images"], case, contrast)
        folder(path.parent)
        mask, warned = _heard(lambda: predict_case(network, case, spine=spine, contrast=contrast))
        warned = [[DataWarning.__name__, f"{note}."] for note in case.notes] + warned
        mask_files.write_mask_file(case, mask, path, source, warned)
        return warned

    told, failures, done, there = Told(), Failures(len(scans)), [], 0
    for scan in track(scans, "predicting"):
        path = Path(out) / f"{scan.name}{SUFFIX}"
        with failures.of(scan.name):
            made_from = by | scan.source()
            before = mask_files.warned_of(path, made_from)
            warned = segment(scan, path, made_from) if before is None else before
            there += before is not None
        if scan.name not in failures:
            for kind, text in warned:
                nothing = kind == NothingFound.__name__
                told.tell(scan.name, text, NothingFound if nothing else DataWarning)
            done.append(path)
            yield path
    told.tell_rest()
    if there:
        say(f"{there} masks were there already" if there > 1 else "1 mask was there already")
    again = "mend them and do the same again, which makes only what is not there"
    failures.raise_any(done, "segmented", again)


def _heard(act: Callable[[], np.ndarray]) -> tuple[np.ndarray, list[list[str]]]:
    """What `act` gives, and what it warned of in its case: category and text."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", DataWarning)
        result = act()
    for other in caught:
        if not issubclass(other.category, DataWarning):
            warnings.warn_explicit(other.message, other.category, other.filename, other.lineno)
    ours = [w for w in caught if issubclass(w.category, DataWarning)]
    return result, [[w.category.__name__, str(w.message)] for w in ours]


def predict_case(
    network: Network,
    case: Case,
    *,
    spine: Network | None = None,
    contrast: str | None = None,
) -> np.ndarray:
    """Segment the discs of one scan.

    Parameters
    ----------
    network : Network
        Of the discs.
    case : Case
        A scan, labels or not.
    spine : Network, optional
        Gives the region of interest; without it the network sees the whole image.
    contrast : str, optional
        As in `predict_folder`.

    Returns
    -------
    ndarray of bool, `case.shape`
        Canonical axes.

    Raises
    ------
    ConfigError
        As `predict_folder`.
    DataError
        If a network that is known to find spines finds none, or a network of several slices was
        trained on others, see `likeness.unlike`.

    Warns
    -----
    NothingFound, DataWarning
        As `predict_folder`.
    """
    names = images_for(network.passport["images"], case, contrast)
    _say_if_new(network, case, names)
    seen = _on_known_pixels(network, case)
    tile = tuple(network.passport["tile"])
    spine = None if fits_one_tile(seen.shape, tile) else spine
    for text in likeness.unlike(network.passport, spine and spine.passport, seen):
        warnings.warn(text, DataWarning, stacklevel=2)
    images = images_of(seen.contrasts, names, network.passport.get("neighbours", 0))
    region = spine and region_of_scan(spine, network, seen, tile)
    probabilities = inference.predict_images(network, images, region)
    mean = np.mean(list(probabilities.values()), axis=0)
    mean = mean if seen is case else resample(mean, case.shape[1:])
    mask = mean >= inference.THRESHOLD
    found_ml = mask.sum() * math.prod(case.spacing) / 1000
    if not mask.any() or found_ml < LEAST_ML:
        found = (
            f"the mask holds {found_ml:.2f} ml, less than any disc"
            if mask.any()
            else f"the mask is empty (the highest probability is {mean.max():.2f})"
        )
        warnings.warn(
            f"case {case.name}: no disc was found, {found}; look whether the scan is like those "
            "that the network was trained on: contrast, voxel size, axes.",
            NothingFound,
            stacklevel=2,
        )
    elif odd := likeness.odd_volume(network.passport, case, found_ml):
        warnings.warn(odd, DataWarning, stacklevel=2)
    return mask


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
        DataWarning,
        stacklevel=3,
    )
    return found


def _say_if_new(network: Network, case: Case, names: tuple[str, ...]) -> None:
    """Warn of an image that was asked for although the network never saw its like."""
    known = network.passport["images"]
    if new := [name for name in names if name not in known]:
        warnings.warn(
            f"case {case.name}: {', '.join(new)} is taken as it was asked for, but the network "
            f"was trained on {', '.join(known)} only; look at the mask with care.",
            DataWarning,
            stacklevel=3,
        )
