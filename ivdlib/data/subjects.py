"""Who was scanned: `subjects.csv`, else what the names of the cases say.

A patient on both sides of a split is the fault that this guards against. Where no table stands
beside the scans, a note says what was taken from the names; what these leave open (`P01_pre` and
`P01_post`: one person, or two?) is asked for by whoever divides the people, see `folds`.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

from ivdlib.data.case_files import DEEPEST, CaseFiles
from ivdlib.data.people import FROM_NAME, key, meant, one_of_two, questions, unified
from ivdlib.data.remarks import Remark, listed
from ivdlib.data.spreadsheet import read_table, says_who, shortened

CHALLENGE_SUBJECTS = {f"{n:02d}": (f"S{(n + 1) // 2}", "1" if n % 2 else "2") for n in range(1, 17)}
"""Subject and stage of the IVDM3Seg training scans 01 to 16. The odd ones are eight people: their
discs hold as many voxels, slice by slice, as those of A1, B1, …, H1 of the lettered release, where
a letter is a person. That the even one that follows is the same person's second scan is inferred
from order and disc volumes. The organisers never published a table."""

_COLUMNS = ("case", "subject", "stage")
FROM_TABLE = "subjects.csv"
FROM_CHALLENGE = "inferred (challenge table)"
ESTABLISHED = "challenge table"

_LETTERED = re.compile(r"([A-Za-z])(\d)([-_]\d+)?")
"""Person, one digit for the time of the scan, and perhaps the number of a crop."""

_OLD_RELEASE = re.compile(r"([A-Ha-h])([12])([-_]\d+)?")
"""The challenge's lettered release: A1 is 01, A2 is 02, B1 is 03, …, H1 is 15."""

_BIDS = re.compile(r"(sub-[^_]+)(_.*)?", re.IGNORECASE)
_SESSION = re.compile(r"(?:.*_)?ses-([^_]+)(?:_.*)?", re.IGNORECASE)
"""BIDS: `sub-` is the person, whatever else a name holds (`ses-`, `part-`, `acq-`, `run-`)."""

_GROUPS = re.compile(r"(train|test|val)", re.IGNORECASE)
"""What folders are called that are no person's, even if they hold but two or three cases."""

_ALONE = Remark(
    "taken as a subject of its own, because there is no subjects.csv",
    "write one (case,subject,stage) if a person was scanned more than once",
)


@dataclass(frozen=True)
class Subject:
    """Who was scanned: subject, stage ("" where unknown), where that is from, further columns.

    `question`: the note is one that must be answered before people are divided.
    """

    subject: str
    stage: str
    source: str
    columns: dict[str, str] = field(default_factory=dict)
    note: Remark | str = ""
    question: Remark | str = ""


def find_subjects(
    cases: list[CaseFiles], table: Path | None
) -> tuple[dict[str, Subject], dict[str, str]]:
    """Say for each case who was scanned.

    Parameters
    ----------
    cases : list of CaseFiles
    table : Path or None
        `subjects.csv`, with the columns `case`, `subject`, optionally `stage`, and any others.

    Returns
    -------
    subjects : dict of str to Subject
        By case name; a case with a fault is not in it. Each person has one spelling.
    faults : dict of str to str
        Case name → one sentence, for cases that the table leaves out or lists twice.

    Raises
    ------
    DataError
        If the table cannot be read or lacks a column.
    """
    found, faults = (_from_names(cases), {}) if table is None else _from_table(cases, table)
    people = unified({name: who.subject for name, who in found.items()})
    found = {name: replace(who, subject=people[name]) for name, who in found.items()}
    for scans, text in one_of_two(people):
        found |= {n: replace(found[n], note=text) for n in scans if not found[n].question}
    return found, faults


def left_over_cases(cases: list[CaseFiles], table: Path) -> list[str]:
    """Cases that `subjects.csv` lists and that are not among those here."""
    known = {key(case.name) for case in cases}
    return [mine[0]["case"] for name, mine in _rows(cases, table).items() if name not in known]


