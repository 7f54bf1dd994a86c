"""The spine stage where networks are applied: which network, and what it makes of a scan."""

from __future__ import annotations

import os
import warnings
from contextlib import suppress
from pathlib import Path

import numpy as np

from ivdlib.data.case import Case
from ivdlib.errors import ConfigError, DataError, NothingFound
from ivdlib.links import need_content
from ivdlib.preprocessing.region import Region, region_of
from ivdlib.training import engines, inference
from ivdlib.training.weights import WEIGHTS, Network

LEAST_WIDTH_MM = 25.0
"""Mean depth, front to back, of a spine in the slice that shows most of it. In real scans of three
places it was 45 to 63 mm; in noise, in which the network finds specks of a column, 10."""


def region_of_scan(
    spine: Network, network: Network, case: Case, tile: tuple[int, int]
) -> tuple[Region, np.ndarray]:
    """Region of interest of a scan, as the passport of the disc network wants it, and the spine.

    Raises
    ------
    DataError
        If a network that is known to find spines finds none.

    Warns
    -----
    NothingFound
        If another network finds none.
    """
    use = network.passport  # what is done with the mask of the spine
    limits = use.get("gap", 0.0), use.get("tolerance", 0.0)
    known = {name: case.contrasts[name] for name in spine.passport["images"]
             if name in case.contrasts}  # fmt: skip
    contrasts = known or case.contrasts  # none: the one that was asked for
    factor = spine.passport["factor"]
    mask = inference.predict_spine(spine.model, contrasts, factor, case.spacing, *limits)
    _need_spine(spine, case, mask)
    margin, masked = use.get("margin", 15.0), use.get("mask", True)
    tolerance = use.get("tolerance", 0.0)
    return region_of(mask, case.shape, case.spacing, tile, margin, masked, tolerance), mask


def finds_spines(spine: Network | None) -> bool:
    """Whether a spine network is known to find spines: then what it does not find is not there."""
    return bool(spine and spine.passport.get("least_spine"))


def _need_spine(spine: Network, case: Case, mask: np.ndarray) -> None:
    """Refuse a scan in which nothing looks like a spine: discs found there would be none.

    Only a network that is known to find spines may say so; of others an empty mask is told.
    """
    if not finds_spines(spine) and not mask.any():
        warnings.warn(
            f"case {case.name}: the spine network found nothing, so the whole image is used; look "
            "at the result with care.",
            NothingFound,
            stacklevel=4,
        )
    rows = np.flatnonzero(mask.any(axis=(0, 1)))
    high = (rows[-1] + 1 - rows[0]) * case.spacing[2] if rows.size else 0.0
    largest = mask.sum(axis=(1, 2)).max() * case.spacing[1] * case.spacing[2]
    wide = largest / high if high else 0.0
    least = min(spine.passport.get("least_spine", 0.0), 0.5 * case.shape[2] * case.spacing[2])
    if high < least or (finds_spines(spine) and wide < LEAST_WIDTH_MM):
        what = (
            f"what looks most like one is {high:.0f} mm high and {wide:.0f} mm from front to back"
            if high
            else "nothing looks like one"
        )
        raise DataError(
            f"case {case.name}: no spine was found ({what}), so no mask is made; look at the scan "
            "and its axes with ivdlib check, or go without the spine stage (--no-region)."
        )


def spine_beside(
    network: Network,
    weights: Path,
    given: str | os.PathLike | None = None,
    engine: str = "auto",
    precision: str = "float32",
) -> tuple[Network, Path] | None:
    """Load the spine network of a disc network, quietly; None if it was trained without one.

    Parameters
    ----------
    network : Network
        Of the discs.
    weights : Path
        Its file: the spine network lies in the same experiment.
    given : path, optional
        Another file to take.
    engine, precision : str
        See `engines.load_network`.

    Returns
    -------
    (Network, Path) or None

    Raises
    ------
    DataError
        If the file is not there.
    ConfigError
        If it is a network for something else.
    """
    if given is None:
        if not network.passport.get("spine"):
            return None
        # Weights may have been renamed, be given by a link, or from within their own folder.
        homes = (Path(os.path.abspath(weights)), weights.resolve())
        places = [home.parent.parent / network.passport["spine"] for home in homes]
        places = [place / name for place in places for name in (weights.name, WEIGHTS)]
        given = next((place for place in places if place.is_file()), places[1])
        if not weights.is_absolute():
            with suppress(ValueError):  # on Windows, from another disk
                given = Path(os.path.relpath(given))
        need_content(given)
        if not given.is_file():
            raise DataError(
                f"{weights} needs the spine network of its experiment, and {given} is not there; "
                "give --spine-weights FILE, or --no-region to go without."
            )
    spine = engines.load_network(given, engine, precision)
    if spine.passport["target"] != "spine":
        raise ConfigError(f"{given} is not a network for the spine.")
    return spine, Path(given)
