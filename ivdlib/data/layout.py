"""Find cases by the names of their files: the challenge's layout and its variants.

A case's files are called `<case>_<contrast>.nii[.gz]`, `<case>_Labels.nii[.gz]` (or
`<case>-Labels`), `<case>_Spine.nii[.gz]` and, in phantoms, `<case>_Exact.nii[.gz]`, in any case
of the letters; in one folder a case, under a further level, or all in one folder. The folder's own
name says nothing then. It names the case where the files have no prefix, as in the challenge's
containers: `sub-01/fat.nii.gz`, `sub-01/labels.nii.gz`.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

from ivdlib.data.case_files import (
    _BARE,
    _NAME,
    BESIDE,
    DEEPEST,
    FOUND,
    MASKS,
    CaseFiles,
    _case_and_word,
)
from ivdlib.data.contrasts import CONTRASTS, contrast_order
from ivdlib.data.file_words import seems
from ivdlib.data.leftovers import left_over
from ivdlib.data.people import key
from ivdlib.errors import DataError
from ivdlib.files import cannot, readable
from ivdlib.links import is_annexed, leads_nowhere, need_content

_DIXON_WORDS = {*CONTRASTS, *MASKS}


def find_cases(folder: str | os.PathLike) -> list[CaseFiles]:
    """Find the cases of a folder, without opening an image.

    Parameters
    ----------
    folder : path
        Holds the cases, at most `DEEPEST` levels down; hidden files and folders are ignored.

    Returns
    -------
    list of CaseFiles
        Sorted by name.

    Raises
    ------
    DataError
        If the folder is missing, is a file, or holds no file with a name that fits.
    """
    folder = Path(folder)
    if not folder.exists():
        need_content(folder)
        raise DataError(f"the folder {folder} does not exist; check the path.")
    if not folder.is_dir():
        raise DataError(f"{folder} is not a folder; give the folder that holds the scans.")
    found: dict[str, list[tuple[str, str, Path]]] = {}
    others = 0
    for path in _nifti_files(folder):
        named = _case_and_word(path)
        if named is None or named[1] in (FOUND, *BESIDE):
            others += 1
            continue
        found.setdefault(key(named[0]), []).append((*named, path))
    if not found:
        left = next(iter(left_over(folder, [])), None)
        raise DataError(
            f"{folder} holds no scans: {others or 'no'} NIfTI files, none of them named "
            "<case>_<contrast>.nii or .nii.gz (as in 01_fat.nii.gz), or fat.nii.gz in a folder of "
            f"the case{f' ({left.where}: {left.what})' if left else ''}; "
            f"{(left and left.repair) or 'rename the files, or let ivdlib import do it'}."
        )
    return [_case(files) for _, files in sorted(found.items())]


def _unreadable(error: OSError) -> None:
    raise DataError(cannot("read", error.filename, error)) from error


def _nifti_files(folder: Path) -> list[Path]:
    paths = []
    for root, folders, names in os.walk(folder, onerror=_unreadable, followlinks=True):
        here = Path(root)
        deep = len(here.relative_to(folder).parts)
        folders[:] = sorted(f for f in folders if not f.startswith(".")) if deep < DEEPEST else []
        for path in (here / name for name in sorted(names) if not name.startswith(".")):
            if path.name.lower().endswith((".nii", ".nii.gz")):
                paths.append(path)
            elif deep < DEEPEST and leads_nowhere(path) and not (path.suffix or is_annexed(path)):
                need_content(path)  # this was a folder, perhaps that of a case
    return paths


def _case(files: list[tuple[str, str, Path]]) -> CaseFiles:
    by_word: dict[str, list[Path]] = {}
    for _, word, path in files:
        by_word.setdefault(word, []).append(path)
    words = set(by_word)
    kept = words & _DIXON_WORDS if words & {*CONTRASTS} else words
    repeated = _repeated([file for file in files if file[1] in kept])
    faults = [*repeated]
    if not kept.difference(MASKS):
        paths = ", ".join(str(path) for word in sorted(kept) for path in by_word[word])
        faults.append(
            f"case {files[0][0]} has no image, only {paths}; add its contrasts beside it."
        )
    return CaseFiles(
        files[0][0],
        {word: by_word[word][0] for word in sorted(kept.difference(MASKS), key=contrast_order)},
        *(by_word[word][0] if word in words else None for word in MASKS),
        tuple(faults),
        tuple(repeated),
        left_out=tuple(path for word in sorted(words - kept) for path in by_word[word]),
    )


def _repeated(files: list[tuple[str, str, Path]]) -> list[str]:
    """Which of a case's files are there several times, one sentence each."""
    by_word: dict[str, list[tuple[str, Path]]] = {}
    for name, word, path in sorted(files, key=lambda file: contrast_order(file[1])):
        by_word.setdefault(word, []).append((name, path))
    several = {word: some for word, some in by_word.items() if len(some) > 1}
    name, spelt = files[0][0], list(dict.fromkeys(name for name, *_ in files))
    if len(given := _given_names(files)) > 1 and any(readable(one) != one for one in given):
        return [
            f"{len(given)} cases would both be called {name}, as their names are no UTF-8; rename "
            "their files."
        ]
    if several and all(len({n for n, _ in some}) == len(some) for some in several.values()):
        alike = len({n.casefold() for n in spelt}) == 1
        what = "differ only in capitals" if alike else "are two spellings of one name"
        folders = {path.parent.name for *_, path in files}
        of = "folders" if folders == {*spelt} else "names"
        word, some = next(iter(several.items()))
        return [
            f"case {name}: the {of} {' and '.join(spelt)} {what}, so they are one "
            f"case, whose {word} is there {len(some)} times ({_paths(some)}); give two scans two "
            "names, or keep one of them."
        ]
    bare = sorted({path.parent for *_, path in files if _BARE.fullmatch(path.name)})
    if len(bare) > 1:
        return [
            f"{len(bare)} folders are called {name} ({', '.join(map(str, bare))}) and their files "
            "have no prefix that tells them apart; rename all but one."
        ]
    return [
        f"case {name}: {word} is there {len(some)} times ({_paths(some)}); keep one of them, or "
        "give two scans two names."
        for word, some in several.items()
    ]