def _rows(cases: list[CaseFiles], table: Path) -> dict[str, list[dict[str, str]]]:
    """Rows of the table by `people.key` of the case."""
    found: dict[str, list[dict[str, str]]] = {}
    for row in read_table(table, _COLUMNS[:2], [case.name for case in cases], ",".join(_COLUMNS)):
        found.setdefault(key(row["case"]), []).append(row)
    return found


def _from_table(cases: list[CaseFiles], table: Path) -> tuple[dict[str, Subject], dict[str, str]]:
    rows, others = _rows(cases, table), left_over_cases(cases, table)
    subjects, faults = {}, {}
    for name in (case.name for case in cases):
        mine = rows.get(key(name), [])
        if not mine:
            listing = f", which lists {listed(others)} instead" if others else ""
            hint = meant(name, others)
            said = f"case {name} is not in {table}{listing}{f' ({hint})' if hint else ''}"
            repair = f"write {name} there, in a column of text" if hint else "add a line for it"
            faults[name] = f"{said}; {repair}."
        elif len(mine) > 1:
            faults[name] = f"case {name} stands {len(mine)} times in {table}; keep one line."
        elif not says_who(who := mine[0]["subject"]):
            said = f" (it says {who})" if who else ""
            faults[name] = f"case {name} has no subject in {table}{said}; fill it in."
        elif shortened(who):
            faults[name] = (
                f"case {name}: a spreadsheet shortened the subject in {table} to {who}, which "
                "several people may share; write the whole number, in a column of text."
            )
        else:
            row = mine[0]
            rest = {k: v for k, v in row.items() if k not in _COLUMNS}
            subjects[name] = Subject(row["subject"], row.get("stage", ""), FROM_TABLE, rest)
    return subjects, faults


def _from_names(cases: list[CaseFiles]) -> dict[str, Subject]:
    told = {case.name: who for case in cases if (who := _bids(case))}
    rest = [case for case in cases if case.name not in told]
    found = {case.name: Subject(case.name, "", FROM_NAME, note=_ALONE) for case in rest}
    found |= _said_by_name(told) | _of_the_challenge([*found], bool(told))
    lettered = {c.name: match for c in rest if (match := _LETTERED.fullmatch(c.name))}
    times: dict[str, set[str]] = {}
    if lettered and len(lettered) == len(cases):  # one digit: P01, P02, … are people
        people = {name: (m[1].upper(), m[2]) for name, m in lettered.items()}
        for letter, time in people.values():
            times.setdefault(letter, set()).add(letter + time)
        if max(map(len, times.values())) <= 2:  # as A1, A2, B1, … of the old release
            return _said_by_name(people)
        found |= {n: replace(found[n], subject="".join(who)) for n, who in people.items()}
    guessed = {name: who.subject for name, who in found.items() if who.source == FROM_NAME}
    folders = [{guessed[n] for n in some if n in guessed} for some in _folders_of_people(rest)]
    for scans, text in questions(guessed, [*times.values(), *folders]):
        found |= {name: replace(found[name], note=text, question=text) for name in scans}
    return found


