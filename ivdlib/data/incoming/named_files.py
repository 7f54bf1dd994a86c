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
from ivdlib.data.incoming.frame import Frame, Patient
from ivdlib.data.incoming.headers import PROTON, files_below, in_tesla, sequence_of
from ivdlib.data.incoming.kinds import ImageKind, kind_of
from ivdlib.data.incoming.volume import LeftOut, Volume
from ivdlib.data.nifti import read_image
from ivdlib.errors import DataError
from ivdlib.files import readable
from ivdlib.progress import track

_ENTITY = re.compile(
    r"(?<![^\W_])(?P<key>sub|ses|acq|rec|dir|run|echo|part|inv|space|desc)-(?P<value>[^_]+)"
)
_NUMBERS = re.compile(r"(?:[_-]+e?\d{1,14}[a-z]?)+$", re.I)
"""What dcm2niix adds: number of the series, echo, a letter if two files had one name."""

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
            left.append(LeftOut(where, kind.why, kind.unclear))
            continue
        try:
            volumes.append(_volume(path, folder, frame, kind))
        except DataError as error:
            left.append(LeftOut(where, str(error).rstrip("."), True))
    return volumes, left


def _kind(path: Path, frame: Frame, echoes: Iterable[float]) -> ImageKind:
    entities = _entities(path)
    if part := PARTS.get(entities.get("part", "").lower()):
        return ImageKind("", part)
    if (said := seems(path)) and said[1] == "labels":
        return ImageKind("", "labels; copy them beside the images as CASE_Labels.nii.gz")
    # Values of entities stand for themselves: acq-dixon_rec-water is "dixon · water".
    texts = [*(entities[k] for k in ("rec", "acq", "desc") if k in entities), frame.description]
    for text in texts:
        found = kind_of(replace(frame, description=text), echoes)
        if found.contrast or not found.unclear:
            return found
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
        description=_ENTITY.sub("", _NUMBERS.sub("", readable(bare(path.name)))).strip("_"),
        maker=str(said.get("Manufacturer", "")),
        words=tuple(str(w).upper() for w in words) if isinstance(words, list) else (),
        sequence=sequence_of({*re.split(r"\W+", str(said.get("ScanningSequence", "")))}, te),
        te_ms=te,
        mhz=_number(said.get("ImagingFrequency")) or (tesla and tesla * PROTON),
        tesla=tesla,
        when=str(said.get("AcquisitionTime", "")),
    )


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
    person, session = entities.get("sub", ""), entities.get("ses", "")
    kept = "_".join(f"{k}-{entities[k]}" for k in ("sub", "ses") if k in entities)
    where = path.parent.relative_to(folder).as_posix()
    stem = _stem(path, kind)
    return Volume(
        contrast=kind.contrast, why=kind.why, by_echo=kind.by_echo, patient=frame.patient,
        person=f"sub-{person}" if person else f"{where}/{stem}", session=(session, ""),
        order=(entities.get("run", ""), frame.when if person else "", frame.number),
        label=readable(path.relative_to(folder).as_posix()), shape=shape,
        affine=read_geometry(image.header, shape, str(path)).affine,
        load=partial(_array, path), kept=kept,
        facts={
            "series": frame.number or None, "manufacturer": frame.maker,
            "sequence": frame.sequence, "echo_time_ms": frame.te_ms, "field_t": frame.tesla,
            "slices": shape[2],
        },
        sources=(str(path),),
    )  # fmt: skip


def _stem(path: Path, kind: ImageKind) -> str:
    """What the names of one scan's files share: the part before the word of the contrast."""
    name = _NUMBERS.sub("", readable(bare(path.name)))
    if kind.by_echo or kind.why.startswith("image type"):
        return name
    found = seems(path.with_name(f"{name}.nii"))
    return found[0] if found else ""


def _array(path: Path) -> np.ndarray:
    values = read_image(path).array
    whole = values.astype(np.int16) if np.abs(values).max(initial=0) < 2**15 else values
    return whole if np.array_equal(whole, values) else values
