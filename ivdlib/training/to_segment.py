"""Scans that are to be segmented: found all at once, read one at a time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from ivdlib.data.case import Case, Options
from ivdlib.data.case_files import NO_WORD, CaseFiles, contrast_in_name
from ivdlib.data.contrasts import CONTRASTS, FUSED, parts
from ivdlib.data.dataset_notes import declared_beside
from ivdlib.data.dixon import derivable
from ivdlib.data.remarks import Remark
from ivdlib.data.scans import Scans, look
from ivdlib.errors import ConfigError, DataError
from ivdlib.files import sha256_file
from ivdlib.links import need_content


@dataclass(frozen=True)
class ScanToSegment:
    """One scan: files by contrast, axes that are declared, what reads it, files there twice.

    It holds nothing of other scans, and goes to other processes as it is.
    """

    name: str
    paths: dict[str, Path]
    axes: tuple[str, str, str] | None
    load: Callable[[], Case]
    repeated: tuple[str, ...] = ()

    def source(self) -> dict[str, Any]:
        """What the scan is: digests of its files, and its axes. Asked for before it is read.

        Raises
        ------
        DataError
            If nobody knows what it is: files are there several times.
        """
        if self.repeated:
            raise DataError(self.repeated[0])
        for path in self.paths.values():
            need_content(path)
        files = {word: sha256_file(path) for word, path in self.paths.items()}
        return {"files": files, "axes": self.axes and [*self.axes]}


def find_scans(source: Path, contrast: str | None, derive_missing: bool) -> list[ScanToSegment]:
    """Find the scans of a folder, or the one that a file is.

    Parameters
    ----------
    source : Path
    contrast, derive_missing
        As for `predict.predict_folder`.

    Returns
    -------
    list of Scan

    Raises
    ------
    DataError
        If the folder is at fault as a whole.
    ConfigError
        If several contrasts of a single file are asked for.

    Warns
    -----
    DataWarning
        Of files that are not read and look as if they should be.
    """
    if source.is_file():
        return [_single(source, contrast)]
    found = look(source, parts(contrast) if contrast else None, False,
                 derive_missing=derive_missing)  # fmt: skip
    found.say_left()
    axes = found.settings.declared.axcodes
    return [
        ScanToSegment(f.name, f.paths, axes, partial(_load, found.only(f), f, contrast), f.repeated)
        for f in found.files
    ]


def _load(found: Scans, files: CaseFiles, contrast: str | None) -> Case:
    """Read a scan; of one that is not whole, take the contrasts that are there, and say so."""
    able = found.settings.derive_missing
    made = derivable(files.contrasts, files.missing) if able else []
    lacking = [name for name in files.missing if name not in made]
    if contrast or not files.contrasts or not lacking:
        return found.load(files)
    case = found.load(replace(files, complete=True))
    what = (
        f"it has no {_and(lacking)}{', which cannot be derived' if able else ''}; the mask comes "
        f"from {_and([*case.contrasts])}"
    )
    return replace(case, notes=(*case.notes, Remark(what)))


def _and(words: list[str]) -> str:
    *first, last = words
    return f"{', '.join(first)} and {last}" if first else last


def _single(path: Path, contrast: str | None) -> ScanToSegment:
    """A scan of one file; its contrast is read from the name, ``01_wat.nii.gz``."""
    if contrast and len(parts(contrast)) > 1:
        raise ConfigError(
            f"{path} is a single file, which is one contrast, not {contrast}; give the folder of "
            "the case."
        )
    name, word = contrast_in_name(path)
    declared = declared_beside(path.parent, [], above=True)
    taken = contrast or word
    files = CaseFiles(name, {taken: path}, complete=True)
    alone = Scans((files,), {}, {}, Options(declared=declared), ())
    load = partial(_load_as, alone, files, taken, word)
    return ScanToSegment(name, files.paths, declared.axcodes, load)


def _load_as(alone: Scans, files: CaseFiles, taken: str, word: str) -> Case:
    """Read the scan that a file is, taken as a contrast whatever its name says."""
    case = alone.load(files)
    if word in {taken, NO_WORD}:
        return case
    what = f"the file is taken as {taken}, as was asked for, though its name says {word}"
    return replace(case, notes=(*case.notes, Remark(what, "look whether that is so")))


def images_for(known: Sequence[str], case: Case, contrast: str | None) -> tuple[str, ...]:
    """Images to predict from: the one asked for, else all that network and scan share.

    An image that nothing says the contrast of is taken by networks that know Dixon and others.

    Parameters
    ----------
    known : sequence of str
        What the network was trained on.
    case : Case
    contrast : str or None
        As in `predict.predict_folder`.

    Returns
    -------
    tuple of str

    Raises
    ------
    ConfigError
        If there is none.
    """
    together = any("&" in name for name in known)  # takes its channels together or not at all
    if contrast is None:
        any_kind = {*known} & {*CONTRASTS} and {*known} - {*CONTRASTS} - {*FUSED}
        taken = (*known, NO_WORD) if any_kind else known
        names = tuple(name for name in taken if parts(name) <= set(case.contrasts))
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
