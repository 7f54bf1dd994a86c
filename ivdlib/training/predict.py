"""Apply trained networks to files: scans in, masks on the scans' own grid out."""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

from ivdlib import __version__
from ivdlib.data.case import Case
from ivdlib.data.remarks import Failures, Told
from ivdlib.errors import ConfigError, DataWarning, NothingFound
from ivdlib.evaluation.scoring import SUFFIX
from ivdlib.files import folder, sha256_file
from ivdlib.preprocessing import fusion
from ivdlib.progress import say, track
from ivdlib.training import engines, likeness, mask_files, shipped
from ivdlib.training.one_scan import Segmented, segment_case
from ivdlib.training.spine_of_scan import spine_beside
from ivdlib.training.to_segment import ScanToSegment, find_scans, images_for
from ivdlib.training.weights import Network

_T = TypeVar("_T")


@dataclass(frozen=True)
class Beside:
    """What is written beside each mask, before it.

    Attributes
    ----------
    suffixes : tuple of str
        Of its files, after the name of the case; if one is not there, the scan is done again.
    options : dict
        All that can change these files, fit for JSON.
    write : callable
        Gets the case, what was found, the folder, and what was warned of; may warn, too. Gives what
        the record shall say of it, fit for JSON.
    """

    suffixes: tuple[str, ...]
    options: dict[str, Any]
    write: Callable[[Case, Segmented, Path, list[list[str]]], dict[str, Any]]


def predict_folder(
    source: str | os.PathLike,
    weights: str | os.PathLike | Sequence[str | os.PathLike] = shipped.USUAL,
    out: str | os.PathLike = "discs",
    *,
    spine_weights: str | os.PathLike | None = None,
    use_region: bool = True,
    contrast: str | None = None,
    derive_missing: bool = True,
    clip: float | None = None,
    mirror: bool = False,
    specks: float | None = None,
    engine: str = "auto",
    precision: str = "float32",
    beside: Beside | None = None,
) -> Iterator[Path]:
    """Segment the discs of scans and write ``CASE_Discs.nii.gz`` for each.

    Parameters
    ----------
    source : path
        A folder of cases, the folder of one case, or one NIfTI file; `dataset.json` as for
        `cases.load_case`. Labels are not needed.
    weights : path or str, or a sequence of them
        Of the disc network, see `save_weights`; or a name, see `shipped.find`. Of several networks,
        such as those of all folds, the probabilities are averaged.
    out : path
        Folder, made if there is none.
    spine_weights : path, optional
        Of the spine network. Default: that of the same experiment, which the passport names, for
        each network for discs its own.
    use_region : bool, default True
        Without it the spine stage is skipped although the network was trained with it.
    contrast : str, optional
        One image, e.g. ``"wat"`` or ``"wat+opp"``, even one that the network was not trained on.
        Default: the probability is averaged over all images of the scan that it was trained on; one
        is enough.
    derive_missing : bool, default True
        See `cases.load_cases`; what is missing and cannot be derived is left out, with a warning.
    clip : float, optional
        Percentile at which the contrasts are clipped, see `fusion.clip`. Default: they are not, for
        the network was trained on the whole range; for scans with voxels that stretch it.
    mirror : bool, default False
        Segment each slice upside down, too, and average: twice the time, slightly better.
    specks : float, optional
        Pieces of the mask that hold less than this share of the largest one are left out, with a
        warning; 0 keeps all. Default: what the passport says, 0 for networks of an experiment: the
        paper leaves none out.
    engine, precision : str
        What runs both networks, see `engines.load_network`.
    beside : Beside, optional
        More files for each scan, such as those of `report.scan_page.discs_beside`.

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
    if specks is not None and not 0 <= specks <= 1:
        raise ConfigError(f"specks is a share from 0 to 1, not {specks}.")
    if clip is not None:
        fusion.clip({}, clip)  # refuses what is no percentile
    weights = [weights] if isinstance(weights, str | os.PathLike) else [*weights]
    paths = [*dict.fromkeys(map(shipped.find, weights))]
    networks = [_disc_network(path, engine, precision) for path in paths]
    scans = find_scans(Path(source), contrast, derive_missing)
    more = (spine_weights, engine, precision)
    spines = [
        spine_beside(network, path, *more) if use_region else None
        for network, path in zip(networks, paths, strict=True)
    ]
    cards = {path: network.passport for path, network in zip(paths, networks, strict=True)}
    cards |= {found[1]: found[0].passport for found in spines if found}
    if old := likeness.older(cards):
        warnings.warn(old, DataWarning, stacklevel=2)
    options = {  # all that can change a mask
        "contrast": contrast, "region": use_region, "derive_missing": derive_missing,
        "clip": clip, "mirror": mirror, "specks": specks, "engine": engine, "precision": precision,
        "beside": beside and [*beside.suffixes, beside.options],
    }  # fmt: skip
    by = {
        "ivdlib": __version__, "weights": [sha256_file(path) for path in paths],
        "spine_weights": [found and sha256_file(found[1]) for found in spines], "options": options,
    }  # fmt: skip
    network, *others = zip(networks, (found and found[0] for found in spines), strict=True)
    how = {"spine": network[1], "contrast": contrast, "mirror": mirror, "specks": specks,
           "others": others}  # fmt: skip

    def segment(scan: ScanToSegment, path: Path, source: dict[str, Any]) -> list[list[str]]:
        case = scan.load()
        if clip is not None:
            case = replace(case, contrasts=fusion.clip(case.contrasts, clip))
        for each in networks:  # before a folder is made
            images_for(each.passport["images"], case, contrast)
        folder(path.parent)
        found, warned = _heard(lambda: segment_case(network[0], case, **how))
        warned = [[DataWarning.__name__, f"{note}."] for note in case.notes] + warned
        known: dict[str, Any] = {}
        if beside:
            known, more = _heard(lambda: beside.write(case, found, path.parent, warned))
            warned += more
        mask_files.write_mask_file(case, found.mask, path, source, warned, known)
        return warned

    def missing(name: str) -> bool:
        return any(
            not Path(out, f"{name}{s}").is_file() for s in (beside.suffixes if beside else ())
        )

    told, failures, done, there = Told(), Failures(len(scans)), [], 0
    for scan in track(scans, "predicting"):
        path = Path(out) / f"{scan.name}{SUFFIX}"
        with failures.of(scan.name):
            made_from = by | scan.source()
            before = None if missing(scan.name) else mask_files.warned_of(path, made_from)
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


def _disc_network(path: Path, engine: str, precision: str) -> Network:
    network = engines.load_network(path, engine, precision)
    if network.passport["target"] != "disc":
        raise ConfigError(f"{path} is a network for the {network.passport['target']}; give one "
                          "for the discs.")  # fmt: skip
    return network


def _heard(act: Callable[[], _T]) -> tuple[_T, list[list[str]]]:
    """What `act` gives, and what it warned of in its case, once: category and text."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", DataWarning)
        result = act()
    for other in caught:
        if not issubclass(other.category, DataWarning):
            warnings.warn_explicit(other.message, other.category, other.filename, other.lineno)
    ours = [w for w in caught if issubclass(w.category, DataWarning)]
    told = dict.fromkeys((w.category.__name__, str(w.message)) for w in ours)  # by each network
    return result, [list(one) for one in told]
