"""Apply trained networks to files: scans in, masks on the scans' own grid out."""

from __future__ import annotations

import math
import os
import warnings
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from ivdlib import engines, inference
from ivdlib.assembly import about_headers
from ivdlib.cases import Case, load_case, load_cases, save_mask
from ivdlib.dixon import contrast_order, derivable
from ivdlib.errors import ConfigError, DataError, DataWarning, NothingFound
from ivdlib.files import folder
from ivdlib.fusion import parts
from ivdlib.layout import NO_WORD, contrast_in_name, find_cases
from ivdlib.links import need_content
from ivdlib.nifti import read_image
from ivdlib.orientation import canonical_affine, file_grid, to_canonical
from ivdlib.patches import Region, fits_one_tile
from ivdlib.progress import track
from ivdlib.scoring import SUFFIX
from ivdlib.sidecars import declared_beside
from ivdlib.spine_axes import check_axes

LEAST_ML = 1.0
"""A mask that holds less has found no disc: the smallest of the challenge's 112 holds 5 ml."""


def predict_folder(
    source: str | os.PathLike,
    weights: str | os.PathLike,
    out: str | os.PathLike,
    *,
    spine_weights: str | os.PathLike | None = None,
    use_region: bool = True,
    contrast: str | None = None,
    derive_missing: bool = True,
    engine: str = "keras",
    precision: str = "auto",
) -> Iterator[Path]:
    """Segment the discs of scans and write ``CASE_Discs.nii.gz`` for each.

    Parameters
    ----------
    source : path
        A folder of cases, the folder of one case, or one NIfTI file; `dataset.json` as for
        `cases.load_case`. Labels are not needed.
    weights : path
        Of the disc network, see `inference.save_weights`.
    out : path
        Folder, made where there is none.
    spine_weights : path, optional
        Of the spine network. Default: that of the same experiment, which the passport names.
    use_region : bool, default True
        Without it the spine stage is skipped although the network was trained with it.
    contrast : str, optional
        One image, e.g. ``"wat"`` or ``"wat+opp"``, even one that the network was not trained on.
        Default: the probability is averaged over all images of the scan that it was trained on.
    derive_missing : bool, default True
        See `cases.load_cases`.
    engine, precision : str
        What runs both networks, see `engines.on_engine`.

    Yields
    ------
    Path
        Each mask as it is written.

    Raises
    ------
    DataError
        Where a file cannot be used.
    ConfigError
        Where a scan has none of the images that the network was trained on and none was asked for,
        before anything is written; or where the engine cannot run.

    Warns
    -----
    NothingFound
        Where a mask is empty or holds less than any disc, or the spine network found nothing.
    DataWarning
        Where the image that was asked for is none that the network was trained on.
    """
    engines.check(engine, precision)
    network = inference.load_model(weights)
    if network.passport["target"] != "disc":
        raise ConfigError(f"{weights} is a network for the {network.passport['target']}; give one "
                          "for the discs.")  # fmt: skip
    cases = _cases(Path(source), contrast, derive_missing)
    for case in cases:  # refused before the first mask is written
        _image_names(network, case, contrast)
    found = spine_beside(network, Path(weights), spine_weights) if use_region else None
    network = engines.on_engine(network, weights, engine, precision)
    spine = found and engines.on_engine(*found, engine, precision)
    out = folder(out)
    for case in track(cases, "predicting"):
        mask = predict_case(network, case, spine=spine, contrast=contrast)
        path = out / f"{case.name}{SUFFIX}"
        save_mask(case, mask, path)
        yield path


