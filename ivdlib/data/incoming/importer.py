"""Import a folder as the scanner left it: whose scans, which contrast, in our layout.

`OUT/sub-001/sub-001_wat.nii.gz` … hold the images in the values of the scan; `OUT/subjects.csv` who
is who, in our numbers; `OUT/import.csv` and `import.json` what was taken for what and why, and what
was not. Beside OUT lie `OUT_key.csv`, which says which number is which patient, and
`OUT_left_out.csv`, with names of files as they are.
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from ivdlib.data.contrasts import CONTRASTS
from ivdlib.data.header import in_scanner_space
from ivdlib.data.incoming.frame import Patient, hider
from ivdlib.data.incoming.grouping import IncomingScan, scans_of
from ivdlib.data.incoming.import_records import (
    TABLE,
    read_done,
    rows_of,
    write_all_left,
    write_imported,
    write_left_out,
    write_people,
)
from ivdlib.data.incoming.named_files import find_named
from ivdlib.data.incoming.naming import doubts_about_people, name_scans, read_key, write_key
from ivdlib.data.incoming.series import find_series
from ivdlib.data.incoming.volume import LeftOut, Volume
from ivdlib.data.nifti import write_image
from ivdlib.data.remarks import NAMED
from ivdlib.errors import CannotWrite, ConfigError, DataError
from ivdlib.files import folder as make_folder
from ivdlib.progress import duration, track

TOGETHER_S = 120
"""In- and opposed-phase image may be two breath-holds; images that lie farther apart are told."""

OFTEN_S = 5.0
"""Seconds between two writings of the table."""


@dataclass
class Imported:
    """What an import did; no text in it names a patient.

    Attributes
    ----------
    scans : list of str
        One sentence each: what was taken for what, and why.
    there : int
        Scans that were there already.
    left : list of LeftOut
    warnings : list of str
    key : Path
    full : Path or None
        Table of all that was left out, with names of files as they are: it belongs with the key.
    """

    key: Path
    full: Path | None = None
    scans: list[str] = field(default_factory=list)
    there: int = 0
    left: list[LeftOut] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)

    @property
    def serious(self) -> list[LeftOut]:
        """What was left out and may belong to a scan."""
        return [one for one in self.left if one.serious]


def import_scans(
    source: str | os.PathLike, out: str | os.PathLike, key: str | os.PathLike | None = None
) -> Imported:
    """Bring DICOM or NIfTI files of a scanner into ivdlib's layout.

    Parameters
    ----------
    source : path
        Folder with DICOM files (classic or enhanced, of any depth and order), with NIfTI files
        under the scanner's names, or in BIDS.
    out : path
        Folder to fill: new, empty, or filled by an earlier import, which is gone on with.
    key : path, optional
        The table of who is who. Default: ``OUT_key.csv`` beside `out`.

    Returns
    -------
    Imported

    Raises
    ------
    DataError
        If `source` holds no Dixon image at all, or something cannot be written.
    ConfigError
        If the folders do not fit, or DICOM cannot be read because pydicom is not installed.
    """
    source, out = Path(source), Path(out)
    out = out if out.name else out.resolve()  # `.`
    key = Path(key) if key else out.with_name(f"{out.name}_key.csv")
    done = _claim(source, out, key)
    volumes, left = find_named(source)
    warned = []
    try:
        more, others = find_series(source)
    except ConfigError as error:
        if not volumes:
            raise
        more, others = [], []
        warned.append(f"files that may be DICOM were not looked at: {str(error).rstrip('.')}")
    volumes, left = volumes + more, left + others
    everybody = hider(set().union(*(who.secrets() for who in _patients(volumes, left))))
    scans, doubled = scans_of(volumes)
    known = read_key(key)
    refused = name_scans(scans, known)
    scans = [scan for scan in scans if scan not in refused]
    result = Imported(key, left=left + doubled + [_taken(scan) for scan in refused])
    result.warnings += [*warned, *doubts_about_people(scans)]
    if scans:
        make_folder(out)
        write_imported(out, done)  # an import was begun: the same call goes on with it
        write_key(key, scans, known)
    _write_all(scans, out, done, result)
    result.full = write_all_left(key.with_name(f"{out.name}_left_out.csv"), result.left)
    of = {volume.patient: scan.subject for scan in scans for volume in scan.images.values()}
    of.pop(Patient(), None)  # nobody's name: anybody's file
    result.left = [_hidden(x, everybody, of) for x in result.left]
    if not done:
        raise DataError(_nothing(source, result.left))
    write_people(out, scans)
    write_left_out(out, source, result.left)
    return result


def _write_all(
    scans: list[IncomingScan], out: Path, done: dict[str, list[dict[str, Any]]], result: Imported
) -> None:
    """Write what is not there; the table at most every `OFTEN_S` seconds, for it grows."""
    last = time.monotonic()
    try:
        for scan in track(scans, "importing"):
            rows, before = rows_of(scan), done.get(scan.case, [])
            others = [row for row in before if row["contrast"] not in scan.images]
            if [row for row in before if row not in others] == rows:
                result.there += 1
                continue
            if written := _write(scan, out, result):
                done[scan.case] = others + [row for row in rows if row["contrast"] in written]
                result.scans.append(_sentence(scan, written))
            if time.monotonic() - last > OFTEN_S:
                write_imported(out, done)
                last = time.monotonic()
    finally:
        if done:
            write_imported(out, done)


def _hidden(x: LeftOut, everybody: Callable[[str], str], of: dict[Patient, str]) -> LeftOut:
    """Hide whose it is, and say it in our words; of a known patient the own names are enough."""
    hide = _hider_of(x.patient) if x.patient not in (None, Patient()) else everybody
    whose = f" of {of[x.patient]}" if x.patient in of else ""
    return replace(x, what=hide(x.what) + whose, why=hide(x.why))


@cache
def _hider_of(who: Patient) -> Callable[[str], str]:
    return hider(who.secrets())


def _taken(scan: IncomingScan) -> LeftOut:
    """Say that a name of BIDS is another's."""
    why = f"another scan is called {scan.first.kept} there; import it into a folder of its own"
    return LeftOut(scan.first.label, why, True, scan.first.patient)