def _paths(files: list[tuple[str, Path]]) -> str:
    return ", ".join(str(path) for _, path in files)


def _given_names(files: list[tuple[str, str, Path]]) -> set[str]:
    """Names as the disk has them: two that are no UTF-8 may read alike, and are two people."""
    return {
        path.parent.name if _BARE.fullmatch(path.name) else path.name[: len(name)]
        for name, _, path in files
    }


def odd_ones(cases: list[CaseFiles]) -> dict[str, str]:
    """Cases that should have other contrasts than most of the folder; those with enough are left.

    Parameters
    ----------
    cases : list of CaseFiles

    Returns
    -------
    dict of str to str
        Case name → one sentence; empty where all agree.
    """
    asked = [case for case in cases if case.contrasts and not case.complete]
    usual = Counter(case.wanted for case in asked).most_common(1)
    there = {key(case.name): case.paths for case in cases}
    odd = {}
    for case in asked:
        if case.wanted == usual[0][0]:
            continue
        like = [f"{w} is like {s[1]}" for w, p in case.contrasts.items() if (s := seems(p))]
        named = like and not {*CONTRASTS} & {*case.contrasts}
        rename = f", or rename the files ({', '.join(like)})" if named else ""
        odd[case.name] = _another(case, there) or (
            f"case {case.name} has the contrasts {', '.join(case.contrasts)}, but others of "
            f"this folder have {', '.join(usual[0][0])}; keep the two kinds in folders of their own"
            f"{rename}."
        )
    return odd


def _another(case: CaseFiles, there: Mapping[str, Mapping[str, Path]]) -> str:
    """Say that a case is but another version of a contrast, as `P1_fat_N4` is of `P1_fat`."""
    match = _NAME.fullmatch(f"{case.name}.nii")
    if not match or match["word"].lower() not in there.get(key(match["case"]), ()):
        return ""
    files = ", ".join(readable(path.name) for path in case.paths.values())
    return (
        f"case {case.name} is no scan of its own by its name, but another {match['word'].lower()} "
        f"of {match['case']} ({files}); move it elsewhere, or rename it if it is the one to read."
    )
