"""Check every case of a folder and go on after a fault."""

from __future__ import annotations

import math
import os
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ivdlib.data import dixon
from ivdlib.data.assembly import assemble, read_case
from ivdlib.data.case import Case
from ivdlib.data.case_files import CaseFiles
from ivdlib.data.contrasts import CONTRASTS
from ivdlib.data.geometry import mixed_spacings
from ivdlib.data.labels import label_values
from ivdlib.data.nifti import Image
from ivdlib.data.orientation import axcodes_of, from_canonical
from ivdlib.data.quality.copies import Signature, find_twins, signature
from ivdlib.data.quality.exchange import Exchange, find_exchange
from ivdlib.data.quality.label_shift import find_label_shift
from ivdlib.data.quality.panels import Panel, panels_of
from ivdlib.data.remarks import Remarks
from ivdlib.data.scans import Scans, look
from ivdlib.data.subjects import Subject
from ivdlib.errors import DataError, why
from ivdlib.progress import track
from ivdlib.provenance import cores

MOST_THREADS = 4
"""Cases that are looked at side by side; each takes about 0.2 GB where a scan is of full size."""


@dataclass(frozen=True, eq=False)
class Checked:
    """What was found in a case.

    `row` as of `check_cases`, slices that show it, and the signature of each image.
    """

    row: dict[str, Any]
    panels: tuple[Panel, ...] = ()
    signed: dict[str, Signature | None] = field(default_factory=dict)


def check_cases(folder: str | os.PathLike, **options) -> list[dict[str, Any]]:
    """Check all cases of a folder without stopping at the first bad one.

    Parameters
    ----------
    folder : path
        As for `ivdlib.data.cases.load_cases`; also the folder of one case, with `subjects.csv` and
        `dataset.json` in it or one level above.
    **options
        `discs`, `spine`, `derive_missing`, `labels_required`, `label_grid` of `load_cases`.

    Returns
    -------
    list of dict
        One a case, sorted by name and ready for JSON. Every sentence of `errors` and `warnings`
        ends in its repair, after the last semicolon.

        - `case`, `subject`, `stage`, `subject_source`: str.
        - `contrasts`: list of the contrasts with a file; `derived`: list of those that were
          computed from others.
        - `shape` (3 ints), `spacing_mm` (3 floats): in canonical axes; null where the case does
          not load.
        - `axes`: where the axes of the files run to (["R", "P", "S"]), as `axcodes` of
          `dataset.json` or else the header says; null where no contrast can be read.
        - `labels`: list of the label values other than 0; `discs`: how many pieces they make,
          specks left out. Null without labels, `discs` also where the case does not load.
        - `copies`: list of [name set aside, name it is a copy of]; the order means nothing where
          `errors` says that it cannot be told.
        - `consistency`: see `dixon.consistency`, after copies were set aside; empty where the case
          does not load.
        - `exchange`: of water and fat, see `exchange.find_exchange`: `kind` ("none", "local",
          "whole"), `share` (of the body, 0 to 1) and `evidence` (dict of numbers); null where the
          case does not load, has no water and fat, or has contrasts under each other's names.
        - `label_shift`: how far, in mm forwards and upwards, the disc labels would have to move to
          lie on the discs; null where they fit, or nothing can be said.
        - `errors`, `warnings`, `corrections` (declared ones): lists of sentences.

    Raises
    ------
    DataError
        If the folder itself is at fault: missing, without scans, an unusable `subjects.csv` or
        `dataset.json`.
    ConfigError
        If `label_grid` is unknown.
    """
    return [checked.row for checked in examine(folder, **options)]