def _claim(source: Path, out: Path, key: Path) -> dict[str, list[dict[str, Any]]]:
    """Refuse folders that do not fit; give the rows of an earlier import by case."""
    if not source.is_dir():
        raise DataError(f"{source} is no folder; give the folder that holds the scanner's files.")
    here, there = out.resolve(), source.resolve()
    if here == there or there in here.parents or here in there.parents:
        raise ConfigError(f"{out} and {source} lie in one another; choose another folder to fill.")
    if here == key.resolve().parent or here in key.resolve().parents:
        raise ConfigError(
            f"the key {key} would lie within {out}, which it is to be kept apart from; name "
            "another place with --key."
        )
    if not (out / TABLE).is_file():
        if out.is_dir() and any(p for p in out.iterdir() if not p.name.startswith(".")):
            raise ConfigError(f"{out} is not empty and holds no import; choose another folder.")
        return {}
    done = read_done(out)
    if done and not key.is_file():
        raise ConfigError(
            f"{out} holds an import, but its key {key} is not there; say where it is with --key, "
            "or choose another folder: without it nobody knows which number is whose."
        )
    return done


def _patients(volumes: list[Volume], left: list[LeftOut]) -> set[Patient]:
    return {v.patient for v in volumes} | {who for x in left if (who := x.patient)}


def _write(scan: IncomingScan, out: Path, result: Imported) -> list[str]:
    """Write the images of a scan; give the contrasts that could be."""
    written = []
    for name in sorted(scan.images, key=CONTRASTS.index):
        volume = scan.images[name]
        try:
            array = volume.load()
            if not np.isfinite(array).all() or array.min() == array.max():
                raise DataError("its values are no image: all alike, or not finite.")
        except CannotWrite:
            raise
        except DataError as error:
            why = str(error).rstrip(".")
            for path in (path for path in volume.sources if path in why):
                why = why.replace(path, Path(path).name)
            what = f"{volume.label}, {name}"
            result.left.append(LeftOut(what, why, True, volume.patient))
            continue
        _save(array, volume.affine, out / scan.case / f"{scan.case}_{name}.nii.gz")
        written.append(name)
    if [v.by_echo for v in scan.images.values()] == [True]:
        name, volume = next(iter(scan.images.items()))
        result.warnings.append(
            f"{scan.case}: nothing but its echo time says that it is {name} ({volume.why}), and no "
            "other phase lies beside it; look whether it is a Dixon image at all"
        )
    if (apart := _seconds_apart([scan.images[name] for name in written])) > TOGETHER_S:
        result.warnings.append(
            f"{scan.case}: its images were acquired up to {duration(apart)} apart; look whether "
            "they belong together"
        )
    if said := _about_scaling([scan.images[name].facts for name in written]):
        result.warnings.append(f"{scan.case}: {said}")
    return written


def _seconds_apart(volumes: list[Volume]) -> float:
    """Seconds between the first and the last acquisition of a day; 0 if nobody says."""
    times = []
    for volume in volumes:
        if match := re.fullmatch(r"\d{8}(\d\d)(\d\d)(\d\d)(?:\.\d*)?", str(volume.order[0])):
            hours, minutes, seconds = map(int, match.groups())
            times.append(3600 * hours + 60 * minutes + seconds)
    return max(times) - min(times) if times else 0


def _about_scaling(facts: list[dict[str, Any]]) -> str:
    """Say that the values of a scan's images may not compare; empty if they do."""
    scaled = [bool(one.get("philips_scale_slope")) for one in facts]
    differ = len({one.get("slope") for one in facts}) > 1
    bare = not any(scaled) and differ and "philips" in str(facts[:1]).casefold()
    if len({*scaled}) > 1 or bare:
        return (
            f"{'none' if bare else 'only some'} of its images says how Philips scaled it, so their "
            "values do not compare; export them from the scanner again, with its private tags"
        )
    return ""


def _save(array: np.ndarray, affine: np.ndarray, path: Path) -> None:
    write_image(in_scanner_space(array, affine), path)


def _sentence(scan: IncomingScan, written: list[str]) -> str:
    said = []
    for name in written:
        volume = scan.images[name]
        number = volume.facts.get("series")
        said.append(f"{name} ({f'series {number}, ' if number else ''}{volume.why})")
    return f"{scan.case}: {', '.join(said)}"


def _nothing(source: Path, left: list[LeftOut]) -> str:
    first = sorted(left, key=lambda x: not x.serious)
    said = "; ".join(f"{x.what}: {x.why}" for x in first[:NAMED])
    more = f"; and {len(left) - NAMED} more" if len(left) > NAMED else ""
    return (
        f"{source} holds no Dixon image that could be told; look whether it is the right folder"
        f"{f' ({said}{more})' if said else ''}."
    )