def _of_the_challenge(every: list[str], others: bool) -> dict[str, Subject]:
    """Subjects of scans that are the challenge's, or may be.

    Both releases have one numbering: A1, A2, B1, … are 01, 02, 03, ….
    """
    old = {name: match for name in every if (match := _OLD_RELEASE.fullmatch(name))}
    new = [name for name in sorted(every) if name in CHALLENGE_SUBJECTS]
    if new and (old or len(new) == len(every) and not others):
        note = Remark(
            "the subject is inferred from the challenge's numbering (01, 03, 05, … are eight "
            "people, which is established; that 02 is the second scan of 01, and so on, is not"
            f"{'; A1 is 01 in the older release' if old else ''})",
            "write a subjects.csv (case,subject,stage) if these are other scans",
        )
        same = {n: f"{2 * (ord(m[1].upper()) - ord('A')) + int(m[2]):02d}" for n, m in old.items()}
        who = {name: CHALLENGE_SUBJECTS[same.get(name, name)] for name in (*new, *old)}
        if all(stage == "1" for _, stage in who.values()):  # nobody's second scan is here
            return {name: Subject(*one, ESTABLISHED) for name, one in who.items()}
        return {name: Subject(*one, FROM_CHALLENGE, note=note) for name, one in who.items()}
    pairs = [(a, b) for a in new if int(a) % 2 and (b := f"{int(a) + 1:02d}") in new]
    if not pairs:
        return {}
    a, b = pairs[0]
    if any(re.fullmatch(r"\d\d", name) for name in {*every} - {*new}):  # they go on: 17, 18, …
        said = f"{_ALONE.what} (in the challenge {a} and {b} are one person)"
        note = Remark(said, _ALONE.repair)
        return {name: Subject(name, "", FROM_NAME, note=note) for name in new}
    text = Remark(
        f"{listed(new)} may be scans of the IVDM3Seg challenge, in which {a} and {b} are one "
        "person, or of a person each, and the names do not say which",
        "write a subjects.csv beside the scans, with a line for each case below the line "
        f'case,subject: "{a},S{a}" and "{b},S{a}" if they are the challenge\'s, "{a},{a}" and '
        f'"{b},{b}" if each is a person of its own',
    )
    return {name: Subject(name, "", FROM_NAME, note=text, question=text) for name in new}


def _folders_of_people(cases: list[CaseFiles]) -> Iterator[list[str]]:
    """Cases of one folder, where it and those beside it hold at most two or three.

    It may be that of a person. With four or more in any of them, folders are those of groups.
    """
    places = {
        case.name: Path(os.path.commonpath([path.absolute().parent for path in paths]))
        for case in cases
        if (paths := case.paths.values())
    }
    top = Path(os.path.commonpath(places.values())) if places else Path()
    inside: dict[Path, list[str]] = {}
    for name, place in places.items():
        for folder in (place, *place.parents):
            if folder == top:
                break
            inside.setdefault(folder, []).append(name)
    beside: dict[Path, list[Path]] = {}
    for folder in inside:
        beside.setdefault(folder.parent, []).append(folder)
    for folders in beside.values():
        most = max(len(inside[folder]) for folder in folders)
        groups = any(_GROUPS.match(folder.name) for folder in folders)
        if len(folders) > 1 and most in (2, 3) and not groups:
            yield from (inside[folder] for folder in folders)


def _bids(case: CaseFiles) -> tuple[str, str] | None:
    """Person and session, by the name of a case or by the folders that it lies in."""
    place = next(iter(case.paths.values())).absolute().parents[:DEEPEST] if case.paths else ()
    parts = [case.name, *(folder.name for folder in place)]
    people = [match[1] for part in parts if (match := _BIDS.fullmatch(part.strip()))]
    stages = [match[1] for part in parts if (match := _SESSION.fullmatch(part))]
    return (people[0], stages[0] if stages else "") if people else None


def _said_by_name(found: dict[str, tuple[str, str]]) -> dict[str, Subject]:
    """Subjects that names tell, with a note where that makes several scans those of one person."""
    times: dict[str, dict[str, str]] = {}
    for name, (person, time) in found.items():
        times.setdefault(key(person), {}).setdefault(time, name)
    joined = [list(scans.values()) for scans in times.values() if len(scans) > 1]
    note = joined and Remark(
        f"the subject is read from the name ({joined[0][0]} and {joined[0][1]} are one person, "
        "and so on)",
        "write a subjects.csv (case,subject,stage) if that is wrong",
    )
    return {name: Subject(*who, FROM_NAME, note=note or "") for name, who in found.items()}
