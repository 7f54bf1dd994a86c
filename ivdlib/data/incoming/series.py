"""Slices of DICOM files, put together to images: one for each contrast of each series."""

from __future__ import annotations

import warnings
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np

from ivdlib.data.incoming.frame import Frame
from ivdlib.data.incoming.headers import files_below, need_pydicom, read_frames
from ivdlib.data.incoming.kinds import ImageKind, kind_of
from ivdlib.data.incoming.volume import LeftOut, Volume, as_small
from ivdlib.data.incoming.words import TYPE_WORDS, values
from ivdlib.errors import DataError
from ivdlib.files import cannot, cause
from ivdlib.progress import track

LPS_TO_RAS = np.diag([-1.0, -1.0, 1.0, 1.0])
"""DICOM's axes run to the left and to the back, NIfTI's to the right and to the front."""

UNEVEN_MM = 0.1
"""Distances of slices may differ by so much: scanners round their places."""

KNOWN = {word for some in TYPE_WORDS.values() for word in some.split()}

_TURN = 3
"""Decimals of directions that count as one: scanners round them."""


def find_series(folder: Path) -> tuple[list[Volume], list[LeftOut]]:
    """Find the Dixon images among the DICOM files of a folder.

    Parameters
    ----------
    folder : Path

    Returns
    -------
    list of Volume
    list of LeftOut
        Everything else, with the reason.
    """
    left: list[LeftOut] = []
    closed: list[OSError] = []
    whole: dict[tuple[str, int], tuple[int, Frame]] = {}
    for path in track([*_candidates(folder, closed)], "reading headers"):
        where = str(path.relative_to(folder))
        try:
            other, found, who = read_frames(path)
        except DataError as error:
            left.append(LeftOut(where, str(error).replace(str(path), "it").rstrip("."), True))
            continue
        if other:
            serious = other == "no DICOM" and path.suffix.lower() in (".dcm", ".ima")
            left.append(LeftOut(where, other, serious, who))
        size = path.stat().st_size
        for frame in found:
            key = (frame.uid or str(path), frame.index)
            before = whole.get(key)
            if before is None or size > before[0]:  # a copy that is cut short gives way
                whole[key] = size, frame
            gone = frame if before and size <= before[0] else before and before[1]
            if gone and not gone.index:
                name = str(gone.file.relative_to(folder))
                left.append(LeftOut(name, "a copy of a file that is there", False, gone.patient))
    left += [LeftOut(str(Path(e.filename).relative_to(folder)), cause(e), True) for e in closed]
    frames = [frame for _, frame in whole.values()]
    volumes = []
    for series in _by(frames, lambda f: (f.study, f.series)).values():
        for found in _images(series):
            (volumes if isinstance(found, Volume) else left).append(found)
    return volumes, left


def _candidates(folder: Path, closed: list[OSError]) -> Iterable[Path]:
    known = (".nii", ".nii.gz", ".json", ".csv", ".tsv", ".txt", ".bval", ".bvec", ".md", ".pdf")
    return (p for p in files_below(folder, closed) if not p.name.lower().endswith(known))


def _by(frames: Iterable[Frame], key: Callable[[Frame], Any]) -> dict[Any, list[Frame]]:
    groups: dict[Any, list[Frame]] = defaultdict(list)
    for frame in frames:
        groups[key(frame)].append(frame)
    return groups


def _label(frame: Frame) -> str:
    return f"series {frame.number}" + (f" ({frame.description})" if frame.description else "")


def _where(frames: Sequence[Frame]) -> str:
    """Name of a series; of a single file, which may be a damaged one, its own, too."""
    files = {frame.file for frame in frames}
    alone = f" in {next(iter(files)).name}" if len(files) == 1 else ""
    return _label(frames[0]) + alone


def _images(series: list[Frame]) -> Iterable[Volume | LeftOut]:
    """Divide the slices of a series by what they show, and put each kind together."""
    echoes = {frame.te_ms for frame in series if frame.te_ms}
    kinds: dict[ImageKind, list[Frame]] = defaultdict(list)
    for frame in series:
        kinds[kind_of(frame, echoes)].append(frame)
    for kind, frames in kinds.items():
        if not kind.contrast:
            yield LeftOut(_where(frames), kind.why, kind.unclear, frames[0].patient)
            continue
        alike = _by(frames, lambda f: (f.size, f.turn and tuple(np.round(f.turn, _TURN)), f.pixel))
        for some in alike.values():
            yield from _times(kind, some)


def _times(kind: ImageKind, frames: list[Frame]) -> Iterable[Volume | LeftOut]:
    """Part repetitions of one slice: the images of several acquisitions."""
    where = f"{_label(frames[0])}, {kind.contrast}"
    for tells in (
        lambda f: (),
        lambda f: f.repeats[0],
        lambda f: f.repeats[1],
        lambda f: f.repeats,
        lambda f: f.when,
    ):
        groups = _by(frames, tells).values()
        if all(len({f.place for f in group}) == len(group) for group in groups):
            for group in groups:
                yield _volume(kind, group)
            return
    why = (
        "it has slices several times at one place, and nothing tells them apart; leave one of each"
    )
    yield LeftOut(where, why, True, frames[0].patient)


