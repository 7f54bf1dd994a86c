"""NIfTI files under the scanner's names or in BIDS, with or without a sidecar of the header."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from ivdlib.data.file_words import bare, seems
from ivdlib.data.header import read_geometry
from ivdlib.data.incoming.frame import Frame, Patient, hider
from ivdlib.data.incoming.headers import (
    PROTON,
    SUPPRESSED,
    files_below,
    in_tesla,
    sequence_of,
)
from ivdlib.data.incoming.kinds import ImageKind, kind_of
from ivdlib.data.incoming.volume import LeftOut, Volume, as_small
from ivdlib.data.incoming.words import word_in
from ivdlib.data.nifti import read_image
from ivdlib.errors import DataError
from ivdlib.files import readable, sha256_file
from ivdlib.progress import track

_ENTITY = re.compile(
    r"(?<![^\W_])(?P<key>sub|ses|acq|rec|dir|run|echo|part|inv|space|desc)-(?P<value>[^_]+)", re.I
)
_TAIL = re.compile(r"(?:[_-]+(?:e?\d{1,4}[a-z]?|\d{8}|\d{14}))+$", re.I)
"""What dcm2niix adds: time, number of the series, echo, a letter if two files had one name."""

_WHO = re.compile(r"^sub[-_ ](?=.*[-_ ])", re.I)
"""What begins a name is the person, as in `sub_anna_water`, and no subtraction."""

_SAFE = re.compile(r"[A-Za-z0-9]+")
"""Labels of BIDS: what holds anything else may be a name."""

PARTS = {"phase": "a phase image", "real": "a real part", "imag": "an imaginary part"}
"""What BIDS calls by `part-`, apart from `part-mag`."""


def find_named(folder: Path) -> tuple[list[Volume], list[LeftOut]]:
    """Find the Dixon images among the NIfTI files of a folder, by name or by their sidecar.

    Parameters
    ----------
    folder : Path

    Returns
    -------
    list of Volume
    list of LeftOut
    """
    paths = [p for p in files_below(folder) if p.name.lower().endswith((".nii", ".nii.gz"))]
    frames = {path: _frame(path) for path in track(paths, "reading names")}
    echoes: dict[Path, set[float]] = defaultdict(set)
    for path, frame in frames.items():
        if frame.te_ms:
            echoes[path.parent].add(frame.te_ms)
    volumes: list[Volume] = []
    left: list[LeftOut] = []
    for path, frame in frames.items():
        where = readable(str(path.relative_to(folder)))
        kind = _kind(path, frame, echoes[path.parent])
        if not kind.contrast:
            left.append(LeftOut(where, kind.why, kind.unclear, frame.patient))
            continue
        try:
            volumes.append(_volume(path, folder, frame, kind))
        except DataError as error:
            why = str(error).replace(str(path), "it").rstrip(".")
            left.append(LeftOut(where, why, True, frame.patient))
    return volumes, left


def _kind(path: Path, frame: Frame, echoes: Iterable[float]) -> ImageKind:
    entities = _entities(path)
    if "derivatives" in (place.name for place in path.parents):
        return ImageKind("", "made of others (derivatives of BIDS)")
    if part := PARTS.get(entities.get("part", "").lower()):
        return ImageKind("", part)
    said = seems(path)
    if said and said[1] == "labels":
        return ImageKind("", "labels; copy them beside the images as CASE_Labels.nii.gz")
    # Values of entities stand for themselves: acq-dixon_rec-water is "dixon · water".
    texts = [*(entities[k] for k in ("rec", "acq", "desc") if k in entities), frame.description]
    kinds = [kind_of(replace(frame, description=text), echoes) for text in texts]
    for firm in (True, False):  # what a word says goes before what an echo time says
        for kind in kinds:
            by_word = kind.contrast and not kind.by_echo or kind.unclear
            silent = kind.unclear and kind.why.startswith("nothing says")
            if not silent and (by_word if firm else not (kind.by_echo and said)):
                return kind
    if said:  # the short words of scanners, at the end
        return ImageKind(said[1], "the file is called so")
    return ImageKind("", "neither its name nor a sidecar says which contrast it is; call it "
                     "…_wat, _fat, _inn or _opp", True)  # fmt: skip


def _frame(path: Path) -> Frame:
    """What name and sidecar say, as if it were a header."""
    said = _sidecar(path)
    te, tesla = _number(said.get("EchoTime")), in_tesla(_number(said.get("MagneticFieldStrength")))
    te = te and te * 1000  # BIDS has seconds
    number = _number(said.get("SeriesNumber"))
    patient = Patient(
        *(str(said.get(k, "")) for k in ("PatientID", "PatientName", "PatientBirthDate"))
    )
    words = said.get("ImageType")
    return Frame(
        file=path,
        patient=patient,
        number=int(number or 0),
        study=str(said.get("StudyInstanceUID", "")),
        description=_TAIL.sub("", _ENTITY.sub("", _WHO.sub("", readable(bare(path.name))))),
        maker=str(said.get("Manufacturer", "")),
        words=tuple(str(w).upper() for w in words) if isinstance(words, list) else (),
        sequence=sequence_of(_codes(said, "ScanningSequence"), te),
        suppressed=bool(_codes(said, "ScanOptions") & SUPPRESSED),
        te_ms=te,
        mhz=_number(said.get("ImagingFrequency")) or (tesla and tesla * PROTON),
        tesla=tesla,
        when=str(said.get("AcquisitionTime", "")),
    )


def _codes(said: Mapping[str, Any], name: str) -> set[str]:
    """Codes of an attribute, which dcm2niix joins: ``GR_IR``."""
    return {*re.split(r"[\W_]+", str(said.get(name, "")).upper())}


def _sidecar(path: Path) -> Mapping[str, Any]:
    try:
        found = json.loads((path.parent / f"{bare(path.name)}.json").read_text("utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _number(value: Any) -> float | None:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def _entities(path: Path) -> dict[str, str]:
    """What BIDS says in a name and in the folders above: sub, ses, acq, part, …."""
    found = {}
    for text in (*(p.name for p in reversed(path.parents[:3])), bare(path.name)):
        found |= {m["key"]: m["value"] for m in _ENTITY.finditer(readable(text))}
    return found


def _volume(path: Path, folder: Path, frame: Frame, kind: ImageKind) -> Volume:
    import nibabel as nib

    try:
        image = nib.load(path)
        shape = tuple(n for i, n in enumerate(image.shape) if i < 3 or n > 1)
    except Exception:  # whatever nibabel's parts raise: read_image says why
        image, shape = None, read_image(path).array.shape
    if image is None or len(shape) != 3:
        raise DataError(f"it is {len(shape)}-dimensional; split it into 3-D images")
    entities = _entities(path)
    where = path.parent.relative_to(folder).as_posix()
    who, study = frame.patient.number or frame.patient.name, frame.study
    kept, person, session = _bids(entities, frame.patient), "", ("", "")
    if kept:
        person = f"sub-{entities['sub']}"
        session = (kept.removeprefix(person), kept.removeprefix(person))
    elif who:
        person, session = who, (frame.when, study)
    # Names mean something within their folder alone: P1 of another one is somebody else.
    person = person if who and not kept else f"{folder.resolve()}/{person or where}"
    return Volume(
        contrast=kind.contrast, why=kind.why, by_echo=kind.by_echo, patient=frame.patient,
        person=person if kept or who else f"{person}/{_stem(path, frame, kind)}", session=session,
        order=(entities.get("run", ""), frame.when if kept or who else "", frame.number),
        label=readable(path.relative_to(folder).as_posix()), shape=shape,
        affine=read_geometry(image.header, shape, str(path)).affine,
        load=partial(_array, path), identity=sha256_file(path), kept=kept,
        facts={
            "series": frame.number or None, "manufacturer": frame.maker,
            "sequence": frame.sequence, "echo_time_ms": frame.te_ms, "field_t": frame.tesla,
            "slices": shape[2],
        },
        sources=(str(path),),
    )  # fmt: skip


def _bids(entities: Mapping[str, str], patient: Patient) -> str:
    """Name that a scan of BIDS keeps; empty if it is none, or names the patient."""
    parts = {k: entities[k] for k in ("sub", "ses", "run") if k in entities}
    name = "_".join(f"{k}-{value}" for k, value in parts.items())
    safe = "sub" in parts and all(_SAFE.fullmatch(value) for value in parts.values())
    return name if safe and hider(patient.secrets())(name) == name else ""


def _stem(path: Path, frame: Frame, kind: ImageKind) -> str:
    """What the names of one scan's files share: all but the word of the contrast and numbers."""
    name = readable(bare(path.name))
    if found := word_in(_TAIL.sub("", name)):
        _, start, end = found
        return _alike(f"{name[:start]} {_TAIL.sub('', name[end:])}")
    if (said := seems(path)) and said[1] == kind.contrast:
        return _alike(said[0])
    number = rf"[_-]+{frame.number}[a-z]?$" if frame.number else r"[_-]+e\d+$"
    return _alike(re.sub(number, "", name))


def _alike(name: str) -> str:
    return re.sub(r"[\W_]+", " ", name).strip()


def _array(path: Path) -> np.ndarray:
    return as_small(read_image(path).array)
