"""What lies in a folder of scans and is not read, and what it looks like.

Cases are found by names (`layout`): a file with another name would vanish without a word.
"""

from __future__ import annotations

import os
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path

from ivdlib.data.case_files import BESIDE, DEEPEST, FOUND, NO_WORD, CaseFiles, contrast_in_name
from ivdlib.data.dataset_notes import DatasetNotes
from ivdlib.data.file_words import FORMATS, LIKE, bare, seems
from ivdlib.data.people import key
from ivdlib.data.remarks import Finding, Remark, listed
from ivdlib.data.subjects import left_over_cases
from ivdlib.files import ASIDE, readable

_OURS = {FOUND, *BESIDE, "tissue", "swap"}
"""Words of files that ivdlib writes itself and never reads as scans."""

_SIDECAR = re.compile(r"(subject|dataset)s?\.(csv|tsv|txt|xlsx?|ods|json|ya?ml|csv\.txt)", re.I)
_PEOPLE = re.compile(r"(subject|participant|patient|proband)[^.]*\.(csv|tsv|txt|xlsx?|ods)", re.I)

UNNAMED = (
    "rename it if it is one, as in …_t2.nii.gz (T2) or …_wat.nii.gz (water of a Dixon scan), or "
    "give it to ivdlib predict alone"
)
"""What to do with an image whose name says nothing of its contrast."""

_FAR = 2 * DEEPEST
"""Levels of folders below the given one that are looked into for files that lie too deep."""


def instead(files: CaseFiles, word: str) -> str:
    """Say which file of a case looks like a word that it lacks: " (…_W.nii.gz looks like it)"."""
    for path in files.left_out:
        if (seems(path) or ("", ""))[1] == word:
            return f" (…{readable(path.name)[len(files.name) :]} looks like it)"
    return ""


def loose_ends(
    folder: Path,
    cases: list[CaseFiles],
    declared: DatasetNotes,
    table: Path | None,
    needed: Iterable[str] | None = None,
    masks: bool = True,
) -> list[Finding]:
    """Find what is not read: files as in `left_over`, keys of `dataset.json`, rows of a table.

    Parameters
    ----------
    folder, cases, needed, masks
        As in `left_over`.
    declared : DatasetNotes
    table : Path or None
        `subjects.csv`.

    Returns
    -------
    list of Finding
    """
    found = [
        Finding(
            "warning", str(declared.path), f"{shown!r} is not read", _repair_of_key(shown, right)
        )
        for shown, right in declared.misspelt.items()
    ]
    if table and (rest := left_over_cases(cases, table)):
        what = f"of its cases {listed(rest)} are not here"
        found.append(Finding("left out", str(table), what))
    return found + left_over(folder, cases, needed, masks)


def _repair_of_key(shown: str, right: str) -> str:
    if shown.endswith(f".{right}"):
        return f"put {right!r} at the top, where it holds for all scans of the folder"
    return f"call it {right!r} if it is that"


def left_over(
    folder: Path, cases: list[CaseFiles], needed: Iterable[str] | None = None, masks: bool = True
) -> list[Finding]:
    """Find files that are not read.

    Parameters
    ----------
    folder : Path
    cases : list of CaseFiles
        Found in it.
    needed : iterable of str or None
        Contrasts that are enough, see `CaseFiles.only`.
    masks : bool, default True
        False if no labels are asked for.

    Returns
    -------
    list of Finding
        First those of the level "warning": they look like something that a scan lacks, or like a
        scan of their own. Neither hidden files are among them nor what ivdlib writes, nor
        what a fault of a case names already.
    """
    used = {path for case in cases for path in case.paths.values()}
    by_name = {key(case.name): case.only(needed, masks=True) for case in cases}
    groups: dict[tuple[bool, Remark], list[str]] = defaultdict(list)
    for path, deep, empty in _walk(folder):
        if path in used:
            continue
        is_file = empty is None
        reason = _reason(path, deep, by_name, masks) if is_file else _hollow(path, empty)
        if reason:
            groups[reason].append(readable(path.relative_to(folder).as_posix()))
    return [
        Finding(
            "warning" if serious else "left out",
            names[0] if len(names) == 1 else f"{len(names)} files ({listed(names)})",
            remark.what,
            remark.repair,
        )
        for (serious, remark), names in sorted(groups.items(), key=lambda group: not group[0][0])
    ]