def examine(folder: str | os.PathLike, pictures: bool = False, **options) -> list[Checked]:
    """Do the work of `check_cases`; parameters and errors as there.

    Parameters
    ----------
    folder, **options
    pictures : bool, default False
        Keep slices of the cases with findings about their images.

    Returns
    -------
    list of Checked
    """
    from joblib import Parallel, delayed

    scans = look(folder, **options)
    jobs = (delayed(_check)(scans, files, pictures) for files in scans.files)
    # Threads, not processes: unpacking and NumPy let each other run, and nothing has to be sent.
    workers = min(cores(), MOST_THREADS, len(scans.files))
    pool = Parallel(workers, backend="threading", return_as="generator")
    checked = list(track(pool(jobs), "checking", len(scans.files)))
    people = {one.row["case"]: one.row["subject"] for one in checked}
    by_name = {one.row["case"]: one for one in checked}
    for twins in find_twins({name: one.signed for name, one in by_name.items()}, people):
        for name in twins.words:
            by_name[name].row["warnings"].append(twins.remark)
    edges = {name: one.row["spacing_mm"] for name, one in by_name.items() if one.row["spacing_mm"]}
    remark, names = mixed_spacings(edges)
    for name in names:
        by_name[name].row["warnings"].append(remark)
    return checked


def _check(scans: Scans, files: CaseFiles, pictures: bool) -> Checked:
    subject = scans.subjects.get(files.name, Subject("", "", ""))
    errors, declared = [*scans.faults.get(files.name, [])], scans.settings.declared
    images: dict[str, Image] = {}
    for word, path in files.paths.items():
        try:
            images[word] = read_case(word, path)
        except Exception as error:  # nothing about one file must hide the others
            errors.append(why(error) if isinstance(error, DataError) else f"{path}: {why(error)}")
    case, exchange, shift, numbers = None, None, None, {}
    remarks = Remarks()
    try:
        if files.contrasts and len(images) == len(files.paths):
            case = assemble(files, images, subject, scans.settings)
            remarks.notes.extend(case.notes)
            numbers = dixon.consistency(case.contrasts)
            if not _other_names(case, numbers, errors, remarks):
                exchange = _exchange(case, errors, remarks)
                shift = _label_shift(case, exchange, remarks)
    except Exception as error:
        about = "" if isinstance(error, DataError) else f"case {files.name}: "
        errors.append(f"{about}{why(error)}")
    labels = images.get("labels")
    read = {name: images[name].array for name in files.contrasts if name in images}
    signed = {name: signature(array) for name, array in read.items()}
    copies = _copies(read)
    axes = declared.axcodes or axcodes_of(images[next(iter(read))].affine) if read else None
    row = {
        "case": files.name,
        "subject": subject.subject,
        "stage": subject.stage,
        "subject_source": subject.source,
        "contrasts": list(files.contrasts),
        "derived": [] if case is None else [c for c in case.contrasts if c in case.derived],
        "shape": None if case is None else list(case.shape),
        "spacing_mm": None if case is None else [round(edge, 4) for edge in case.spacing],
        "axes": axes and [*axes],
        "labels": None if labels is None else sorted(label_values(labels.array)),
        "discs": None if case is None or case.discs is None else _count(case.discs),
        "copies": copies,
        "consistency": _finite(numbers),
        "exchange": None if exchange is None else _for_json(exchange),
        "label_shift": None if shift is None else [round(float(mm), 2) for mm in shift],
        "errors": errors,
        "warnings": remarks.notes,
        "corrections": [] if case is None else list(case.corrections),
    }
    if not pictures or not images or not (errors or set(remarks.notes) - {subject.note}):
        return Checked(row, signed=signed)
    swapped = exchange.map if exchange is not None and exchange.kind != "none" else None
    return Checked(row, panels_of(images, case, declared.axcodes, copies, swapped), signed)