def predict_case(
    network: inference.Network,
    case: Case,
    *,
    spine: inference.Network | None = None,
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

    Warns
    -----
    NothingFound, DataWarning
        As `predict_folder`.
    """
    names = _image_names(network, case, contrast)
    _say_if_new(network, case, names)
    images = inference.images_of(case.contrasts, names, network.passport.get("neighbours", 0))
    tile = tuple(network.passport["tile"])
    region = None
    if spine is not None and not fits_one_tile(case.shape, tile):
        region = _region(spine, network, case, tile)
    probabilities = inference.predict_images(network, images, region)
    mean = np.mean(list(probabilities.values()), axis=0)
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
    return mask


def _region(
    spine: inference.Network, network: inference.Network, case: Case, tile: tuple[int, int]
) -> Region:
    use = network.passport  # what is done with the mask of the spine
    limits = use.get("gap", 0.0), use.get("tolerance", 0.0)
    known = {name: case.contrasts[name] for name in spine.passport["images"]
             if name in case.contrasts}  # fmt: skip
    contrasts = known or case.contrasts  # none: the one that was asked for
    factor = spine.passport["factor"]
    mask = inference.predict_spine(spine.model, contrasts, factor, case.spacing, *limits)
    if not mask.any():
        warnings.warn(
            f"case {case.name}: the spine network found nothing, so the whole image is used; look "
            "at the result with care.",
            NothingFound,
            stacklevel=3,
        )
    margin, masked = use.get("margin", 15.0), use.get("mask", True)
    return inference.region_of(
        mask, case.shape, case.spacing, tile, margin, masked, use.get("tolerance", 0.0)
    )


def _image_names(network: inference.Network, case: Case, contrast: str | None) -> tuple[str, ...]:
    """Images to predict from: the one asked for, else all that network and scan share."""
    known = network.passport["images"]
    together = any("&" in name for name in known)  # takes its channels together or not at all
    if contrast is None:
        names = tuple(name for name in known if parts(name) <= set(case.contrasts))
    else:
        asked = next((n for n in known if set(n.split("+")) == set(contrast.split("+"))), contrast)
        possible = parts(asked) <= set(case.contrasts) and (asked in known or not together)
        names = (asked,) if possible else ()
    if not names:
        there = f"case {case.name} has the contrasts {', '.join(case.contrasts)}"
        lacking = sorted(parts(contrast) - set(case.contrasts)) if contrast else []
        if lacking:
            raise ConfigError(f"{there} and no {' and no '.join(lacking)}; name one that it has.")
        asked = f", and {contrast} was asked for" if contrast else ""
        other = "" if together else ", or name an image of the scan with --contrast to try it"
        raise ConfigError(
            f"{there}, but the network was trained on {', '.join(known)}{asked}; take weights that "
            f"fit the scan{other}."
        )
    return names


def _say_if_new(network: inference.Network, case: Case, names: tuple[str, ...]) -> None:
    """Warn of an image that was asked for although the network never saw its like."""
    known = network.passport["images"]
    if new := [name for name in names if name not in known]:
        warnings.warn(
            f"case {case.name}: {', '.join(new)} is taken as it was asked for, but the network "
            f"was trained on {', '.join(known)} only; look at the mask with care.",
            DataWarning,
            stacklevel=3,
        )


def spine_beside(
    network: inference.Network, weights: Path, given: str | os.PathLike | None = None
) -> tuple[inference.Network, Path] | None:
    """Load the spine network of a disc network; None where it was trained without one.

    Parameters
    ----------
    network : Network
        Of the discs.
    weights : Path
        Its file: the spine network lies in the same experiment.
    given : path, optional
        Another file to take.

    Returns
    -------
    (Network, Path) or None

    Raises
    ------
    DataError
        Where the file is not there.
    ConfigError
        Where it is a network for something else.
    """
    if given is None:
        if not network.passport.get("spine"):
            return None
        given = weights.parent.parent / network.passport["spine"] / weights.name
        need_content(given)
        if not given.is_file():
            raise DataError(
                f"{weights} needs the spine network of its experiment, and {given} is not there; "
                "give --spine-weights FILE, or --no-region to go without."
            )
    spine = inference.load_model(given)
    if spine.passport["target"] != "spine":
        raise ConfigError(f"{given} is not a network for the spine.")
    return spine, Path(given)


def _cases(source: Path, contrast: str | None, derive_missing: bool) -> list[Case]:
    if source.is_file():
        return [_single(source, contrast)]
    wanted = parts(contrast) if contrast else None
    options = {"derive_missing": derive_missing, "needed": wanted, "masks": False}
    found = find_cases(source)
    lacking = [f for f in found if {*f.missing} - {*derivable(f.contrasts, f.missing)}]
    try:
        return [load_case(source, **options)] if len(found) == 1 else load_cases(source, **options)
    except DataError as error:
        there = set.intersection(*({*f.contrasts} for f in found))
        if contrast or not there or not lacking:
            raise
        known = " or ".join(sorted(there, key=contrast_order))
        raise DataError(
            f"{str(error).rstrip('.')}, or segment from one image with --contrast {known}."
        ) from error


def _single(path: Path, contrast: str | None) -> Case:
    """A scan of one file; its contrast is read from the name, ``01_wat.nii.gz``."""
    if contrast and len(parts(contrast)) > 1:
        raise ConfigError(
            f"{path} is a single file, which is one contrast, not {contrast}; give the folder of "
            "the case."
        )
    name, word = contrast_in_name(path)
    if contrast and word not in {contrast, NO_WORD}:
        warnings.warn(
            f"{path} is taken as {contrast}, as was asked for, though its name says {word}; look "
            "whether that is so.",
            DataWarning,
            stacklevel=3,
        )
    image = read_image(path)
    axes = declared_beside(path.parent, [], above=True).axcodes
    grid = file_grid(image.array.shape, image.affine, image.header, axes)
    scan = to_canonical(image.array, grid)
    odd = about_headers({word: image}, axes)
    for text in [*odd, *check_axes(name, grid, scan, None, axes is not None)]:
        warnings.warn(f"{path}: {text}.", DataWarning, stacklevel=3)
    return Case(name, name, {contrast or word: scan}, canonical_affine(grid), grid=grid)