def _volume(kind: ImageKind, frames: list[Frame]) -> Volume | LeftOut:
    first = frames[0]
    where = f"{_where(frames)}, {kind.contrast}"
    if any(None in (f.place, f.turn, f.pixel) or 0 in f.size for f in frames):
        return LeftOut(where, "its header does not say where its slices lie", True, first.patient)
    from highdicom.spatial import create_affine_matrix_from_attributes, get_volume_positions

    hint = {"spacing_hint": first.thick} if len(frames) == 1 and first.thick else {}
    places = [f.place for f in frames]
    try:
        apart, at = get_volume_positions(places, first.turn, atol=UNEVEN_MM, **hint)
    except ValueError:  # axes that stand at no right angle, no distance between pixels
        return LeftOut(where, "its header says nothing sound of where its slices lie", True,
                       first.patient)  # fmt: skip
    if at is None:
        return LeftOut(where, _why_no_volume(frames), True, first.patient)
    ordered = [frame for _, frame in sorted(zip(at, frames, strict=True), key=lambda one: one[0])]
    # Columns run along the first direction of DICOM, rows along the second: our axes 0 and 1.
    if min(first.pixel) <= 0:
        return LeftOut(where, "its header says that its pixels have no size", True, first.patient)
    affine = LPS_TO_RAS @ create_affine_matrix_from_attributes(
        ordered[0].place, first.turn, first.pixel, apart, index_convention="RD"
    )
    if len(ordered) > 1:  # whichever way the slices were sorted
        step = np.subtract(ordered[-1].place, ordered[0].place) / (len(ordered) - 1)
        affine[:3, 2] = LPS_TO_RAS[:3, :3] @ step
    patient = first.patient
    return Volume(
        contrast=kind.contrast, why=kind.why, by_echo=kind.by_echo, patient=patient,
        person=patient.number or patient.name or first.study,
        session=(first.study_when, first.study),
        order=(min(f.when for f in frames), first.number, *map(_sortable, first.repeats)),
        variant=tuple(sorted(values(first.words) - values(first.words[:2]) - KNOWN)),
        identity=f"{first.series}:{kind.contrast}:{first.te_ms}:{min(f.uid for f in frames)}",
        label=_label(first), shape=(first.size[1], first.size[0], len(ordered)), affine=affine,
        load=partial(read_slices, ordered), facts=_facts(ordered),
        sources=tuple(dict.fromkeys(str(f.file) for f in ordered)),
    )  # fmt: skip


def _sortable(number: float | None) -> float:
    return -1.0 if number is None else number


def _why_no_volume(frames: Sequence[Frame]) -> str:
    """Say what is wrong with the places of slices."""
    from highdicom.spatial import get_volume_positions

    places = [f.place for f in frames]
    _, at = get_volume_positions(
        places, frames[0].turn, atol=UNEVEN_MM, allow_missing_positions=True
    )
    if at is None:
        return "its slices do not lie at equal distances in a row; export it as it was acquired"
    missing = max(at) + 1 - len(at)
    lack = f"{missing} slices are" if missing > 1 else "1 slice is"
    return f"{lack} missing; copy the series again from the archive"


def _facts(frames: Sequence[Frame]) -> dict[str, Any]:
    first = frames[0]
    slopes = sorted({f.slope for f in frames})
    return {
        "series": first.number,
        "manufacturer": first.maker,
        "sequence": first.sequence,
        "echo_time_ms": first.te_ms,
        "field_t": first.tesla,
        "slope": slopes[0] if len(slopes) == 1 else f"{slopes[0]:g} to {slopes[-1]:g}",
        "philips_scale_slope": first.philips or None,
        "slices": len(frames),
    }


def read_slices(frames: Sequence[Frame]) -> np.ndarray:
    """Read the values of slices, as the scanner measured them: float32, or int16 if that is exact.

    Parameters
    ----------
    frames : sequence of Frame
        In order.

    Returns
    -------
    ndarray, shape (columns, rows, slices)

    Raises
    ------
    DataError
        If a file is cut short, or its compression is unknown.
    """
    slices = []
    for frame, stored in zip(frames, _pixels(frames), strict=True):
        values = stored.astype(np.float64) * frame.slope + frame.intercept
        if frame.philips:
            values /= frame.slope * frame.philips
        slices.append(values)
    volume = np.stack(slices, axis=-1).swapaxes(0, 1)
    return as_small(volume)


def _pixels(frames: Sequence[Frame]) -> Iterator[np.ndarray]:
    """Stored values of slices; those that lie one after the other in a file are read at once."""
    for file, some in groupby(frames, key=lambda f: f.file):
        wanted = [*some]
        try:
            # An iterator: what is wrong with one slice is told when it is reached.
            for found in _stored(file, wanted):
                if found.shape != frames[0].size:
                    raise ValueError(f"{found.shape} values, not {frames[0].size}")
                yield found
        except OSError as error:
            raise DataError(cannot("read", file, error)) from error
        except Exception as error:  # pydicom raises whatever its parts raise
            text = " ".join(str(error).split())
            if "missing dependencies" in text or "plugin" in text:
                what = "its pixels are compressed in a way that cannot be read; export it plain"
            else:
                what = "its pixels cannot be read; copy it again from the archive"
            raise DataError(f"{file}: {what} ({text[:200]}).") from error


def _stored(file: Path, wanted: Sequence[Frame]) -> Iterator[np.ndarray]:
    """Stored values of some frames of a file."""
    pydicom = need_pydicom()
    at = [frame.index for frame in wanted]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if wanted[0].plain:
            yield from pydicom.pixels.iter_pixels(file, indices=at)
            return
        ds = pydicom.dcmread(file, force=True)
        if "TransferSyntaxUID" not in getattr(ds, "file_meta", {}):  # of old archives
            implicit, little = ds.original_encoding
            explicit = "ExplicitVRLittleEndian" if little else "ExplicitVRBigEndian"
            ds.file_meta = pydicom.dataset.FileMetaDataset()
            ds.file_meta.TransferSyntaxUID = getattr(
                pydicom.uid, "ImplicitVRLittleEndian" if implicit else explicit
            )
        pixels = ds.pixel_array.reshape(-1, ds.Rows, ds.Columns)
        yield from (pixels[index] for index in at)
