"""Who is who: numbers for people, visits and scans, and the key that is kept apart."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

from ivdlib.data.incoming.grouping import IncomingScan, person_of
from ivdlib.data.people import key
from ivdlib.errors import DataError
from ivdlib.files import private, write_csv

if TYPE_CHECKING:
    import pandas as pd

KEY_COLUMNS = ("case", "subject", "stage", "person", "visit", "name", "born", "images")
"""Of the key: our names, then the patient's, and what tells each image from all others."""

_BETWEEN = " "


def name_scans(scans: list[IncomingScan], known: pd.DataFrame) -> list[IncomingScan]:
    """Name the scans `sub-001`, further visits `_ses-2`, further scans of a visit `_run-2`.

    Names once given stay: a scan is known by any of its images.

    Parameters
    ----------
    scans : list of IncomingScan
        Named in place.
    known : DataFrame
        The key so far.

    Returns
    -------
    list of IncomingScan
        Those that could not be named, for a name of BIDS that another scan has.
    """
    book = _Book(known)
    visits: dict[str, set[str]] = defaultdict(set)
    runs: Counter[tuple] = Counter()
    for scan in scans:
        visits[scan.person].add(scan.session[1])
        runs[scan.person, scan.session] += 1
    refused = []
    for scan in sorted(scans, key=lambda scan: not scan.first.kept):  # names that stay come first
        if not book.knows(scan):
            several = runs[scan.person, scan.session] > 1
            refused += [] if book.name(scan, len(visits[scan.person]) > 1, several) else [scan]
    return refused


class _Book:
    """Names that are given, and to whom."""

    def __init__(self, known: pd.DataFrame) -> None:
        rows = [*known.itertuples()]
        self.cases = {row.case for row in rows}
        self.given: set[str] = set()
        self.by_image = {i: row for row in rows for i in row.images.split(_BETWEEN) if i}
        self.subjects = {key(row.person): row.subject for row in rows}
        self.visits: dict[str, list[str]] = defaultdict(list)
        for row in rows:
            if row.visit not in self.visits[key(row.person)]:
                self.visits[key(row.person)].append(row.visit)
        numbers = (re.fullmatch(r"sub-(\d+)", name) for name in self.subjects.values())
        self.last = max((int(match[1]) for match in numbers if match), default=0)

    def knows(self, scan: IncomingScan) -> bool:
        """Give a scan the name that it has, if one of its images is in the key."""
        identities = (v.identity for v in scan.images.values())
        rows = (self.by_image[i] for i in identities if i in self.by_image)
        row = next((row for row in rows if row.case not in self.given), None)
        if row is not None:
            scan.case, scan.subject, scan.stage = row.case, row.subject, row.stage
            self.given.add(row.case)
        return row is not None

    def name(self, scan: IncomingScan, visits: bool, runs: bool) -> bool:
        """Give a scan a new name; False if it is to keep one that another has."""
        kept, visit = scan.first.kept, scan.session[1]
        if visit not in self.visits[scan.person]:
            self.visits[scan.person].append(visit)
        number = self.visits[scan.person].index(visit) + 1
        name = kept
        if not kept:
            name = scan.subject = self._subject(scan.person)
            name += f"_ses-{number}" if number > 1 or visits else ""
        taken = name in self.cases
        numbered = (f"{name}_run-{k}" for k in count(1 if runs and not taken else 2))
        found = next(n for n in numbered if n not in self.cases) if runs or taken else name
        if kept:
            scan.subject = kept.partition("_")[0]
            owner = self.subjects.setdefault(scan.person, scan.subject)
            if owner != scan.subject or self._is_anothers(scan):
                return False
        stage = re.search("_ses-([^_]+)", kept)
        scan.case, scan.stage = found, stage[1] if stage else "1" if kept else str(number)
        self.cases.add(found)
        return True

    def _subject(self, person: str) -> str:
        while person not in self.subjects:
            self.last += 1
            if (name := f"sub-{self.last:03d}") not in self.subjects.values():
                self.subjects[person] = name
        return self.subjects[person]

    def _is_anothers(self, scan: IncomingScan) -> bool:
        return any(who != scan.person and name == scan.subject
                   for who, name in self.subjects.items())  # fmt: skip


def doubts_about_people(scans: list[IncomingScan]) -> Iterator[str]:
    """Sentences on people who may be one, or on one who may be two; they name nobody."""
    told: dict[tuple[str, str], set[str]] = defaultdict(set)
    names: dict[str, set[str]] = defaultdict(set)
    for scan in scans:
        who = scan.first.patient
        if who.name and who.born:
            told[(key(who.name), who.born)].add(scan.subject)
        if who.name and not scan.first.kept:
            names[scan.subject].add(key(who.name))
    for subjects in told.values():
        if len(subjects) > 1:
            yield (
                f"{' and '.join(sorted(subjects))} have one name and date of birth under two "
                "numbers, and may be one person; give them one subject in subjects.csv if so"
            )
    for subject, some in names.items():
        if len(some) > 1:
            yield (
                f"{subject} has {len(some)} names under one number, and may be several people; "
                "give each a subject of its own in subjects.csv if so"
            )


def read_key(path: Path) -> pd.DataFrame:
    """Read the key, empty if there is none; DataError if it is not one."""
    import pandas as pd

    if not path.is_file():
        return pd.DataFrame(columns=list(KEY_COLUMNS))
    try:
        found = pd.read_csv(path, dtype=str, keep_default_na=False)
    except (OSError, ValueError) as error:
        raise DataError(f"{path} cannot be read as the key of an import; name another one with "
                        "--key.") from error  # fmt: skip
    if missing := [c for c in KEY_COLUMNS if c not in found]:
        raise DataError(f"{path} is no key of an import, for it has no column {missing[0]}; name "
                        "another one with --key.")  # fmt: skip
    return found


def write_key(path: Path, scans: list[IncomingScan], known: pd.DataFrame) -> None:
    """Write who is who, readable for its owner alone.

    Raises
    ------
    DataError
        If it cannot be written.
    """
    import pandas as pd

    theirs = {v.identity: scan.case for scan in scans for v in scan.images.values()}
    before = {
        row.case: [i for i in row.images.split(_BETWEEN) if theirs.get(i, row.case) == row.case]
        for row in known.itertuples()
    }  # an image that is another scan's now is no longer this one's
    rows = []
    for scan in scans:
        who, first = scan.first.patient, scan.first
        now = [volume.identity for volume in scan.images.values()]
        images = _BETWEEN.join(dict.fromkeys([*before.get(scan.case, []), *now]))
        rows.append((scan.case, scan.subject, scan.stage, person_of(first), scan.session[1],
                     who.name, who.born, images))  # fmt: skip
    new = pd.DataFrame(rows, columns=list(KEY_COLUMNS))
    rest = known[~known["case"].isin(new["case"])]
    with private():
        write_csv(path, pd.concat([rest, new]).sort_values("case"))
