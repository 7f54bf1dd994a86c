"""Apply trained networks to files: scans in, masks on the scans' own grid out."""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

from ivdlib.data.remarks import Failures, Told
from ivdlib.errors import AsUsual, ConfigError, DataWarning, NothingFound
from ivdlib.preprocessing import fusion
from ivdlib.progress import say, track
from ivdlib.training import engines, shipped
from ivdlib.training.many_scans import segment_all
from ivdlib.training.segmenter import Beside, Job, Segmenter
from ivdlib.training.to_segment import find_scans

KINDS = {kind.__name__: kind for kind in (NothingFound, AsUsual)}
"""Warnings that are more than a `DataWarning`, by the name that records keep."""


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
    workers: int = 1,
    scheduler: str | None = None,
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
    workers : int, default 1
        Processes of this machine that segment scans side by side and share its cores.
    scheduler : str, optional
        Address of a Dask scheduler, such as ``tcp://host:8786``: its workers do the work, and see
        scans, weights and `out` under the same paths.

    Yields
    ------
    Path
        Each mask: as it is written, or where it was there already; with several workers in the
        order in which they are done. A mask has a record beside it,
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
    if specks is not None and not 0 <= specks <= 1:
        raise ConfigError(f"specks is a share from 0 to 1, not {specks}.")
    if clip is not None:
        fusion.clip({}, clip)  # refuses what is no percentile
    weights = [weights] if isinstance(weights, str | os.PathLike) else [*weights]
    paths = dict.fromkeys(map(shipped.find, weights))
    if scheduler:  # its workers stand in other folders
        source, out = Path(source).absolute(), Path(out).absolute()
        spine_weights = spine_weights and Path(spine_weights).absolute()
        paths = [path.absolute() for path in paths]
    job = Job(
        tuple(paths), Path(out), spine_weights, use_region,
        contrast, derive_missing, clip, mirror, specks, engines.need_engine(engine, precision),
        precision, beside,
    )  # fmt: skip
    segmenter = Segmenter(job)
    scans = find_scans(Path(source), contrast, derive_missing)
    if old := segmenter.older:
        warnings.warn(old, DataWarning, stacklevel=2)
    if scheduler or workers > 1 and len(scans) > 1:
        answers = segment_all(job, scans, workers, scheduler)
    else:
        answers = ((scan, partial(segmenter, scan)) for scan in scans)
    told, failures, done, there = Told(), Failures(len(scans)), [], 0
    for scan, answer in track(answers, "predicting", len(scans)):
        with failures.of(scan.name):
            found = answer()
            there += found.there
        if scan.name not in failures:
            for text in found.kept:
                say(text)
            for kind, text in found.warned:
                told.tell(scan.name, text, KINDS.get(kind, DataWarning))
            done.append(job.path(scan))
            yield done[-1]
    told.tell_rest()
    if there:
        say(f"{there} masks were there already" if there > 1 else "1 mask was there already")
    again = "mend them and do the same again, which makes only what is not there"
    failures.raise_any(done, "segmented", again)