def _reason(
    path: Path, deep: bool, cases: dict[str, CaseFiles], masks: bool
) -> tuple[bool, Remark] | None:
    """Whether it is serious that a file is not read, and why it is not; None to say nothing."""
    name = path.name.lower()
    misnamed = _SIDECAR.fullmatch(name)
    if misnamed or _PEOPLE.fullmatch(name):
        right = "dataset.json" if name.startswith("dataset") else "subjects.csv"
        if path.name == right or (path.parent / right).is_file():
            return None
        if misnamed:
            return True, Remark("it is not read under this name", f"call it {right}")
        return True, Remark("not read", "write a subjects.csv (case,subject,stage)")
    kind = next((kind for kind, ends in FORMATS.items() if name.endswith(ends)), "")
    if not kind and not name.endswith((".nii", ".nii.gz")):
        return None
    case, word = contrast_in_name(path.with_name(f"{bare(path.name)}.nii"))
    mine = cases.get(key(case))
    if word in _OURS or _set_aside(path) or (mine is not None and word in mine.paths and not kind):
        return None
    seeming = (case, word) if word in LIKE else seems(path)
    mine = cases.get(key(seeming[0])) if seeming else mine
    if seeming and mine is not None:
        lacks = [*mine.missing, *(["labels"] if masks and mine.labels is None else [])]
        serious = seeming[1] in lacks
    else:
        serious = mine is None and (bool(seeming) or word == NO_WORD and not kind)
    if kind == "DICOM":
        return serious, Remark("DICOM is not read", "bring it in with ivdlib import FOLDER OUT")
    if kind:
        return serious, Remark(f"{kind} is not read", "convert scans and labels to .nii.gz")
    if deep:
        what = f"not looked for, more than {DEEPEST} folders down"
        return True, Remark(what, "give a folder nearer to it")
    if seeming and (serious or word == NO_WORD):
        right = "Labels" if seeming[1] == "labels" else seeming[1]
        repair = f"rename to …_{right}.nii.gz" + ("" if serious else " if it is the one to read")
        repair += ", or let ivdlib import do it" if serious and right != "Labels" else ""
        return serious, Remark(f"not read, but the name is like {seeming[1]}", repair)
    if word != NO_WORD:
        return False, Remark(
            f"not read: of a Dixon scan only wat, fat, inn and opp are, not {word}"
        )
    what = "not read, because the name does not end in the word of an image"
    return serious, Remark(what, UNNAMED)


def _set_aside(path: Path) -> bool:
    """Whether it is a mask that `predict` moved aside: `saved/01_Discs-1.nii.gz`."""
    word = contrast_in_name(path.with_name(re.sub(r"-\d+\.nii", ".nii", path.name)))[1]
    return path.parent.name == ASIDE and word == FOUND


def _hollow(folder: Path, empty: bool) -> tuple[bool, Remark] | None:
    """As `_reason`, of a folder that looks like a scan and holds none."""
    if folder.name.lower().endswith((".nii", ".nii.gz")):
        repair = "put the file that lies in it in its place"
        return True, Remark("a folder is no image", repair)
    what = Remark("an empty folder", "copy the scan into it, or delete it")
    return (False, what) if empty else None


def _walk(folder: Path) -> Iterator[tuple[Path, bool, bool | None]]:
    """All files and folders that are not hidden.

    Also whether they lie too deep to be read, and whether a folder is empty (None for files).
    """
    for root, folders, names in os.walk(folder, followlinks=True):
        here = Path(root)
        deep = len(here.relative_to(folder).parts)
        links = deep < DEEPEST  # further down they might lead round in circles
        names = sorted(name for name in names if not name.startswith("."))
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        if deep:
            yield here, deep > DEEPEST, not (names or folders)
        folders[:] = [f for f in folders if deep < _FAR and (links or not (here / f).is_symlink())]
        for name in names:
            yield here / name, deep > DEEPEST, None
