"""Score mask files: one pair, or a folder of predictions against a folder of cases."""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from ivdlib.data.alignment import check_same_grid
from ivdlib.data.case import DEFAULT_DISCS, labels_of
from ivdlib.data.case_files import FOUND, contrast_in_name
from ivdlib.data.dataset_notes import DatasetNotes, declared_beside, label_set
from ivdlib.data.file_words import seems
from ivdlib.data.geometry import spacing_mm
from ivdlib.data.labels import in_words, label_values
from ivdlib.data.layout import find_cases
from ivdlib.data.nifti import Image, read_labels
from ivdlib.data.orientation import canonical_affine, file_grid, to_canonical
from ivdlib.data.people import key, meant
from ivdlib.data.remarks import Failures, listed
from ivdlib.errors import DataError, DataWarning
from ivdlib.evaluation import challenge, metrics
from ivdlib.progress import track

SUFFIX = f"_{FOUND.capitalize()}.nii.gz"
"""Ending of the masks that `ivdlib predict` writes."""


BINARY = ({1}, {255})
"""Values of a file that holds one mask."""


def score_files(
    pred: str | os.PathLike,
    truth: str | os.PathLike,
    discs: Iterable[int] | None = None,
    declared: DatasetNotes | None = None,
) -> dict[str, Any]:
    """Score a predicted mask file against a label file.

    Parameters
    ----------
    pred, truth : path of a NIfTI file
        On one grid.
    discs : iterable of int, optional
        Label values that are disc; default: what `dataset.json` declares, else 1. A prediction that
        holds nothing but 1, or but 255, is a mask of the discs whatever they are in the truth.
    declared : Declared, optional
        What holds for the truth; default: a `dataset.json` beside it or one folder above.

    Returns
    -------
    dict
        As `challenge.score`, with `pred` and `truth`.

    Raises
    ------
    DataError
        If a file cannot be read, the grids differ, a file has labels but none of `discs`, or
        `discs` are no label values.

    Warns
    -----
    DataWarning
        If a file holds other labels than `discs`, which were not named, or no disc at all; if the
        names say that prediction and truth were exchanged.
    """
    if declared is None:
        declared = declared_beside(Path(truth).resolve().parent, [], above=True)
    named = label_set(discs, "discs") or declared.discs
    values = named or DEFAULT_DISCS
    predicted, labels = read_labels(pred), read_labels(truth)
    if (_is_found(truth), _is_found(pred)) == (True, False):
        warnings.warn(
            f"{truth} has the name of a mask that predict wrote, and {pred} has not: the "
            "prediction comes first, then the truth.",
            DataWarning,
            stacklevel=2,
        )
    check_same_grid(str(pred), predicted, labels, declared.axcodes, "bring both to one grid first")
    binary = label_values(predicted.array) in BINARY
    found = predicted.array > 0 if binary else _discs(predicted, values) > 0
    discs_true = _discs(labels, values)
    for image in (labels,) if binary else (labels, predicted):
        others = label_values(image.array) - values
        if named is None and others:
            warnings.warn(
                f"{image.path}: beside 1, taken as disc, there are the labels {in_words(others)}; "
                "name the disc values with --discs where these are discs, too.",
                DataWarning,
                stacklevel=2,
            )
    for image, mask in ((predicted, found), (labels, discs_true > 0)):
        if not mask.any():
            warnings.warn(
                f"{image.path} is empty, so its scores say only that; look why no disc is in it.",
                DataWarning,
                stacklevel=2,
            )
    grid = file_grid(labels.array.shape, labels.affine, labels.header, declared.axcodes)
    scores = challenge.score(
        *(to_canonical(array, grid) for array in (found, discs_true)),
        spacing_mm(canonical_affine(grid)),
    )
    return {"pred": str(pred), "truth": str(truth), **scores}


