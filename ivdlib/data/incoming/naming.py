"""Who is who: numbers for people, visits and scans, and the key that is kept apart."""

from __future__ import annotations

import os
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from ivdlib.data.incoming.grouping import IncomingScan, person_of
from ivdlib.data.people import key
from ivdlib.errors import DataError
from ivdlib.files import write_csv

if TYPE_CHECKING:
    import pandas as pd

KEY_COLUMNS = (
    "case",
    "subject",
    "stage",
    "person",
    "visit",
    "run",
    "name",
    "born",
    "study",
    "files",
)
"""Of the key: our names, then the patient's."""


def name_scans(scans: list[IncomingScan], known: pd.DataFrame) -> None:
    """Name the scans `sub-001`, further visits `_ses-2`, further scans of a visit `_run-2`.

    Names once given stay, as the key has them.

    Parameters
    ----------
    scans : list of IncomingScan
        Named in place.
    known : DataFrame
        The key so far.
    """
    given = {(key(r.person), r.visit, str(r.run)): r for r in known.itertuples()}
    subjects = {key(r.person): r.subject for r in known.itertuples()}
    visits: dict[str, list[str]] = defaultdict(list)
    for r in known.itertuples():
        if r.visit not in visits[key(r.person)]:
            visits[key(r.person)].append(r.visit)
    several = _several_visits(scans)
    for scan in scans:
        visit = scan.session[1] or scan.session[0]
        if visit not in visits[scan.person]:
            visits[scan.person].append(visit)
        if old := given.get((scan.person, visit, str(scan.run))):
            scan.case, scan.subject, scan.stage = old.case, old.subject, old.stage
            continue
        kept = scan.first.kept
        number = visits[scan.person].index(visit) + 1
        if scan.person not in subjects:
            subjects[scan.person] = kept.partition("_")[0] or f"sub-{_free(subjects.values()):03d}"
        scan.subject = subjects[scan.person]
        scan.stage = kept.partition("_ses-")[2] or str(number)
        name = kept or scan.subject
        if not kept and (number > 1 or scan.person in several):
            name += f"_ses-{number}"
        runs = max(s.run for s in scans if (s.person, s.session) == (scan.person, scan.session))
        scan.case = f"{name}_run-{scan.run}" if runs > 1 or scan.run > 1 else name


def _several_visits(scans: list[IncomingScan]) -> set[str]:
    visits: dict[str, set] = defaultdict(set)
    for scan in scans:
        visits[scan.person].add(scan.session)
    return {person for person, some in visits.items() if len(some) > 1}


def _free(subjects: Iterable[str]) -> int:
    taken = [int(m[1]) for s in subjects if (m := re.fullmatch(r"sub-(\d+)", s))]
    return max(taken, default=0) + 1


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

    rows = []
    for scan in scans:
        who, first = scan.first.patient, scan.first
        files = " ".join(
            f"{name}:{v.facts.get('series') or v.label}" for name, v in scan.images.items()
        )
        rows.append((scan.case, scan.subject, scan.stage, person_of(first),
                     scan.session[1] or scan.session[0], scan.run, who.name, who.born,
                     scan.session[0], files))  # fmt: skip
    new = pd.DataFrame(rows, columns=list(KEY_COLUMNS))
    rest = known[~known["case"].isin(new["case"])]
    old = os.umask(0o077)
    try:
        write_csv(path, pd.concat([rest, new]).sort_values("case"))
    finally:
        os.umask(old)
