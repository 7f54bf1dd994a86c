"""Import a folder as the scanner left it: whose scans, which contrast, in our layout.

OUT/sub-001/sub-001_{wat,fat,inn,opp}.nii.gz    the images, values of the scan
OUT/subjects.csv                                who is who, in our numbers
OUT/import.csv, import.json                     what was taken for what and why, what was not
OUT_key.csv, beside OUT                         which number is which patient: keep it apart
"""

from __future__ import annotations

import os
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ivdlib import provenance
from ivdlib.data.contrasts import CONTRASTS
from ivdlib.data.incoming.frame import Patient, hide
from ivdlib.data.incoming.grouping import IncomingScan, scans_of
from ivdlib.data.incoming.named_files import find_named
from ivdlib.data.incoming.naming import doubts_about_people, name_scans, read_key, write_key
from ivdlib.data.incoming.series import find_series
from ivdlib.data.incoming.volume import LeftOut, Volume
from ivdlib.data.nifti import write_image
from ivdlib.data.remarks import NAMED
from ivdlib.errors import CannotWrite, ConfigError, DataError
from ivdlib.files import folder as make_folder
from ivdlib.files import read_json, write_csv, write_json
from ivdlib.progress import track

if TYPE_CHECKING:
    import numpy as np

TABLE, RECORD = "import.csv", "import.json"


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
    """

    key: Path
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
    secrets = set().union(*(who.secrets() for who in _patients(volumes, left)))
    scans, doubled = scans_of(volumes)
    known = read_key(key)
    name_scans(scans, known)
    result = Imported(key, left=left + doubled, warnings=[*warned, *doubts_about_people(scans)])
    if scans:
        make_folder(out)
        write_key(key, scans, known)
    for scan in track(scans, "importing"):
        rows = _rows(scan)
        if [_said(row) for row in done.get(scan.case, [])] == [_said(row) for row in rows]:
            result.there += 1
            continue
        written = _write(scan, out, result)
        if written:
            done[scan.case] = [row for row in rows if row["contrast"] in written]
            _write_table(out, done)
            result.scans.append(_sentence(scan, written))
    result.left = [LeftOut(hide(x.what, secrets), hide(x.why, secrets), x.serious)
                   for x in result.left]  # fmt: skip
    if not done:
        raise DataError(_nothing(source, result.left))
    _write_people(out, scans)
    _write_record(out, result)
    return result


def _claim(source: Path, out: Path, key: Path) -> dict[str, list[dict[str, Any]]]:
    """Refuse folders that do not fit; give the rows of an earlier import by case."""
    import pandas as pd

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
    if not key.is_file():
        raise ConfigError(
            f"{out} holds an import, but its key {key} is not there; say where it is with --key, "
            "or choose another folder: without it nobody knows which number is whose."
        )
    table = pd.read_csv(out / TABLE, dtype=str, keep_default_na=False)
    found: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for row in table.to_dict("records"):
        if (out / row["case"] / f"{row['case']}_{row['contrast']}.nii.gz").is_file():
            found[row["case"]].append(row)
    return found


def _patients(volumes: list[Volume], left: list[LeftOut]) -> set[Patient]:
    return {v.patient for v in volumes} | {who for x in left if (who := x.patient)}


def _rows(scan: IncomingScan) -> list[dict[str, Any]]:
    """Rows of `import.csv`, as text: a row an image."""
    rows = []
    for name in sorted(scan.images, key=CONTRASTS.index):
        volume = scan.images[name]
        facts = {k: "" if v is None else str(v) for k, v in volume.facts.items()}
        rows.append({"case": scan.case, "contrast": name, "why": volume.why, **facts})
    return rows


def _said(row: dict[str, Any]) -> dict[str, Any]:
    return {k: v for k, v in row.items() if v != ""}


def _write(scan: IncomingScan, out: Path, result: Imported) -> list[str]:
    """Write the images of a scan; give the contrasts that could be."""
    written = []
    for name in sorted(scan.images, key=CONTRASTS.index):
        volume = scan.images[name]
        try:
            array = volume.load()
        except CannotWrite:
            raise
        except DataError as error:
            why = str(error).rstrip(".")
            for path in volume.sources:
                why = why.replace(path, "a file of it")
            what = f"{volume.label}, {name} of {scan.case}"
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
    scales = {bool(scan.images[n].facts.get("philips_scale_slope")) for n in written}
    if len(scales) > 1:
        result.warnings.append(
            f"{scan.case}: only some of its images say how Philips scaled them, so their values do "
            "not compare; export all of them from the scanner again"
        )
    return written


def _save(array: np.ndarray, affine: np.ndarray, path: Path) -> None:
    import nibabel as nib

    image = nib.Nifti1Image(array, affine)
    image.header.set_xyzt_units("mm")
    image.set_sform(affine, code="scanner")
    image.set_qform(affine, code="scanner")
    write_image(image, path)


def _sentence(scan: IncomingScan, written: list[str]) -> str:
    said = []
    for name in written:
        volume = scan.images[name]
        number = volume.facts.get("series")
        said.append(f"{name} ({f'series {number}, ' if number else ''}{volume.why})")
    return f"{scan.case}: {', '.join(said)}"


def _write_table(out: Path, done: dict[str, list[dict[str, Any]]]) -> None:
    import pandas as pd

    rows = [row for case in sorted(done) for row in done[case]]
    write_csv(out / TABLE, pd.DataFrame(rows).fillna(""))


def _write_people(out: Path, scans: list[IncomingScan]) -> None:
    """Write `subjects.csv`; rows of cases that are not in this import stay as they are."""
    import pandas as pd

    path, columns = out / "subjects.csv", ["case", "subject", "stage"]
    old = pd.read_csv(path, dtype=str, keep_default_na=False) if path.is_file() else None
    new = pd.DataFrame([(s.case, s.subject, s.stage) for s in scans], columns=columns)
    if old is not None:  # a row that somebody corrected stays
        new = pd.concat([old, new[~new["case"].isin(old["case"])]])
    there = new["case"].map(lambda case: (out / case).is_dir())
    write_csv(path, new[there].sort_values("case"))


def _write_record(out: Path, result: Imported) -> None:
    path = out / RECORD
    before = read_json(path).get("left_out", []) if path.is_file() else []
    left = [{"series": _number_of(x.what), "why": x.why} for x in result.left]
    seen = [x for x in before if x not in left]
    write_json(path, provenance.record(left_out=seen + left))


def _number_of(what: str) -> str:
    """`series 5` of `series 5 (T1 …)`: names are free text, and stay out of what is written."""
    return what.partition(" (")[0] if what.startswith("series ") else "a file"


def _nothing(source: Path, left: list[LeftOut]) -> str:
    first = sorted(left, key=lambda x: not x.serious)
    said = "; ".join(f"{x.what}: {x.why}" for x in first[:NAMED])
    more = f"; and {len(left) - NAMED} more" if len(left) > NAMED else ""
    return (
        f"{source} holds no Dixon image that could be told; look whether it is the right folder"
        f"{f' ({said}{more})' if said else ''}."
    )
