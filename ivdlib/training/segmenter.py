"""One scan of a job, from its files to its mask and all that is written beside it."""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from ivdlib import __version__
from ivdlib.data.case import Case
from ivdlib.errors import ConfigError, DataWarning
from ivdlib.evaluation.scoring import SUFFIX
from ivdlib.files import folder, sha256_file
from ivdlib.preprocessing import fusion
from ivdlib.training import engines, likeness, mask_files
from ivdlib.training.one_scan import Segmented, segment_case
from ivdlib.training.spine_of_scan import spine_beside
from ivdlib.training.to_segment import ScanToSegment, images_for
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


@dataclass(frozen=True)
class Job:
    """What is asked for of many scans: plain values, which travel to other processes.

    Attributes are those of `predict.predict_folder`; `weights` are paths.
    """

    weights: tuple[Path, ...]
    out: Path
    spine_weights: str | os.PathLike | None
    use_region: bool
    contrast: str | None
    derive_missing: bool
    clip: float | None
    mirror: bool
    specks: float | None
    engine: str
    precision: str
    beside: Beside | None

    def path(self, scan: ScanToSegment) -> Path:
        """Where the mask of a scan lies."""
        return self.out / f"{scan.name}{SUFFIX}"


class Answer(NamedTuple):
    """What became of a scan.

    Attributes
    ----------
    warned : list of [str, str]
        What was warned of, now or when the mask was made: category and text.
    there : bool
        All was there already.
    kept : list of str
        Files of somebody's that were moved aside, a sentence each.
    """

    warned: list[list[str]]
    there: bool = False
    kept: list[str] = []


class Segmenter:
    """The networks of a job, loaded once; called with a scan, it segments and writes it.

    Parameters
    ----------
    job : Job

    Attributes
    ----------
    older : str
        What is to be said of weights that are older than checksums.

    Raises
    ------
    ConfigError, DataError
        If weights cannot be used.
    """

    def __init__(self, job: Job) -> None:
        self.job = job
        how = (job.engine, job.precision)
        self.networks = [_disc_network(path, *how) for path in job.weights]
        spines = [
            spine_beside(network, path, job.spine_weights, *how) if job.use_region else None
            for network, path in zip(self.networks, job.weights, strict=True)
        ]
        cards = {p: n.passport for p, n in zip(job.weights, self.networks, strict=True)}
        cards |= {found[1]: found[0].passport for found in spines if found}
        self.older = likeness.older(cards)
        beside = job.beside
        options = {  # all that can change a mask
            "contrast": job.contrast, "region": job.use_region,
            "derive_missing": job.derive_missing, "clip": job.clip, "mirror": job.mirror,
            "specks": job.specks, "engine": job.engine, "precision": job.precision,
            "beside": beside and [*beside.suffixes, beside.options],
        }  # fmt: skip
        self.made_by = {
            "ivdlib": __version__, "weights": [sha256_file(path) for path in job.weights],
            "spine_weights": [found and sha256_file(found[1]) for found in spines],
            "options": options,
        }  # fmt: skip
        (_, spine), *others = zip(self.networks, (f and f[0] for f in spines), strict=True)
        self.how = {"spine": spine, "contrast": job.contrast, "mirror": job.mirror,
                    "specks": job.specks, "others": others}  # fmt: skip

    def __call__(self, scan: ScanToSegment) -> Answer:
        """Segment a scan, unless its mask was made from the same.

        Raises
        ------
        DataError, ConfigError
            As `predict.predict_folder`, of a scan.
        """
        path = self.job.path(scan)
        made_from = self.made_by | scan.source()
        beside = self.job.beside.suffixes if self.job.beside else ()
        if all(Path(self.job.out, f"{scan.name}{s}").is_file() for s in beside):
            before = mask_files.warned_of(path, made_from)
            if before is not None:
                return Answer(before, there=True)
        return self._segment(scan, path, made_from)

    def _segment(self, scan: ScanToSegment, path: Path, source: dict[str, Any]) -> Answer:
        job, case = self.job, scan.load()
        if job.clip is not None:
            case = replace(case, contrasts=fusion.clip(case.contrasts, job.clip))
        for each in self.networks:  # before a folder is made
            images_for(each.passport["images"], case, job.contrast)
        folder(path.parent)
        found, warned = _heard(lambda: segment_case(self.networks[0], case, **self.how))
        warned = [[DataWarning.__name__, f"{note}."] for note in case.notes] + warned
        known: dict[str, Any] = {}
        if beside := job.beside:
            known, more = _heard(lambda: beside.write(case, found, path.parent, warned))
            warned += more
        kept = mask_files.write_mask_file(case, found.mask, path, source, warned, known)
        return Answer(warned, kept=kept)


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