def _other_names(
    case: Case, numbers: dict[str, float], errors: list[str], remarks: Remarks
) -> bool:
    """Say that an identity is broken; True where other names mend it, and these come first."""
    missed = dixon.broken(numbers)
    if not missed:
        return False
    sizes = " and ".join(
        f"{name} misses {dixon.FORMULAS[name]} by {100 * numbers[f'{name}_error']:.0f} %"
        for name in missed
    )
    own = {name: case.contrasts[name] for name in CONTRASTS if name in case.sources}
    names = dixon.find_names(own)
    if names is None:
        remarks.note(
            f"{sizes}, so they are not images of one scan on one scale",
            "look for a wrong name, a file of another scan, an offset, negative values or a scale "
            "of its own, and mend that",
        )
        return False
    renamed = {shown: case.contrasts[given] for given, shown in names.items()}
    if find_exchange(renamed, case.spacing, case.discs).kind == "whole":
        other = {"wat": "fat", "fat": "wat"}
        names = {given: other.get(shown, shown) for given, shown in names.items()}
    wrong = {given: shown for given, shown in names.items() if given != shown}
    repair = ", ".join(f"{case.sources[given].name} to {shown}" for given, shown in wrong.items())
    errors.append(
        f"case {case.name}: {len(wrong)} contrasts stand under each other's names: {sizes}, and "
        f"under other names all fits; rename {repair}."
    )
    return True


def _exchange(case: Case, errors: list[str], remarks: Remarks) -> Exchange | None:
    """Look for water and fat in each other's place, and put what is found into words."""
    if not {"wat", "fat"} <= case.contrasts.keys():
        return None
    found = find_exchange(case.contrasts, case.spacing, case.discs)
    if found.kind == "whole":
        files = [case.sources[name].name for name in ("wat", "fat") if name in case.sources]
        repair = (
            f"exchange the names of {' and '.join(files)}"
            if len(files) == 2
            else f"give {files[0]} the name of the other contrast"
        )
        errors.append(
            f"case {case.name}: water and fat stand exchanged in the whole body: the image called "
            f"wat shows fat, and the one called fat shows water; {repair}."
        )
    elif found.kind == "local":
        volume = found.map.sum() * math.prod(case.spacing) / 1000
        places = np.nonzero(from_canonical(found.map, case.grid))  # as a viewer counts the file's
        centre = ", ".join(str(round(float(x.mean()))) for x in places)
        remarks.note(
            f"water and fat stand exchanged in {100 * found.share:.1f} % of the body "
            f"({volume:.1f} mL round voxel {centre} of the files)",
            "swap them back there (ivdlib.data.quality.exchange.undo_exchange), scan again, or "
            "leave the case out",
        )
    return found


def _label_shift(
    case: Case, exchange: Exchange | None, remarks: Remarks
) -> tuple[float, float] | None:
    """Look for labels beside the discs; water must stand in its place for that."""
    if case.discs is None or exchange is None or exchange.kind != "none":
        return None
    shift = find_label_shift(case.contrasts, case.spacing, case.discs)
    if shift is not None:
        remarks.note(
            f"the labels lie beside the discs: they would fit {_way(shift[0], 'forwards', 'back')} "
            f"and {_way(shift[1], 'up', 'down')}",
            "look at them on the scan and export them again",
        )
    return shift


def _way(mm: float, positive: str, negative: str) -> str:
    return f"{abs(mm):.1f} mm further {positive if mm >= 0 else negative}"


def _count(mask: np.ndarray) -> int:
    from ivdlib.data.discs import clean_specks, components

    return int(components(clean_specks(mask)).max())


def _copies(arrays: dict[str, np.ndarray]) -> list[list[str]]:
    pairs = []
    for a, b in dixon.find_copies(arrays):
        try:
            aside = dixon.which_is_the_copy(a, b, arrays)
        except DataError:
            aside = a  # the error itself comes from putting the case together
        pairs.append([aside, b if aside == a else a])
    return pairs


def _for_json(exchange: Exchange) -> dict[str, Any]:
    return {
        "kind": exchange.kind,
        "share": round(float(exchange.share), 4),
        "evidence": _finite(exchange.evidence),
    }


def _finite(numbers: dict[str, float]) -> dict[str, float | None]:
    """JSON knows no NaN."""
    return {k: round(float(v), 4) if math.isfinite(v) else None for k, v in numbers.items()}
