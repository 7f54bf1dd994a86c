"""Write phantom scans in the challenge's layout: whole scans only, the same bytes every time."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from concurrent.futures.process import BrokenProcessPool
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from ivdlib.data.header import in_scanner_space
from ivdlib.data.nifti import write_image
from ivdlib.errors import CannotWrite, ConfigError, DataError
from ivdlib.files import cannot, folder, part_of, read_json, sweep, write_csv, write_json
from ivdlib.phantom.conditions import Conditions
from ivdlib.phantom.scanner import PLANE, SLICES, MadeScan, check_size, simulate, whole_number
from ivdlib.phantom.signal import TISSUE_CODES
from ivdlib.progress import Progress

VERSION = 2
"""Goes up whenever the same seed gives other images."""

_MOST = 10_000
"""Scans of one phantom: far more than fit a disk, far fewer than a slip of the keyboard."""


def make_phantom(
    out: str | os.PathLike,
    subjects: int = 8,
    stages: int = 2,
    seed: int = 0,
    slices: int = SLICES,
    in_plane: int = PLANE,
    workers: int = 1,
    conditions: Conditions | None = None,
) -> Path:
    """Write a synthetic data set of Dixon scans of the lumbar spine.

    Per scan ``NN/NN_{fat,inn,opp,wat}.nii.gz``; ``NN_Labels.nii.gz`` (the seven discs L5/S1 to
    T11/12 as a rater drew them) and ``NN_Exact.nii.gz`` (as they are); ``NN_Spine.nii.gz``
    (vertebral bodies, discs and canal); ``NN_Tissue.nii.gz`` (the commonest tissue of each voxel,
    named in ``dataset.json``); ``NN_Swap.nii.gz`` where water and fat stand exchanged, if they do;
    ``NN_truth.csv`` (per disc, see below) and ``NN_scan.json`` (what was drawn for the person and
    the scanner). For all scans ``subjects.csv``, ``dataset.json`` (parameters) and ``phantom.csv``,
    the truth per disc: volume in mL of the solid, of its exact and of its drawn label; footprint in
    mm²; mean, front, middle and back height in mm; centre in scanner mm, RAS; grade 1 to 5; bulge
    and protrusion together in mm; fat's share of the signal of water and fat. Cases count
    through the stages of a subject: with two stages 01 and 02 are subject 1.

    Stopped half-way, it leaves whole scans only; called again, it makes those that are missing. The
    number of workers does not change a byte.

    Parameters
    ----------
    out : path
        Folder to fill: new, empty, or filled before with the same parameters.
    subjects, stages : int
        Persons, and scans of each of them; later stages show the person after bed rest.
    seed : int
        From 0; the same seed gives the same files.
    slices : int
        1 to 36 sagittal slices of 2 mm, the central ones of the full scan.
    in_plane : int
        Voxels along the other two axes, even, 32 to 256. The field of view stays 320 mm: 256 gives
        1.25 mm voxels, 128 gives 2.5 mm.
    workers : int
        Processes that work side by side.
    conditions : Conditions, optional
        Pathology, noise, exchanges, raters, variety. Default: `Conditions()`.

    Returns
    -------
    pathlib.Path
        The folder.

    Raises
    ------
    ConfigError
        For numbers out of range, and for a folder that holds something else.
    DataError
        If a file cannot be written, e.g. on a full disk.
    """
    import pandas as pd

    subjects = whole_number("subjects", subjects, 1, _MOST)
    stages = whole_number("stages", stages, 1, _MOST)
    if subjects * stages > _MOST:
        raise ConfigError(f"{subjects} subjects × {stages} stages are more than {_MOST} scans.")
    seed, workers = whole_number("seed", seed, 0), whole_number("workers", workers, 1)
    slices, in_plane = check_size(slices, in_plane)
    conditions = conditions or Conditions()
    out = Path(out)
    size: dict[str, Any] = {"seed": seed, "slices": slices, "in_plane": in_plane}
    _claim(out, {"subjects": subjects, "stages": stages, **size, **asdict(conditions)})
    digits = max(2, len(str(subjects * stages)))
    jobs = [
        (f"{(subject - 1) * stages + stage:0{digits}d}", subject, stage)
        for subject in range(1, subjects + 1)
        for stage in range(1, stages + 1)
    ]
    write_csv(out / "subjects.csv", pd.DataFrame(jobs, columns=["case", "subject", "stage"]))
    todo = [job for job in jobs if not (out / job[0]).is_dir()]
    with Progress(len(jobs), "phantom scans", start=len(jobs) - len(todo)) as progress:
        make = partial(_make_scan, out, **size, conditions=conditions)
        _make_all(make, todo, min(workers, len(todo)), progress)
    _write_truth(out, jobs)
    return out


def _claim(out: Path, parameters: dict) -> None:
    """Take a new folder, or one that was begun with the same parameters."""
    note = "synthetic data: a phantom, not measured on people"
    names = {str(code): name.removesuffix("_water") for name, code in TISSUE_CODES.items()}
    record = {
        "name": "phantom",
        "note": note,
        "version": VERSION,
        "parameters": parameters,
        "tissues": {"0": "air", **names},
    }
    if out.exists() and not out.is_dir():
        raise ConfigError(f"{out} is a file; name a folder for the phantom.")
    if (out / "dataset.json").exists():
        if read_json(out / "dataset.json") != record:
            raise ConfigError(
                f"{out} holds a data set made with other parameters, or by another version of "
                "ivdlib (see its dataset.json); "
                "choose another folder or remove that one."
            )
        sweep(out)
        return
    if out.is_dir() and any(out.iterdir()):
        raise ConfigError(f"{out} is not empty and holds no phantom; choose another folder.")
    write_json(folder(out) / "dataset.json", record)


def _make_all(make: Callable[..., str], jobs: list, workers: int, progress: Progress) -> None:
    if workers <= 1:
        for job in jobs:
            progress.advance(note=make(*job))
        return
    # joblib's new processes: a fork of a process that runs TensorFlow can hang, and those of the
    # standard library would run the user's script again where it has no `__main__` guard.
    from joblib import Parallel, delayed

    pool = Parallel(workers, backend="loky", return_as="generator_unordered")
    try:
        for case in pool(delayed(make)(*job) for job in jobs):
            progress.advance(note=case)
    except BrokenProcessPool as error:
        raise ConfigError(
            "a process that made a scan was killed, perhaps for want of memory; use fewer workers "
            "and call the command again: it goes on from what is done."
        ) from error


def _make_scan(
    out: Path,
    case: str,
    subject: int,
    stage: int,
    seed: int,
    slices: int,
    in_plane: int,
    conditions: Conditions,
) -> str:
    """Simulate a scan and write it to a temporary folder, which gets its name when it is whole."""
    import pandas as pd

    scan = simulate(subject, stage, seed, slices, in_plane, conditions)
    part = folder(part_of(out / case))
    images = {
        **scan.contrasts,
        "Labels": scan.labels,
        "Exact": scan.exact,
        "Spine": scan.spine,
        "Tissue": scan.tissue,
    }
    if scan.exchanged.any():
        images["Swap"] = scan.exchanged.astype(np.uint8)
    try:
        for name, image in images.items():
            _save(part / f"{case}_{name}.nii.gz", image, scan)
        truth = pd.DataFrame([{"case": case, **row} for row in scan.discs])
        write_csv(part / f"{case}_truth.csv", truth)
        about = {"case": case, "subject": subject, "stage": stage, "seed": seed}
        write_json(part / f"{case}_scan.json", {**about, **scan.record})
        try:
            os.replace(part, out / case)
        except OSError:
            if not (out / case).is_dir():  # else another process was quicker, with the same bytes
                raise
    except OSError as error:
        raise CannotWrite(cannot("write", out / case, error)) from error
    finally:
        shutil.rmtree(part, ignore_errors=True)
    return case


def _save(path: Path, image: np.ndarray, scan: MadeScan) -> None:
    write_image(in_scanner_space(image, scan.affine), path)


def _write_truth(out: Path, jobs: list) -> None:
    import pandas as pd

    tables = []
    for name, *_ in jobs:
        try:
            tables.append(pd.read_csv(out / name / f"{name}_truth.csv", dtype={"case": str}))
        except (FileNotFoundError, ValueError) as error:
            raise DataError(
                f"{name}_truth.csv in {out / name} is missing or broken; remove that folder and "
                "call again."
            ) from error
    write_csv(out / "phantom.csv", pd.concat(tables))
