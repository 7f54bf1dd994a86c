"""The files of one case, and what their names say: `<case>_<contrast>.nii.gz` and its variants."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path

from ivdlib.data.contrasts import CONTRASTS
from ivdlib.files import readable

_NAME = re.compile(r"(?P<case>.+)[-_](?P<word>[a-z][a-z0-9]*)\.nii(\.gz)?", re.IGNORECASE)


_BARE = re.compile(rf"(?P<word>{'|'.join(CONTRASTS)}|labels|spine)\.nii(\.gz)?", re.IGNORECASE)


MASKS = ("labels", "spine", "exact")
"""Words of the masks that a case may have beside its contrasts."""


FOUND = "discs"
"""Word of the masks that `ivdlib predict` writes."""


BESIDE = ("discnumbers", "discprobability", "discspread", "discspine")
"""Words of what it writes beside them. None of both is ever a contrast, wherever it was put."""


NO_WORD = "image"
"""What the contrast of a file is called whose name holds none."""


DEEPEST = 3
"""Levels of folders below the given one that are looked into."""


@dataclass(frozen=True)
class CaseFiles:
    """Paths of one case's files.

    Attributes
    ----------
    name : str
        The part of the names that the files share, e.g. ``"01"``, ``"A1_03"``.
    contrasts : dict of str to Path
        In the order of `contrasts.CONTRASTS`, others by the alphabet, lower case.
    labels, spine, exact : Path or None
        `exact`: the discs as they are, where a rater's errors are part of the labels (phantoms).
    faults : tuple of str
        What is wrong with the files by their names alone, one sentence each; loading raises the
        first.
    repeated : tuple of str
        Those of them that say that a file is there several times.
    complete : bool
        Nothing is missing: no other contrast was asked for.
    left_out : tuple of Path
        Files of the case under words that are not read beside Dixon images.
    """

    name: str
    contrasts: dict[str, Path] = field(default_factory=dict)
    labels: Path | None = None
    spine: Path | None = None
    exact: Path | None = None
    faults: tuple[str, ...] = ()
    repeated: tuple[str, ...] = ()
    complete: bool = False
    left_out: tuple[Path, ...] = ()

    def only(self, needed: Iterable[str] | None, masks: bool) -> CaseFiles:
        """Ask for less: without masks, or without other contrasts than those needed.

        All contrasts that have a file stay, for two of them may be copies.

        Parameters
        ----------
        needed : iterable of str or None
            If all of these have a file, none is missing. None asks for the usual ones.
        masks : bool
        """
        enough = needed is not None and set(needed) <= set(self.contrasts)
        return replace(self, complete=enough, **({} if masks else dict.fromkeys(MASKS)))

    @property
    def paths(self) -> dict[str, Path]:
        """All files: the contrasts, then "labels", "spine" and "exact" where they are there."""
        masks = {word: getattr(self, word) for word in MASKS}
        return {**self.contrasts, **{word: path for word, path in masks.items() if path}}

    @property
    def wanted(self) -> tuple[str, ...]:
        """Contrasts that the case should have: all four where one is Dixon, else those it has."""
        if not self.complete and any(name in CONTRASTS for name in self.contrasts):
            return CONTRASTS
        return tuple(self.contrasts)

    @property
    def missing(self) -> tuple[str, ...]:
        """Contrasts that should be there and have no file."""
        return tuple(name for name in self.wanted if name not in self.contrasts)


def contrast_in_name(path: Path) -> tuple[str, str]:
    """Split a file's name into case and contrast: ``01_wat.nii.gz`` gives ``("01", "wat")``.

    Without a prefix the folder names the case: ``sub-01/wat.nii.gz`` gives ``("sub-01", "wat")``. A
    name without a contrast gives ``"image"``.
    """
    return _case_and_word(path) or (
        re.sub(r"\.nii(\.gz)?$", "", readable(path.name), flags=re.IGNORECASE),
        NO_WORD,
    )


def _case_and_word(path: Path) -> tuple[str, str] | None:
    if bare := _BARE.fullmatch(path.name):
        # abspath, not resolve: what a link is called here counts, not where it leads
        return readable(_folder_name(Path(os.path.abspath(path)).parent)), bare["word"].lower()
    match = _NAME.fullmatch(readable(path.name))
    return (match["case"], match["word"].lower()) if match else None


def _folder_name(folder: Path) -> str:
    """What a folder names its case: in BIDS, `sub-01/ses-1` is the case `sub-01_ses-1`."""
    for levels, place in enumerate((folder, *folder.parents[: DEEPEST - 1])):
        if place.name.lower().startswith("sub-"):
            return "_".join(folder.parts[len(folder.parts) - levels - 1 :])
    return folder.name or "case"