def score_folders(
    pred: str | os.PathLike, truth: str | os.PathLike, discs: Iterable[int] | None = None
) -> list[dict[str, Any]]:
    """Score every ``CASE_Discs.nii.gz`` of a folder against the labels of a folder of cases.

    Parameters
    ----------
    pred, truth : path of a folder
        The latter as for `cases.load_cases`; its `dataset.json` holds.
    discs : iterable of int, optional
        As in `score_files`.

    Returns
    -------
    list of dict
        As `score_files`, with `case`.

    Raises
    ------
    SomeFailed
        If some cannot be scored, as of `score_files`, or have no labels in `truth` (each is
        warned of); its `done` holds the others.
    DataError
        If there is no prediction, or none has a labelled case; of a single one as `score_files`.

    Warns
    -----
    DataWarning
        If a labelled case has no prediction; else as `score_files`.
    """
    masks, others, doubled = _masks(Path(pred))
    if not masks:
        there = f", but {listed([p.name for p in others])}" if others else ""
        raise DataError(
            f"{pred} holds no mask called CASE{SUFFIX}{there}; run ivdlib predict first, or give "
            "your masks that name."
        )
    cases = find_cases(truth)
    above = len(cases) == 1
    declared = declared_beside(Path(truth), cases, above=above)
    labelled = {key(case.name): case for case in cases if case.labels}
    failures, free = Failures(len(masks)), [c.name for k, c in labelled.items() if k not in masks]

    def refuse(names: list[str]) -> None:
        hints = ", ".join(filter(None, (meant(name, free) for name in names)))
        raise DataError(
            f"{truth} has no labels for {listed(names)}{f' ({hints})' if hints else ''}; score "
            "what is labelled only, and give a mask the name of its case."
        )

    if not masks.keys() & labelled.keys():
        refuse([name for name, _ in masks.values()])
    if free:
        like = [p.name for p in others if key((seems(p) or contrast_in_name(p))[0]) not in masks]
        warnings.warn(
            f"{pred} holds no mask for {listed(free)}: left out of the means, which say "
            f"nothing about them{f' ({listed(like)} is not read)' if like else ''}; run ivdlib "
            f"predict on them, too, or call their masks CASE{SUFFIX}.",
            DataWarning,
            stacklevel=2,
        )
    found = []
    for same, (name, path) in track(masks.items(), "scoring", len(masks)):
        with failures.of(name):
            if same not in labelled:
                refuse([name])
            if faults := (doubled.get(same) or labelled[same].repeated):
                raise DataError(faults[0])
            scores = score_files(path, labelled[same].labels, discs, declared)
            found.append({"case": name, **scores})
    failures.raise_any(found, "scored", "mend them, for no mean says anything about them")
    return found


def _masks(
    folder: Path,
) -> tuple[dict[str, tuple[str, Path]], list[Path], dict[str, tuple[str, ...]]]:
    """Masks of a folder by `people.key` of the case, with its name; and the NIfTI files beside.

    Also, by the same key, what is wrong where a case has several masks.
    """
    masks: dict[str, tuple[str, Path]] = {}
    others, doubled = [], {}
    for path in sorted(folder.glob("[!.]*")):
        if not path.name.lower().endswith((".nii", ".nii.gz")):
            continue
        name, word = contrast_in_name(path)
        if word != FOUND:
            others.append(path)
        elif (first := masks.setdefault(key(name), (name, path))[1]) != path:
            doubled[key(name)] = (f"{first} and {path.name} are masks of one case; keep one.",)
    return masks, others, doubled


def conventions(scores: Iterable[Mapping[str, Any]]) -> dict[str, float]:
    """Average the scores of several scans in each way that papers do.

    Parameters
    ----------
    scores : iterable of mapping
        From `challenge.score` or `score_files`, one a scan.

    Returns
    -------
    dict
        `dice_volumes`: mean over scans (Tables 1 to 3). `dice_slices`: of each scan's sagittal
        slices that hold a mask, then over scans. `dice_pooled`: of all voxels of all scans at
        once. `dice_discs`, `asd_mm_discs`, `hd95_mm_discs`, `centre_distance_mm_discs`: mean over
        the discs of a scan, then over the scans that have any (challenge-style).

    Raises
    ------
    DataError
        If there are no scores.
    """
    scores = list(scores)
    if not scores:
        raise DataError("there are no scores to average.")
    volumes = [scan["volume"] for scan in scores]
    total = sum(v["pred_ml"] + v["truth_ml"] for v in volumes)
    found = {
        "dice_volumes": float(np.mean([v["dice"] for v in volumes])),
        "dice_slices": float(np.mean([v["dice_slices"] for v in volumes])),
        "dice_pooled": 2 * sum(v["overlap_ml"] for v in volumes) / total if total else 1.0,
    }
    means = [scan["mean_over_discs"] for scan in scores if scan["discs"]]
    for name in metrics.MEASURES if means else ():
        found[f"{name}_discs"] = float(np.mean([mean[name] for mean in means]))
    return found


def _is_found(path: str | os.PathLike) -> bool:
    return contrast_in_name(Path(path))[1] == FOUND


def _discs(image: Image, values: frozenset[int]) -> np.ndarray:
    """Labels of the discs, 0 elsewhere."""
    found = labels_of(image.array, values)
    if image.array.any() and not found.any():
        raise DataError(
            f"{image.path} holds the labels {in_words(label_values(image.array))} and none of "
            f"{in_words(values)}; name the disc values with --discs, or the file of the labels."
        )
    return found
