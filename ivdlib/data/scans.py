"""Look at a folder of scans as a whole: whose they are, what is at fault, what is not read."""

from __future__ import annotations

import logging
import os
import warnings
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from ivdlib.data.assembly import assemble, read_case
from ivdlib.data.case import Case, Options
from ivdlib.data.case_files import CaseFiles
from ivdlib.data.dataset_notes import declared_beside, find_beside
from ivdlib.data.layout import find_cases, odd_ones
from ivdlib.data.leftovers import loose_ends
from ivdlib.data.remarks import Finding
from ivdlib.data.subjects import Subject, find_subjects
from ivdlib.errors import DataError, DataWarning

_log = logging.getLogger("ivdlib")


@dataclass(frozen=True)
class Scans:
    """The cases of a folder that was looked at as a whole; each is read when it is asked for.

    Attributes
    ----------
    files : tuple of CaseFiles
        Sorted by name.
    faults : dict of str to list of str
        Case name → why it cannot be used, by the names of its files or `subjects.csv`.
    subjects : dict of str to Subject
    settings : Options
    left : tuple of Finding
        What in the folder is not read.
    """

    files: tuple[CaseFiles, ...]
    faults: dict[str, list[str]]
    subjects: dict[str, Subject]
    settings: Options
    left: tuple[Finding, ...]

    def load(self, files: CaseFiles) -> Case:
        """Read one of `files`; DataError where that cannot be done."""
        if files.name in self.faults:
            raise DataError(self.faults[files.name][0])
        images = {word: read_case(word, path) for word, path in files.paths.items()}
        subject = self.subjects.get(files.name, Subject(files.name, "", ""))
        return assemble(files, images, subject, self.settings)

    def only(self, files: CaseFiles) -> Scans:
        """One of `files`, and what was found out of it: small enough to send elsewhere."""
        name = files.name
        faults = {name: self.faults[name]} if name in self.faults else {}
        who = {name: self.subjects[name]} if name in self.subjects else {}
        return Scans((files,), faults, who, self.settings, ())

    def say_left(self) -> None:
        """Warn of what is not read and looks as if it should be; log the rest."""
        for item in self.left:
            if item.level == "warning":
                warnings.warn(f"{item}.", DataWarning, stacklevel=4)
            else:
                _log.info("%s.", item)


def look(
    folder: str | os.PathLike,
    needed: Iterable[str] | None = None,
    masks: bool = True,
    *,
    above: bool | None = None,
    **options,
) -> Scans:
    """Look at a folder of cases as a whole; no image is read.

    Parameters
    ----------
    folder : path
    needed, masks, **options
        As for `load_cases`.
    above : bool, optional
        Whether `subjects.csv` and `dataset.json` may stand one level above. Default: as of
        `load_case` where there is one case.

    Returns
    -------
    Scans

    Raises
    ------
    DataError
        If the folder is at fault, not one of its cases.
    ConfigError
        If `label_grid` is unknown.
    """
    folder, complete = Path(folder), find_cases(folder)
    above = len(complete) == 1 if above is None else above
    found = [files.only(needed, masks) for files in complete]
    declared = declared_beside(folder, found, above=above)
    settings = Options(**options, declared=declared)
    table = find_beside("subjects.csv", folder, found, above=above)
    subjects, unclear = find_subjects(found, table)
    if not masks:  # nobody is divided
        subjects = {n: replace(who, note="", question="") for n, who in subjects.items()}
    faults = {files.name: [*files.faults] for files in found if files.faults}
    for more in (odd_ones(found), unclear if masks else {}):
        for name, text in more.items():
            faults.setdefault(name, []).append(text)
    left = loose_ends(folder, complete, declared, table, needed, masks)
    return Scans(tuple(found), faults, subjects, settings, tuple(left))
