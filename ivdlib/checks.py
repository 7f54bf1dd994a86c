"""Check every case of a folder and go on after a fault."""

from __future__ import annotations

import math
import os
from pathlib import Path
from typing import Any

import numpy as np

from ivdlib.assembly import assemble, read
from ivdlib.dixon import consistency, find_copies, which_is_the_copy
from ivdlib.errors import DataError
from ivdlib.labelling import label_values
from ivdlib.layout import CaseFiles, find_cases, odd_ones
from ivdlib.nifti import Image
from ivdlib.scan import Options
from ivdlib.sidecars import Subject, find_beside, find_subjects, read_declared


def check_cases(folder: str | os.PathLike) -> list[dict[str, Any]]:
    """Check all cases of a folder without stopping at the first bad one.

    Parameters
    ----------
    folder : path
        As for `ivdlib.cases.load_cases`.

    Returns
    -------
    list of dict
        One a case, ready for JSON: `case`, `subject`, `stage`, `subject_source` (str); `contrasts`
        (list of the contrasts with a file); `shape` (3 ints) and `spacing_mm` (3 floats) in
        canonical axes, null where the case does not load; `labels` (list of the label values other
        than 0, null without labels); `copies` (list of [name set aside, name it is a copy of]; the
        order means nothing where `errors` says that it cannot be told); `derived` (list);
        `consistency` (see
        `dixon.consistency`, after copies were set aside; empty where the case does not load);
        `errors`, `warnings` and `corrections` (declared ones) as lists of sentences.

    Raises
    ------
    DataError
        Where the folder itself is at fault: missing, without scans, an unusable `subjects.csv` or
        `dataset.json`.
    """
    folder = Path(folder)
    found = find_cases(folder)
    declared = read_declared(find_beside("dataset.json", folder, found, above=False))
    subjects, faults = find_subjects(found, find_beside("subjects.csv", folder, found, above=False))
    odd = odd_ones(found)
    unknown = Subject("", "", "")
    return [
        _check(
            files,
            subjects.get(files.name, unknown),
            Options(declared=declared),
            [*files.faults, *(by[files.name] for by in (odd, faults) if files.name in by)],
        )
        for files in found
    ]


def _check(
    files: CaseFiles, subject: Subject, options: Options, errors: list[str]
) -> dict[str, Any]:
    images: dict[str, Image] = {}
    for word, path in files.paths.items():
        try:
            images[word] = read(word, path)
        except DataError as error:
            errors.append(str(error))
    case = None
    if files.contrasts and len(images) == len(files.paths):
        try:
            case = assemble(files, images, subject, options)
        except DataError as error:
            errors.append(str(error))
    labels = images.get("labels")
    return {
        "case": files.name,
        "subject": subject.subject,
        "stage": subject.stage,
        "subject_source": subject.source,
        "contrasts": list(files.contrasts),
        "shape": None if case is None else list(case.shape),
        "spacing_mm": None if case is None else [round(edge, 4) for edge in case.spacing],
        "labels": None if labels is None else sorted(label_values(labels.array)),
        "copies": _copies({name: images[name].array for name in files.contrasts if name in images}),
        "derived": [] if case is None else sorted(case.derived),
        "consistency": {} if case is None else _finite(consistency(case.contrasts)),
        "errors": errors,
        "warnings": [] if case is None else list(case.notes),
        "corrections": [] if case is None else list(case.corrections),
    }


def _copies(arrays: dict[str, np.ndarray]) -> list[list[str]]:
    pairs = []
    for a, b in find_copies(arrays):
        try:
            aside = which_is_the_copy(a, b, arrays)
        except DataError:
            aside = a  # the error itself comes from putting the case together
        pairs.append([aside, b if aside == a else a])
    return pairs


def _finite(numbers: dict[str, float]) -> dict[str, float | None]:
    """JSON knows no NaN."""
    return {k: round(v, 4) if math.isfinite(v) else None for k, v in numbers.items()}
